"""Two runs are compared by value: what is let pass, what is not, and what is shown."""

import base64
import io

import differences
import numpy as np
import pytest
from compare import cell_differences, close, is_blank, moved
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from series import MACHINE_FACT


@pytest.mark.parametrize(
    ('old', 'new', 'agree'),
    [
        # What other processors really gave for one and the same notebook.
        ('13998.41', '13998.42', True),
        ('29,075', '29,076', True),
        ('13,033,754', '13,033,770', True),
        ('1.30001e+07', '1.30002e+07', True),
        # What a mistake changed.
        ('0.0072', '0.0073', False),  # the bias is never updated: one unit, 1.4 %
        ('56.32', '56.30', False),  # test rows in the scaling: two units
        ('100', '101', False),
        ('1e-05', '1e-04', False),
        ('-0.39', '0.39', False),
        ('46194.5', '46184.5', False),
        ('0.4831', '0.4832', False),
        ('31324', '31326', False),
        ('-0.00', '0.00', True),
        ('1.', '1.', True),
    ],
)
def test_two_numbers(old, new, agree):
    assert close(old, new) is close(new, old) is agree


@pytest.mark.parametrize(
    ('old', 'new', 'found'),
    [
        ('loss 46194.50, RMSE 215', 'loss 46194.51, RMSE 215', []),
        ('a 1 b 2', 'a 3 b 4', ['1 became 3', '2 became 4']),
        ('tensor([[ 9.99999]])', 'tensor([[10.00000]])', []),
        ('[1., 2.]', '[1., 2., 3.]', ['the words differ']),
        ('it falls by 2', 'it rises by 2', ['the words differ']),
        ('nan', '1.0', ['the words differ']),
        ('float32', 'float64', ['the words differ']),
        ('one\ntwo', 'one two', ['the words differ']),
    ],
)
def test_two_texts(old, new, found):
    assert [line.partition(':')[0] for line in moved(old, new)] == found


def shown(*frames):
    """A picture whose frames are arrays of grey values."""
    images = [Image.fromarray(np.uint8(frame)).convert('RGB') for frame in frames]
    png = io.BytesIO()
    images[0].save(png, 'PNG', save_all=True, append_images=images[1:])
    return png.getvalue()


GREY = np.full((40, 60), 128)
LINE = GREY + 100 * np.eye(40, 60)
MOVED = GREY + 100 * np.eye(40, 60, 3)


def test_a_blank_picture():
    assert is_blank(shown(LINE, GREY))
    assert not is_blank(shown(LINE))


def stream(text, name='stdout'):
    return new_output('stream', name=name, text=text)


def result(text):
    return new_output('execute_result', data={'text/plain': text})


def picture(*frames):
    png = base64.b64encode(shown(*frames)).decode()
    return new_output('display_data', data={'image/png': png})


def figure(*frames, source='data:image/png;base64,{}'):
    output, width = picture(*frames), frames[0].shape[1]
    source = source.format(output.data['image/png'])
    output.data['text/html'] = f'<img src="{source}" width="{width}">'
    return output


def script(text):
    page = f'<p>1</p><script>{text}</script>'
    return new_output('display_data', data={'text/html': page})


OUTPUTS = {
    'the same': ([stream('1.00')], [stream('1.00')], ''),
    'missing': ([stream('1.0')], [], 'outputs of the kinds'),
    'a warning': ([stream('a')], [stream('a', 'stderr')], 'outputs of the kinds'),
    'the order': ([stream('a'), result('b')], [result('b'), stream('a')], 'outp'),
    'a value': ([result('1')], [result('2')], '1 became 2'),
    'a script': ([script('x = 1')], [script('x = 2')], 'the words differ'),
    'noise': ([figure(LINE)], [figure(LINE + 1)], ''),
    'moved': ([figure(LINE)], [figure(MOVED)], 'the picture differs by'),
    'elsewhere': ([figure(LINE)], [figure(LINE, source='a.png')], 'the words differ'),
    'cut': ([figure(LINE)], [figure(LINE[:, :50])], 'the size of the picture'),
    'a frame': ([figure(LINE, MOVED)], [figure(LINE, LINE)], 'the picture differs'),
    'a frame less': ([figure(LINE, MOVED)], [figure(LINE)], 'the size of'),
}


@pytest.mark.parametrize('name', OUTPUTS)
def test_two_outputs(name):
    old, new, found = OUTPUTS[name]
    lines = cell_differences(new_code_cell(outputs=old), new)
    assert [line.startswith(found) for line in lines] == [True] * bool(found)


def test_a_figure_drawn_by_another_matplotlib_need_only_be_there():
    cell = new_code_cell(outputs=[figure(LINE)])
    assert not cell_differences(cell, [figure(LINE[:, :50])], pixels=False)
    assert cell_differences(cell, [], pixels=False)


def test_a_slow_machine_says_the_same_words():
    metadata = {'tags': [MACHINE_FACT], 'claim': 'numbers[0] < 4'}
    cell = new_code_cell(outputs=[stream('slices 3.0 s')], metadata=metadata)
    assert not cell_differences(cell, [stream('slices 9.1 s')])
    assert cell_differences(cell, [stream('sums 3.0 s')])


@pytest.mark.parametrize(
    ('new', 'marks', 'pictures'),
    [
        ([stream('a<b 13998.42 2.50'), picture(LINE)], ['2.00', '2.50'], 3),
        ([stream('a<c 13998.41 2.00'), picture(GREY)], ['b', 'c'], 0),
        ([], ['a', '&lt;', 'b', '13998.41', '2.00'], 1),
    ],
    ids=['a number', 'a word', 'nothing'],
)
def test_what_moved_is_marked_and_what_is_equal_is_left_out(new, marks, pictures):
    old = [stream('a<b 13998.41 2.00'), picture(GREY)]
    cell = new_code_cell('a < b', outputs=old)
    page = differences.section('1.ipynb', 'Cell 1', cell, new, ['1 < 2'])
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
