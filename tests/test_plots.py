"""What the committed pictures cannot show: refusals, descriptions, what can be read.

The figures themselves are compared, pixel by pixel, where the notebooks are run.
"""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from helpers import plots

ABC = ['a', 'b', 'c']
NAN = float('nan')


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    plt.switch_backend('agg')  # nor a window opened
    yield
    plt.close('all')


@pytest.mark.parametrize(
    ('draw', 'arguments', 'words'),
    [
        ('squared_errors', ([1, 2, 3], [1, 2], ABC, 'y', None), 'preds.* (3), .* (2,)'),
        ('predicted_and_measured', ([[1, 2]], [1, 2], 't'), 'preds.* (1, 2), .* (2,)'),
        ('loss_surface', ([1, 2], [1], [[1], [2]], 'ab'), 'losses.* (1, 2), .* (2, 1)'),
        ('loss_curves', ({'one': ([1, 2], [3])},), 'x of one.* (1), .* (2,)'),
        ('loss_curves', ({'one': [1, NAN]},), 'one (2,): .* finite'),
        ('loss_curves', ({'one': [1, 0]},), 'one (2,): .* over 0'),
        ('show', (None, ' '), 'needs a description'),
        ('movie', (None, [], [0], ' '), 'needs a description'),
    ],
)
def test_what_would_be_drawn_wrongly_is_refused_by_name(draw, arguments, words):
    words = words.replace('(', r'\(').replace(')', r'\)')
    with pytest.raises(ValueError, match=words):
        getattr(plots, draw)(*arguments)


def test_a_picture_carries_its_description_in_every_form():
    ax = plots.loss_curves({'one': torch.ones(3, requires_grad=True)})
    picture = plots.show(ax, 'A line chart of "a" & b.')
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match='shown already'):  # a cell's leftover `ax`
        plots.show(ax, 'Another chart.')
    bundle = picture._repr_mimebundle_()
    assert bundle['text/plain'] == repr(picture) == 'A line chart of "a" & b.'
    assert 'alt="A line chart of &quot;a&quot; &amp; b."' in bundle['text/html']
    assert f'base64,{bundle["image/png"]}"' in bundle['text/html']
    image = Image.open(io.BytesIO(base64.b64decode(bundle['image/png'])))
    assert image.format == 'PNG'
    wide = f' width="{round(image.width / 2)}"'  # 200 dots, 100 pixels an inch
    assert wide in bundle['text/html']


def test_words_in_the_colour_of_a_curve_can_be_read_on_white():
    with plt.style.context('helpers.series'):
        ax = plots.loss_curves(dict.fromkeys(['one', 'two', 'three', 'four'], [1, 2]))
        plots.show(ax, 'Four curves.')
    for text in ax.texts:
        rgb = np.array(to_rgb(text.get_color()))
        light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        contrast = 1.05 / (light @ [0.2126, 0.7152, 0.0722] + 0.05)  # WCAG 2
        assert contrast > 4.5, text.get_text()


def test_a_label_stands_where_it_is_told():
    places = {'one': (0.5, 20)}
    outside, *_, inside = plots.loss_curves(
        {'one': [1, 9], 'two': [1, 2]}, places=places
    ).texts
    assert inside.get_position() == places['one']
    assert outside.get_text() == 'two'
    assert outside.get_position()[0] > 1


@pytest.mark.parametrize('scale', ['linear', 'log'])
def test_numbers_on_an_axis_say_of_what(scale):
    _, ax = plt.subplots()
    ax.set(xlabel='rain (mm)', yscale=scale)
    with pytest.raises(ValueError, match='ylabel'):
        plots.show(ax, 'A chart.')
    ax.set_yticks([1, 2], ['Kanto', 'Johto'])
    plots.show(ax, 'A chart.')
