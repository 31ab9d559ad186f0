"""The page that shows what differs marks it, and is gone when nothing differs."""

import base64
import io

import differences
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


def section(old, new):
    cell = new_code_cell('a < b', outputs=outputs(*old))
    return differences.section('1.ipynb', 'Cell 1', cell, outputs(*new), ['1 < 2'])


def test_what_moved_is_marked():
    page = section(('a<b 1.00 2.00', 'red'), ('a<b 1.00 2.50', 'blue'))
    assert 'a&lt;b 1.00 <mark>2.00</mark>' in page
    assert 'a&lt;b 1.00 <mark>2.50</mark>' in page
    assert '<pre>a &lt; b</pre>' in page
    assert page.count('<img') == 3


def test_words_that_changed_are_marked_and_what_is_equal_is_left_out():
    page = section(('It falls now', 'red'), ('It rises now', 'red'))
    assert 'It <mark>falls</mark> now' in page
    assert 'It <mark>rises</mark> now' in page
    assert '<img' not in page


def test_an_output_less():
    cell = new_code_cell('', outputs=outputs('one', 'red'))
    page = differences.section('1.ipynb', 'Cell 1', cell, [], ['fewer'])
    assert '<mark>one</mark>' in page
    assert 'no picture' in page


def test_the_page_of_an_earlier_run_is_not_left(tmp_path, monkeypatch):
    monkeypatch.setattr(differences, 'PAGE', tmp_path / 'build' / 'page.html')
    differences.write(['<h2>old</h2>'])
    assert '<h2>old</h2>' in differences.PAGE.read_text()
    differences.write([])
    assert not differences.PAGE.exists()
