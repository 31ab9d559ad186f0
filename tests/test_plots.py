"""The figures draw what they are given, and refuse what they cannot draw."""

import base64
import io
import re

import matplotlib

matplotlib.use('agg')

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from helpers import plots
from helpers.data import REGIONS_CSV, read_csv

NAMES = ['a', 'b', 'c', 'd', 'e']
INPUTS, TARGETS = torch.rand(5, 3), torch.rand(5, 2)


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    yield
    plt.close('all')


def line(ax, index=0):
    return np.array(ax.lines[index].get_data())


def test_features_and_targets():
    axes = plots.features_and_targets(
        INPUTS, TARGETS, ['t', 'r', 'h'], ['apples', 'oranges'], NAMES
    )
    assert axes.shape == (3, 2)
    for feature, target in np.ndindex(3, 2):
        ax = axes[feature, target]
        assert ax.get_xlabel() == 'trh'[feature]
        assert ax.get_ylabel() == ['apples', 'oranges'][target]
        np.testing.assert_allclose(line(ax)[0], INPUTS[:, feature])
        np.testing.assert_allclose(line(ax)[1], TARGETS[:, target])


def test_plane():
    points = np.random.default_rng(0).random((4, 3))
    ax = plots.plane(points, (2, -3, 1), ['x', 'y', 'z'], NAMES[:4])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ('x', 'y', 'z')
    sticks = [np.array(stick.get_data_3d()) for stick in ax.lines[:4]]
    for (x, y, z), stick in zip(points, sticks, strict=True):
        np.testing.assert_allclose(stick.T, [[x, y, 2 * x - 3 * y + 1], [x, y, z]])
    for x, y, z in np.concatenate(ax.collections[0]._segments3d):
        assert z == pytest.approx(2 * x - 3 * y + 1)
    assert [text.get_text().strip() for text in ax.texts] == NAMES[:4]


def test_matrix_product():
    ax = plots.matrix_product(
        torch.full((5, 3), 20.0), torch.ones(2, 3, requires_grad=True), [1.0, 2.0]
    )
    texts = [text.get_text() for text in ax.texts]
    assert texts.count('20') == 15
    assert texts.count('61') == texts.count('62') == 5
    assert [text for text in texts if text.startswith('(')] == [
        '(5, 3)',
        '(3, 2)',
        '(2,)',
        '(5, 2)',
    ]


def test_residuals():
    preds = TARGETS[:, 1].clone().requires_grad_()
    ax = plots.residuals(TARGETS[:, 0], preds, NAMES, 'tons')
    np.testing.assert_allclose(line(ax, 0)[1], TARGETS[:, 0])
    np.testing.assert_allclose(line(ax, 1)[1], TARGETS[:, 1])
    assert [entry.get_marker() for entry in ax.lines] == ['o', 'x']
    sticks = np.array(ax.collections[0].get_segments())[:, :, 1]
    np.testing.assert_allclose(
        np.ptp(sticks, axis=1), abs(preds.detach() - TARGETS[:, 0])
    )
    assert ax.get_ylabel() == 'tons'


def test_loss_scale():
    ax = plots.loss_scale({'bad': 1000.0, 'good': 0.5}, 'loss')
    assert ax.get_xscale() == 'log'
    assert line(ax)[0].tolist() == [1000, 0.5]
    assert [text.get_text() for text in ax.texts] == ['bad: 1,000', 'good: 0.50']


def test_parabola():
    x = np.linspace(-1, 3, 101)
    ax = plots.parabola(x, (x - 1) ** 2, (2, 1), 2, 'w')
    np.testing.assert_allclose(line(ax, 0), [x, (x - 1) ** 2])
    tangent = line(ax, 1)
    assert np.diff(tangent[1]) / np.diff(tangent[0]) == pytest.approx(2)
    assert tangent.mean(axis=1).tolist() == pytest.approx([2, 1])
    assert line(ax, 2).ravel().tolist() == [2, 1]
    assert line(ax, 3).ravel().tolist() == pytest.approx([1, 0])
    assert ax.get_xlabel() == 'w'


def test_step_sizes():
    rates = np.linspace(0, 1, 11)
    ax = plots.step_sizes(rates, (rates - 0.5) ** 2 + 1, 1.25 - rates)
    np.testing.assert_allclose(line(ax, 0), [rates, (rates - 0.5) ** 2 + 1])
    np.testing.assert_allclose(line(ax, 1), [rates, 1.25 - rates])


def test_loss_curves():
    band = [[0, 1, 2], [1, 1, 1], [3, 3, 3]]
    ax = plots.loss_curves(
        {'one': [3.0, 2.0, 1.0], 'two': ([5, 7], torch.tensor([9.0, 8.0]))},
        {'optimum': 0.5},
        band=band,
    )
    assert ax.get_yscale() == 'log'
    assert line(ax, 0).tolist() == [[0, 1, 2], [3, 2, 1]]
    assert line(ax, 1).tolist() == [[5, 7], [9, 8]]
    assert line(ax, 2)[1].tolist() == [0.5, 0.5]
    assert [text.get_text() for text in ax.texts] == ['optimum', 'one', 'two']
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == (1, 3)


