"""The figures of the series. Targets are circles, predictions are crosses.

Each function takes arrays or tensors, draws them in matplotlib's present style (the
series uses `plt.style.use('helpers.series')`), and returns the axes. A wrong shape or a
value that is not finite raises a `ValueError`.
"""

import base64
import html
import io
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm, to_hex
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter
from PIL import Image

BLUE, VERMILLION, INK, GREY = '#0072B2', '#D55E00', '#222222', '#767676'
TARGET = {'marker': 'o', 'mfc': 'none', 'mec': BLUE, 'mew': 1.8, 'ls': ''}
PRED = {'marker': 'x', 'mec': VERMILLION, 'mew': 2.2, 'ls': ''}
# For what is white, to be seen on every colour of a map.
OUTLINE = [withStroke(linewidth=3, foreground=INK)]
GUIDE = {'color': GREY, 'lw': 1.5}
# A legend on a line with the title, which stands at the left.
ABOVE = {'loc': 'lower right', 'bbox_to_anchor': (1, 0.98), 'borderpad': 0, 'ncols': 2}
# Words in the colour of their line: darker, to be read on white (5 to 1).
WORDS = {'#d55e00': '#A84900', '#009e73': '#007556', '#e69f00': '#8A5F00'}
# Enough colours for a figure, in half the bytes; small areas keep theirs.
PALETTE = {'colors': 64, 'method': Image.Quantize.MAXCOVERAGE, 'kmeans': 1}
DPI, MOVING_DPI = 200, 160  # of a picture that stands still, and one that moves
MILLISECONDS = 240  # for each frame of a moving picture


class Picture:
    """A figure with its description, in the forms that different readers need.

    A notebook page gets an image with alt text, a page without HTML the bare image, a
    terminal the description.
    """

    def __init__(self, png, alt, dpi):
        self.png, self.alt = base64.b64encode(png.getvalue()).decode(), alt
        width = round(Image.open(png).width * 100 / dpi)  # 100 CSS pixels an inch
        self.html = (
            f'<img src="data:image/png;base64,{self.png}" alt="{html.escape(alt)}" '
            f'width="{width}" style="max-width: 100%; height: auto; background: white">'
        )

    def __repr__(self):
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/html': self.html, 'image/png': self.png, 'text/plain': self.alt}


def show(ax, alt):
    """Show the figure that holds `ax`, described in words by `alt`, and close it.

    Raises:
        ValueError: no description, a figure that was shown before, or an axis with
            numbers and no label.
    """
    figure, png = unshown(ax, alt), io.BytesIO()
    for text in figure.findobj(Text):
        text.set_color(WORDS.get(to_hex(text.get_color()), text.get_color()))
    figure.savefig(png, dpi=DPI, bbox_inches='tight')
    plt.close(figure)
    image = Image.open(png).convert('RGB').quantize(**PALETTE)
    image.save(png := io.BytesIO(), 'PNG', optimize=True)
    return Picture(png, alt, DPI)


def unshown(ax, alt):
    """The figure of `ax`: described, still open, a label where an axis has numbers."""
    if not alt.strip():
        raise ValueError('A figure needs a description: show(ax, "Line chart: ...").')
    figure = np.ravel(ax)[0].figure
    if getattr(figure, 'number', None) not in plt.get_fignums():
        raise ValueError('This figure has been shown already: draw a new one.')
    drawn = [ax for ax in figure.axes if ax.axison]
    for axis in [axis for ax in drawn for axis in (ax.xaxis, ax.yaxis)]:
        numbers = isinstance(axis.get_major_formatter(), ScalarFormatter | LogFormatter)
        seen = any(tick.get_visible() for tick in axis.get_ticklabels())
        if numbers and seen and not axis.get_label_text():
            said = f'{axis.axis_name} axis shows numbers, but not of what: add a label'
            raise ValueError(f"The {said}, ax.set({axis.axis_name}label='… (unit)').")
    return figure


def movie(ax, moves, frames, alt):
    """Show the figure that holds `ax` as a moving picture that plays once, then rests.

    Args:
        moves: functions that change what is drawn to a frame.
        frames: what to call them with. What cannot animate shows the last one.
        alt: the description in words.

    Raises:
        ValueError: as `show` does.
    """
    figure, images, png = unshown(ax, alt), [], io.BytesIO()
    figure.set_dpi(MOVING_DPI)
    for frame in frames:
        for move in moves:
            move(frame)
        figure.canvas.draw()
        rgb = np.array(figure.canvas.buffer_rgba())[..., :3]
        images.append(Image.fromarray(rgb))
    plt.close(figure)
    last = images[-1].quantize(**PALETTE)
    images = [np.array(image.quantize(palette=last, dither=0)) for image in images]
    same = len(last.getpalette()) // 3  # one colour more: what was there before
    changes = [images[0]]
    for before, after in zip(images, images[1:], strict=False):
        changes.append(np.where(before != after, after, same).astype(np.uint8))
    first, *others = map(Image.fromarray, [images[-1], *changes])
    for image in [first, *others]:
        image.putpalette([*last.getpalette(), 0, 0, 0])
        image.info['transparency'] = same
    options = {'default_image': True, 'loop': 1, 'blend': 1, 'duration': MILLISECONDS}
    first.save(png, 'PNG', save_all=True, append_images=others, **options)
    return Picture(png, alt, MOVING_DPI)


