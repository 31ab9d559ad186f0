"""A number in words is bound to what computes it, and a false one is red."""

import pytest
from facts import says, statement, unbound
from nbformat.v4 import new_code_cell, new_markdown_cell


@pytest.mark.parametrize(
    ('text', 'values', 'so'),
    [
        ('283.09', [283.0935], True),
        ('283.09', [283.096], False),
        ('2.19 million', [2186543], True),
        ('1.1167e-4', [1.11673e-4], True),
        ('1.1167e-4', [1.1168e-4], False),
        ('−0.0014', [-0.00143], True),
        ('−0.0014', [0.00143], False),
        ('1e-5', [1e-5], True),
        ('1e−5', [1e-4], False),
        ('4.3 ± 0.2', [4.31, 0.21], True),
        ('4.3 ± 0.2', [4.31, 0.26], False),
        ('57 %', [0.571], True),
        ('57%', [0.58], False),
        ('252 steps instead of 2669', [2669, 252], False),
        ('252 steps', [252, 2669], False),
        ('six regions', [5], False),
        ('Five regions', [5], True),
        ('below one ton', [True], True),
        ('below one ton', [False], False),
        ('1,191.88', [1191.88], True),
        ('w11 and float32', [], True),
        ('5', [float('nan')], False),
        ('5', 'NameError: x', False),
    ],
)
def test_what_a_text_says(text, values, so):
    assert says(text, values) is so


@pytest.mark.parametrize(
    ('source', 'metadata', 'words'),
    [
        ('It falls to 283.09.', {'facts': {'falls to 283.09': 'loss'}}, ''),
        ('It falls to 283.09.', {'facts_at_end': {'283.09': 'loss'}}, ''),
        ('| now | 57 % |', {}, "'57 %' is neither"),
        ('Its shape is `(5, 3)`.', {'constants': ['5']}, "'3' is neither"),
        ('In 2019.', {'constants': ['2019']}, ''),
        ('In 2019.', {'constants': ['2018', '2019']}, "'2018' is a constant, but no"),
        ('It is 15.', {'constants': ['5', '15']}, "'5' is a constant, but no longer"),
        ('It is 1.5.', {'constants': ['1', '1.5']}, "'1' is a constant, but no longer"),
        ('It is 1.5 or 1,500.', {'constants': ['1.5', '1,500']}, ''),
        ('One.\nThe six regions.', {}, "'six' is neither a fact nor a constant in"),
        ('It falls to 283.09.', {}, '"facts": {"... 283.09 ...": "an expression"}'),
        ('It falls to 283.09.', {}, '"constants": ["283.09"]'),
        ('A $2/(nm)$ here.', {}, "'2' is neither"),
        ('8 then 9', {'facts': {'8': 'a', '9': 'b'}}, 'needs the words beside'),
        ('It is 5.', {'facts': {'is 5': '5'}}, 'asks nothing of the kernel'),
        ('In notebook 10, and 04 to 06; see 07-x.ipynb, w11, float32.', {}, ''),
        ('[10 Work](10-work.ipynb) and [this](https://a.b/c/5)', {}, ''),
        ('<details>\n\n```python\nx = 5\n```\n\n</details>', {}, ''),
    ],
)
def test_what_is_bound(source, metadata, words):
    found = '\n'.join(unbound(new_markdown_cell(source, metadata=metadata)))
    assert words in found
    assert bool(words) == bool(found)


def test_the_description_of_a_picture_is_a_statement():
    plot = new_code_cell(
        'x = 5  # 6\nprint("7")\nshow(ax, "Eight points "\n  f"and {x}.")'
    )
    assert statement(plot) == 'Eight points and \n.'
    assert "'Eight' is neither" in unbound(plot)[0]
    assert statement(new_code_cell('%magic\nshow(ax, "Eight")')) == ''