def test_predicted_and_measured():
    ax = plots.predicted_and_measured(TARGETS, TARGETS + 1, 'tons')
    assert len(set(line(ax, 0)[0] - line(ax, 0)[1])) == 1
    np.testing.assert_allclose(line(ax, 1)[0], TARGETS.ravel())
    np.testing.assert_allclose(line(ax, 1)[1], TARGETS.ravel() + 1)
    assert ax.get_xlabel() == 'target (tons)'
    assert ax.get_ylabel() == 'prediction (tons)'


def regions_line():
    """Apples over rain: the data, a grid, its losses by loops, and least squares."""
    _, inputs, targets = read_csv(
        REGIONS_CSV,
        label='region',
        inputs=['temp_F', 'rainfall_mm', 'humidity_pct'],
        targets=['apples_ton', 'oranges_ton'],
    )
    rain, apples = inputs[:, 1].astype(float), targets[:, 0].astype(float)
    slopes, biases = np.linspace(0, 1.6, 81), np.linspace(-40, 10, 101)
    losses = [
        [np.mean((slope * rain + bias - apples) ** 2) for slope in slopes]
        for bias in biases
    ]
    columns = np.column_stack([rain, np.ones(5)])
    best = np.linalg.lstsq(columns, apples, rcond=None)[0]
    return rain, apples, slopes, biases, losses, best


def test_the_lowest_point_of_a_drawn_surface_is_least_squares():
    _, _, slopes, biases, losses, best = regions_line()
    path = np.array([[0, 0], [1, -10]])
    ax = plots.loss_surface(slopes, biases, losses, ['slope', 'bias'], path)
    lowest, walked, end = (np.array(entry.get_data()) for entry in ax.lines)
    assert abs(lowest[0, 0] - best[0]) < 0.025
    assert abs(lowest[1, 0] - best[1]) < 1
    innermost = ax.collections[0].get_paths()[0].vertices
    middle = (innermost.min(axis=0) + innermost.max(axis=0)) / 2
    np.testing.assert_allclose(middle / best, 1, atol=0.05)
    np.testing.assert_allclose(walked, path.T)
    assert end.ravel().tolist() == [1, -10]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ('slope', 'bias')
    *_, scale = ax.figure.axes
    assert scale.get_ylabel() == 'loss (MSE, tons²)'
    ends = np.min(losses), np.max(losses)
    assert scale.get_yticks()[[0, -1]] == pytest.approx(ends)


def moving_line():
    rain, apples, slopes, biases, losses, best = regions_line()
    path = np.array([[0, 0], [0.5, 2], best])
    surface = slopes, biases, losses, ['slope', 'bias']
    axes = plt.subplots(1, 2, figsize=(4, 2))[1]
    return axes, path, rain, plots.settling_line(rain, apples, path, surface, axes)


def test_settling_line_draws_the_line_of_the_point():
    axes, path, rain, move = moving_line()
    for step in (2, 0, 1):
        drawn, walked, point = (np.array(artist.get_data()) for artist in move(step))
        slope, height = path[step]
        np.testing.assert_allclose(drawn, [[0, max(rain)], slope * drawn[0] + height])
        np.testing.assert_allclose(walked, path[: step + 1].T)
        np.testing.assert_allclose(point.ravel(), path[step])
        low, high = axes[0].get_ylim()
        assert low <= drawn[1].min() <= drawn[1].max() <= high


def test_movie_plays_every_frame_once_and_rests_on_the_last():
    axes, *_, move = moving_line()
    picture = plots.movie(axes, [move], [0, 1, 2], 'A line settles into the data.')
    assert not plt.get_fignums()
    png = Image.open(io.BytesIO(base64.b64decode(picture.png)))
    assert (png.format, png.is_animated, png.n_frames) == ('PNG', True, 4)
    assert png.info['loop'] == 1
    assert png.default_image
    frames = []
    for index in range(4):
        png.seek(index)
        frames.append(np.array(png.convert('RGB')))
    assert np.array_equal(frames[0], frames[3]), 'The still picture is the last frame.'
    assert not np.array_equal(frames[1], frames[2])
    assert not np.array_equal(frames[2], frames[3])
    assert plots.movie(*moving_again(), 'again').png == picture.png


def moving_again():
    axes, *_, move = moving_line()
    return axes, [move], [0, 1, 2]


