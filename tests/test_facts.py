"""A number in words is bound to what computes it, and a false one is red."""

import pytest
from facts import problems, says, statement, unbound
from nbformat.v4 import new_code_cell, new_markdown_cell


@pytest.mark.parametrize(
    ('text', 'values', 'so'),
    [
        ('283.09', [283.0935], True),
        ('283.09', [283.096], False),
        ('2.19 million', [2186543], True),
        ('2.19 million', [2.196e6], False),
        ('1.1167e-4', [1.11673e-4], True),
        ('1.1167e-4', [1.1168e-4], False),
        ('10,000', [10000], True),
        ('10,000', [10001], False),
        ('−0.0014', [-0.00143], True),
        ('−0.0014', [0.00143], False),
        ('1e-5', [1e-5], True),
        ('1e−5', [1e-4], False),
        ('4.3 ± 0.2', [4.31, 0.21], True),
        ('4.3 ± 0.2', [4.31, 0.26], False),
        ('12 million', [12.21e6], True),
        ('57 %', [0.571], True),
        ('57%', [0.58], False),
        ('76 and 92', [76.2, 92.0], True),
        ('252 steps instead of 2669', [252, 2669], True),
        ('252 steps instead of 2669', [2669, 252], False),
        ('252 steps', [252, 2669], False),
        ('46194.5', [46194.5049], True),
        ('five regions', [5], True),
        ('six regions', [5], False),
        ('Five regions', [5], True),
        ('below one ton', [True], True),
        ('below one ton', [False], False),
        ('the loss falls to 5', [True], True),
        ('1,191.88', [1191.88], True),
        ('10 × 2', [10, 2], True),
        ('w11 and float32', [], True),
        ('5', [float('nan')], False),
        ('5', [float('inf')], False),
        ('5', 'NameError: x', False),
    ],
)
def test_what_a_text_says(text, values, so):
    assert says(text, values) is so


def cell(text, **metadata):
    return new_markdown_cell(text, metadata=metadata)


@pytest.mark.parametrize(
    ('source', 'metadata', 'words'),
    [
        ('It falls to 283.09.', {'facts': {'falls to 283.09': 'loss'}}, ''),
        ('It falls to 283.09.', {'facts_at_end': {'283.09': 'loss'}}, ''),
        ('It falls to 283.09.', {}, "'283.09' is neither a fact nor a constant"),
        ('| now | 57 % |', {}, "'57 %' is neither"),
        ('Its shape is `(5, 3)`.', {'constants': ['5']}, "'3' is neither"),
        ('In 2019.', {'constants': ['2019']}, ''),
        ('In 2019.', {'constants': ['2018', '2019']}, "'2018' is a constant, but no"),
        ('It is 15.', {'constants': ['5', '15']}, "'5' is a constant, but no longer"),
        ('It is 1.5 or 1,500.', {'constants': ['1.5', '1,500']}, ''),
        ('The six regions.', {}, "'six' is neither"),
        ('A $2/(nm)$ here.', {}, "'2' is neither"),
        ('8 then 9', {'facts': {'8': 'a', '9': 'b'}}, 'needs the words beside'),
        ('It is 5.', {'facts': {'is 5': '5'}}, 'asks nothing of the kernel'),
        ('In notebook 10, and 04 to 06; see 07-x.ipynb, w11, float32.', {}, ''),
        ('[10 Work](10-work.ipynb) and [this](https://a.b/c/5)', {}, ''),
        ('<details>\n\n```python\nx = 5\n```\n\n</details>', {}, ''),
    ],
)
def test_what_is_bound(source, metadata, words):
    found = '\n'.join(unbound(cell(source, **metadata)))
    assert words in found
    assert bool(words) == bool(found)


def test_the_message_shows_what_to_add():
    (line,) = unbound(cell('First.\nIt falls to 283.09 in the end.'))
    assert 'It falls to 283.09 in the end.' in line
    assert '"facts": {"... 283.09 ...": "an expression"}' in line
    assert '"constants": ["283.09"]' in line


def test_what_no_longer_holds():
    text = cell('It falls to 283.09.', facts={'falls to 283.09': 'loss'})
    assert problems(text, {'falls to 283.09': [283.09]}) == []
    (line,) = problems(text, {'falls to 283.09': [238.09]})
    assert line == "The text says 'falls to 283.09', but loss is [238.09]."
    text.source = 'It rises to 283.09.'
    (line,) = problems(text, {'falls to 283.09': [283.09]})
    assert 'no longer in the text' in line


def test_the_description_of_a_picture_is_a_statement():
    plot = new_code_cell(
        'x = 5  # 6\nprint("7")\nshow(ax, "Eight points "\n  f"and {x}.")'
    )
    assert statement(plot) == 'Eight points and \n.'
    assert "'Eight' is neither" in unbound(plot)[0]