def loss_curves(curves, levels=None, xlabel='epoch', band=None, ax=None, places=None):
    """Losses on a logarithmic axis, each curve and level with its label.

    Args:
        curves: a dict of label: losses (n,), counted from 0, or (x, losses).
        levels: a dict of label: one loss, drawn as a horizontal line.
        band: (3, n), the x, the lower and the upper edge of an area to shade.
        places: a dict of label: (x, y). The others stand outside, where a curve ends.
    """
    ax, ends = ax or _axes(), []
    for label, curve in curves.items():
        x, y = curve if isinstance(curve, tuple) else (range(len(curve)), curve)
        y = _array(label, y, (None,), positive=True)
        (line,) = ax.plot(_array(f'x of {label}', x, y.shape), y, label=label)
        ends.append((y[-1], label, line.get_color()))
    if band is not None:
        x, lower, upper = _array('band', band, (3, None))
        ax.fill_between(x, lower, upper, color=GREY, alpha=0.2, lw=0)
    for label, level in (levels or {}).items():
        ax.axhline(level, ls=':', label=label, **GUIDE)
        ends.append((level, label, INK))
    ax.set(yscale='log', xlabel=xlabel, ylabel='loss (MSE, tons²)')
    lowest = -np.inf
    for value, label, color in sorted(ends):
        if label in (places or {}):
            ax.text(*places[label], label, color=color)
            continue
        at = ax.transData.transform((1, value))
        lowest = max(ax.transAxes.inverted().transform(at)[1], lowest + 0.065)
        ax.text(1.02, lowest, label, color=color, va='center', transform=ax.transAxes)
    return ax


def loss_surface(x, y, losses, names, path=None, ax=None):
    """Contours of a loss over two parameters, with its lowest point as a square.

    Args:
        x, y: (n,) and (m,), the values of the two parameters.
        losses: (m, n), the loss for each pair: a row for each y, a column for each x.
        names: the names of the two parameters.
        path: (k, 2), the points (x, y) of a descent; its last one is a cross.
        ax: where to draw. Without it, on a new figure with a scale of the losses.
    """
    x, y = _array('x', x, (None,)), _array('y', y, (None,))
    losses = _array('losses', losses, (len(y), len(x)), positive=True)
    scale, ax = ax is None, ax or _axes()
    levels = np.geomspace(losses.min(), losses.max(), 10)
    areas = ax.contourf(x, y, losses, levels, norm=LogNorm())
    if scale:
        bar = ax.figure.colorbar(areas, ticks=levels[::3], format='{x:,.0f}')
        bar.set_label('loss (MSE, tons²)')
        bar.minorticks_off()
    row, column = np.unravel_index(losses.argmin(), losses.shape)
    white = {'color': 'white', 'path_effects': OUTLINE}
    ax.plot(x[column], y[row], 's', ms=11, mfc='none', mew=2, **white)
    if path is not None:
        path = _array('path', path, (None, 2)).T
        ax.plot(*path, '.-', lw=1, ms=5, **white)
        ax.plot(*path[:, -1], **PRED)
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def settling_line(x, targets, path, surface, axes):
    """Draw a line through data, and its point on the loss: return what moves both.

    Args:
        x, targets: (n,) each, drawn on the first of the two axes.
        path: (k, 2), slope and height of the line for each step.
        surface: the first four arguments of `loss_surface`, for the second.

    Returns:
        A function that takes a step and puts line and point there.
    """
    x, targets = _arrays((None,), x=x, targets=targets)
    path = _array('path', path, (None, 2))
    ends = np.array([min(x.min(), 0), x.max()])
    heights = path[:, :1] * ends + path[:, 1:]
    tall = np.concatenate([targets, heights.ravel()])
    margin = 0.05 * np.ptp(tall)
    axes[0].plot(x, targets, **TARGET)
    (line,) = axes[0].plot(ends, heights[-1], '-', color=VERMILLION)
    axes[0].set_ylim(tall.min() - margin, tall.max() + margin)
    *_, walked, point = loss_surface(*surface, path, axes[1]).lines

    def move(step):
        line.set_ydata(heights[step])
        walked.set_data(*path[: step + 1].T)
        point.set_data(*path[step : step + 1].T)

    return move