def test_residuals_and_predictions():
    targets, preds = TARGETS[:, 0], TARGETS[:, 1]
    ax = plots.residuals_and_predictions(targets, preds, 'tons')
    assert set(line(ax, 0)[1]) == {0}
    np.testing.assert_allclose(line(ax, 1)[0], preds)
    np.testing.assert_allclose(line(ax, 1)[1], targets - preds, atol=1e-7)
    assert ax.get_xlabel() == 'prediction (tons)'
    assert ax.get_ylabel() == 'target - prediction (tons)'


def test_epoch_costs():
    curves = {'slow': [(10, 40), (100, 50)], 'fast': [(10, 4), (100, 5), (1000, 6)]}
    ax = plots.epoch_costs(curves)
    assert np.array_equal(line(ax), [[10, 100], [40, 50]])
    assert np.array_equal(line(ax, 1), [[10, 100, 1000], [4, 5, 6]])
    assert ax.get_xscale() == ax.get_yscale() == 'log'
    assert ax.get_xlabel() == 'rows'
    assert {text.get_text() for text in ax.texts} == {'slow', 'fast'}
    styles = {(one.get_color(), one.get_marker()) for one in ax.lines[:2]}
    assert len(styles) == 2
    with pytest.raises(ValueError, match='6 curves'):
        plots.epoch_costs(dict.fromkeys('abcdef', [(1, 1)]))
    with pytest.raises(ValueError, match='5 curves'):
        plots.loss_curves(dict.fromkeys('abcde', [2, 1]))


def test_functions_draw_on_the_axes_that_they_are_given():
    ax = plt.subplots()[1]
    assert plots.residuals([1, 2], [1, 3], ['a', 'b'], 'tons', ax=ax) is ax
    assert plots.loss_curves({'a': [2, 1]}, ax=ax) is ax
    assert plots.predicted_and_measured([1, 2], [1, 3], 'tons', ax=ax) is ax


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: plots.residuals([1, 2], [1, 2, 3], ['a', 'b'], 'y'), ['(2)', '(3,)']),
        (lambda: plots.residuals([1, 2], [[1, 2]], ['a', 'b'], 'y'), ['(2)', '(1, 2)']),
        (
            lambda: plots.plane(torch.ones(5, 2), (1, 2, 3), 'xyz', NAMES),
            ['(5, 3)', '(5, 2)'],
        ),
        (
            lambda: plots.plane(torch.ones(5, 3), (1, 2), 'xyz', NAMES),
            ['(3)', '(2,)'],
        ),
        (lambda: plots.matrix_product(INPUTS, TARGETS, [1, 2]), ['any, 3', '(5, 2)']),
        (lambda: plots.parabola([1, 2], [1], (0, 0), 1, 'w'), ['(2)', '(1,)']),
        (lambda: plots.step_sizes([1, 2], [1, 2], [1]), ['(2)', '(1,)']),
        (
            lambda: plots.predicted_and_measured(TARGETS, INPUTS, 't'),
            ['5, 2', '(5, 3)'],
        ),
        (
            lambda: plots.features_and_targets(INPUTS, TARGETS, 'tr', 'ab', NAMES),
            ['5, 2', '(5, 3)'],
        ),
        (
            lambda: plots.loss_surface([1, 2], [1, 2, 3], np.ones((2, 3)), 'ab'),
            ['losses', '(3, 2)', '(2, 3)'],
        ),
        (
            lambda: plots.residuals_and_predictions([1, 2], [[1], [2]], 't'),
            ['(2)', '(2, 1)'],
        ),
        (lambda: plots.loss_curves({'a': [1, float('nan')]}), ['a (2,)', 'finite']),
        (lambda: plots.loss_curves({'a': [1, 0]}), ['a (2,)', 'over 0']),
        (lambda: plots.epoch_costs({'a': [1, 2]}), ['any, 2', '(2,)']),
        (lambda: plots.epoch_costs({'a': [(1, 0)]}), ['a (1, 2)', 'over 0']),
        (lambda: plots.loss_scale({'a': float('inf')}, 'loss'), ['(1,)', 'finite']),
    ],
)
def test_wrong_values_are_refused_by_name(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are checked below)
        call()
    for word in words:
        assert word in str(caught.value)


def test_show_gives_a_described_picture_and_closes_the_figure():
    ax = plt.subplots()[1]
    picture = plots.show(ax, 'A line chart of "a" & b.')
    assert not plt.get_fignums()
    bundle = picture._repr_mimebundle_()
    assert bundle['text/plain'] == repr(picture) == 'A line chart of "a" & b.'
    assert 'alt="A line chart of &quot;a&quot; &amp; b."' in bundle['text/html']
    assert base64.b64decode(bundle['image/png']).startswith(b'\x89PNG')
    assert re.search('base64,([^"]+)', bundle['text/html'])[1] == bundle['image/png']


def test_show_wants_a_description():
    with pytest.raises(ValueError, match='needs a description'):
        plots.show(plt.subplots()[1], ' ')
