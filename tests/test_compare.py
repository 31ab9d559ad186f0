"""Two runs are compared by value: what is let pass, and what is not."""

import base64
import io

import numpy as np
import pytest
from compare import cell_differences, close, differences, is_blank, moved, picture_moved
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from series import MACHINE_FACT


@pytest.mark.parametrize(
    ('old', 'new', 'agree'),
    [
        # What other processors really gave for one and the same notebook.
        ('13998.41', '13998.42', True),
        ('31404.83', '31404.82', True),
        ('46194.50', '46194.51', True),
        ('29,075', '29,076', True),
        ('1.3e+07', '1.3e+07', True),
        ('13,033,754', '13,033,770', True),
        # What a mistake changed.
        ('0.0072', '0.0073', False),  # the bias is never updated: one unit, 1.4 %
        ('56.32', '56.30', False),  # test rows in the scaling: two units
        ('283.09', '283.19', False),
        ('100', '101', False),
        ('5', '6', False),
        ('1e-05', '1e-04', False),
        ('-0.39', '0.39', False),
        ('46194.5', '46184.5', False),
        ('0.4831', '0.4832', False),
        ('31324', '31325', True),
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
        ('loss 283.09', 'loss 238.09', ['283.09 became 238.09']),
        ('a 1 b 2', 'a 3 b 4', ['1 became 3', '2 became 4']),
        ('tensor([[ 9.99999]])', 'tensor([[10.00000]])', []),
        ('torch.Size([5, 3])', 'torch.Size([3, 5])', ['5 became 3', '3 became 5']),
        ('[1., 2.]', '[1., 2., 3.]', ['the words differ']),
        ('it falls by 2', 'it rises by 2', ['the words differ']),
        ('nan', '1.0', ['the words differ']),
        ('float32', 'float64', ['the words differ']),
        ('w11', 'w21', ['the words differ']),
        ('one\ntwo', 'one two', ['the words differ']),
    ],
)
def test_two_texts(old, new, found):
    lines = [line.partition(':')[0] for line in moved(old, new)]
    assert lines == found


def shown(*frames):
    """A picture whose frames are arrays of grey values."""
    images = [Image.fromarray(np.uint8(frame)).convert('RGB') for frame in frames]
    png = io.BytesIO()
    images[0].save(png, 'PNG', save_all=True, append_images=images[1:])
    return png.getvalue()


GREY = np.full((40, 60), 128)
LINE = GREY + 100 * np.eye(40, 60)
MOVED = GREY + 100 * np.eye(40, 60, 3)


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ([LINE], [LINE + 1], ''),
        ([LINE], [MOVED], 'differs by'),
        ([LINE], [LINE[:, :50]], 'size of the picture'),
        ([LINE, MOVED], [LINE, LINE], 'differs by'),
        ([LINE, MOVED], [LINE, MOVED + 1], ''),
        ([LINE, MOVED], [LINE], 'size of the picture'),
    ],
    ids=['noise', 'moved', 'cut', 'a later frame', 'noise in a frame', 'fewer frames'],
)
def test_two_pictures(old, new, words):
    found = ''.join(picture_moved(shown(*old), shown(*new)))
    assert words in found
    assert bool(words) == bool(found)


def test_a_blank_picture():
    assert is_blank(shown(GREY))
    assert is_blank(shown(LINE, GREY))
    assert not is_blank(shown(LINE))


def stream(text, name='stdout'):
    return new_output('stream', name=name, text=text)


def result(text):
    return new_output('execute_result', data={'text/plain': text})


def figure(picture):
    png = base64.b64encode(picture).decode()
    width = Image.open(io.BytesIO(picture)).width
    page = f'<img src="data:image/png;base64,{png}" alt="a" width="{width}">'
    return new_output('display_data', data={'image/png': png, 'text/html': page})


def test_a_figure_drawn_by_another_matplotlib():
    old, new = [figure(shown(LINE))], [figure(shown(LINE[:, :50]))]
    assert differences(old, new, pixels=False) == []
    assert 'size of the picture' in ''.join(differences(old, new))
    assert 'kinds' in ''.join(differences(old, [], pixels=False))


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ([stream('1.00')], [stream('1.00')], ''),
        ([stream('1.0')], [], 'kinds'),
        ([stream('a')], [stream('a', 'stderr')], 'kinds'),
        ([stream('a'), result('b')], [result('b'), stream('a')], 'kinds'),
        ([result('1')], [result('2')], '1 became 2'),
    ],
    ids=['the same', 'missing', 'a warning', 'the order', 'a value'],
)
def test_two_outputs(old, new, words):
    found = ''.join(differences(old, new))
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ('new', 'words'), [('slices 9.1 s\n', ''), ('sums 3.0 s\n', 'the words differ')]
)
def test_a_slow_machine_says_the_same_words(new, words):
    metadata = {'tags': [MACHINE_FACT], 'claim': 'numbers[0] < 4'}
    old, new = (
        [new_output('stream', name='stdout', text=text)]
        for text in ('slices 3.0 s\n', new)
    )
    cell = new_code_cell(outputs=old, metadata=metadata)
    assert ''.join(cell_differences(cell, new))[: len('the words differ')] == words