def predicted_and_measured(targets, preds, unit, ax=None):
    """Predictions over targets, (n,) or (n, m) each; on the diagonal both are equal."""
    targets, preds = _arrays(np.shape(targets), targets=targets, preds=preds)
    ends = [min(targets.min(), preds.min()), max(targets.max(), preds.max())]
    ax = ax or _axes()
    ax.plot(ends, ends, '--', **GUIDE)
    ax.plot(targets.ravel(), preds.ravel(), **PRED)
    ax.set(xlabel=f'target ({unit})', ylabel=f'prediction ({unit})', aspect='equal')
    return ax


def squared_errors(targets, preds, names, title, ax):
    """Targets (n,), predictions (n,), and the square of each difference, to scale."""
    targets, preds = _arrays((len(names),), targets=targets, preds=preds)
    apart = 420  # tons, as wide as the largest square of the first panel and a gap
    places = apart * np.arange(len(names))
    for place, target, pred in zip(places, targets, preds, strict=True):
        side = abs(pred - target)
        corner = place, min(pred, target)
        ax.add_patch(plt.Rectangle(corner, side, side, color=VERMILLION, alpha=0.25))
    ax.plot(places, targets, **TARGET | {'ms': 5, 'mew': 1.3}, label='target')
    ax.plot(places, preds, **PRED | {'ms': 5, 'mew': 1.5}, label='prediction')
    if ax.get_subplotspec().is_first_row():
        ax.legend(**ABOVE)
    ax.set_xticks(places, names)
    ax.set(xlim=(-apart / 5, places[-1] + apart), ylim=(-30, 500), aspect='equal')
    ax.set_ylabel('apples (tons)')
    ax.set_title(title, loc='left')
    return ax


def named_points(x, y, names, labels, wanted=None, lines=None):
    """A named target for each row, over one input: x, y (n,), n names.

    Args:
        labels: what the two axes show, with units.
        wanted: an x whose y is not known, drawn as a line with a question mark.
        lines: a dict of label: (slope, height at x = 0), drawn over the range of x and
            labelled at its right end.
    """
    x, y = _arrays((len(names),), x=x, y=y)
    ax = plt.subplots(figsize=(4.4, 3.3))[1]
    note = partial(ax.annotate, textcoords='offset points')
    for name, *point in zip(names, x, y, strict=True):
        side, shift = ('right', 6) if point[0] > x.mean() else ('left', -6)
        note(name, point, (shift, 8), ha=side)
    ends = np.array([x.min(), x.max()])
    for label, line in (lines or {}).items():
        slope, height = _array(label, line, (2,))
        (drawn,) = ax.plot(ends, slope * ends + height)
        right, shift = (ends[1], slope * ends[1] + height), -16 if slope < 0 else 8
        note(label, right, (0, shift), ha='right', color=drawn.get_color())
    ax.plot(x, y, **TARGET)
    ax.margins(0.12)
    if wanted is not None:
        ax.axvline(wanted, color=VERMILLION, ls='--')
        top, look = ax.get_ylim()[1], {'color': VERMILLION, 'va': 'top', 'size': 18}
        note('?', (wanted, top), (6, -4), **look)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    return ax


def targets_and_predictions(targets, preds, row_names, target_names):
    """Targets and predictions (n, m), a panel for each target, on one scale."""
    shape = len(row_names), len(target_names)
    targets, preds = _arrays(shape, targets=targets, preds=preds)
    shared = {'sharex': True, 'sharey': True, 'layout': 'constrained'}
    axes = plt.subplots(len(target_names), figsize=(4.4, 4.4), **shared)[1]
    places = range(len(row_names))
    for ax, *columns, name in zip(axes, targets.T, preds.T, target_names, strict=True):
        ax.vlines(places, *columns, color=GREY)
        ax.plot(places, columns[0], **TARGET, label='target')
        ax.plot(places, columns[1], **PRED, label='prediction')
        ax.set_xticks(places, row_names)
        ax.margins(0.12)
        ax.set_ylabel(name)
    axes[0].legend(**ABOVE)
    return axes


def _axes():
    return plt.subplots(layout='constrained')[1]


def _arrays(shape, **values):
    """The values as arrays that all have this shape (None: the first one's)."""
    found = []
    for name, value in values.items():
        found.append(_array(name, value, shape))
        shape = found[0].shape
    return found


def _array(name, value, shape, positive=False):
    """`value` as an array of this shape (None: any length), all finite."""
    if hasattr(value, 'detach'):
        value = value.detach().cpu()
    array = np.asarray(value, float)
    fits = [wanted in (None, n) for wanted, n in zip(shape, array.shape, strict=False)]
    if array.ndim != len(shape) or not all(fits):
        expected = ', '.join('any' if n is None else str(n) for n in shape)
        raise ValueError(f'{name}: expected shape ({expected}), found {array.shape}.')
    if not np.isfinite(array).all():
        raise ValueError(f'{name} {array.shape}: every value must be finite.')
    if positive and not (array > 0).all():
        raise ValueError(f'{name} {array.shape}: a log axis needs values over 0.')
    return array
