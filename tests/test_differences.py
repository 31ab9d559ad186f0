"""The page that shows what differs marks it, and is gone when nothing differs."""

import base64
import io

import differences
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image


def outputs(text, colour):
    content = io.BytesIO()
    Image.new('RGB', (4, 4), colour).save(content, 'PNG')
    picture = {'image/png': base64.b64encode(content.getvalue()).decode()}
    return [
        new_output('stream', name='stdout', text=text),
        new_output('display_data', data=picture),
    ]


@pytest.mark.parametrize(
    ('new', 'marks', 'pictures'),
    [
        (('a<b 13998.42 2.50', 'blue'), ['2.00', '2.50'], 3),
        (('a<c 13998.41 2.00', 'red'), ['b', 'c'], 0),
        (None, ['a', '&lt;', 'b', '13998.41', '2.00'], 1),
    ],
    ids=['a number', 'a word', 'nothing'],
)
def test_what_moved_is_marked_and_what_is_equal_is_left_out(new, marks, pictures):
    cell = new_code_cell('a < b', outputs=outputs('a<b 13998.41 2.00', 'red'))
    made = outputs(*new) if new else []
    page = differences.section('1.ipynb', 'Cell 1', cell, made, ['1 < 2'])
    assert '<pre>a &lt; b</pre>' in page
    found = [mark.partition('</mark>')[0] for mark in page.split('<mark>')[1:]]
    assert [mark for mark in found if mark.strip()] == marks
    assert page.count('<img') == pictures


def test_the_page_of_an_earlier_run_is_not_left(tmp_path, monkeypatch):
    monkeypatch.setattr(differences, 'PAGE', tmp_path / 'build' / 'page.html')
    differences.write(['<h2>old</h2>'])
    assert '<h2>old</h2>' in differences.PAGE.read_text()
    differences.write([])
    assert not differences.PAGE.exists()
