"""A false number in words is red. What is true is said by the notebooks themselves."""

import pytest
from facts import says, statement, unbound
from nbformat.v4 import new_code_cell, new_markdown_cell


@pytest.mark.parametrize(
    ('text', 'values'),
    [
        ('283.09', [283.096]),
        ('1.1167e-4', [1.1168e-4]),
        ('−0.0014', [0.00143]),
        ('1e−5', [1e-4]),
        ('4.3 ± 0.2', [4.31, 0.26]),
        ('57%', [0.58]),
        ('252 steps instead of 2669', [2669, 252]),
        ('252 steps', [252, 2669]),
        ('six regions', [5]),
        ('below one ton', [False]),
        ('5', [float('nan')]),
        ('5', 'NameError: x'),
    ],
)
def test_what_a_text_does_not_say(text, values):
    assert not says(text, values)


@pytest.mark.parametrize(
    ('source', 'metadata', 'words'),
    [
        ('| now | 57 % |', {}, "'57 %' is neither"),
        ('Its shape is `(5, 3)`.', {'constants': ['5']}, "'3' is neither"),
        ('A $2/(nm)$ here.', {}, "'2' is neither"),
        ('It is 15.', {'constants': ['5', '15']}, "'5' is a constant, but no longer"),
        ('It is 1.5.', {'constants': ['1', '1.5']}, "'1' is a constant, but no longer"),
        ('A.\nThe six.', {}, "'six' is neither a fact nor a constant in: The six.\n"),
        ('It falls to 283.09.', {}, '"facts": {"... 283.09 ...": "an expression"}'),
        ('It falls to 283.09.', {}, '"constants": ["283.09"]'),
        ('8 then 9', {'facts': {'8': 'a', '9': 'b'}}, 'needs the words beside'),
        ('It is 5.', {'facts': {'is 5': '5'}}, 'asks nothing of the kernel'),
    ],
)
def test_what_is_not_bound(source, metadata, words):
    found = '\n'.join(unbound(new_markdown_cell(source, metadata=metadata)))
    assert words in found


def test_the_description_of_a_picture_is_a_statement():
    plot = new_code_cell(
        'x = 5  # 6\nprint("7")\nshow(ax, "Eight points "\n  f"and {x}.")'
    )
    assert statement(plot) == 'Eight points and \n.'
    assert "'Eight' is neither" in unbound(plot)[0]
