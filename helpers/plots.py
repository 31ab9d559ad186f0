"""The figures of the series. Targets are circles, predictions are crosses.

Each function takes arrays or tensors, draws on `ax` or on axes of its own, and returns
the axes. A wrong shape or a value that is not finite raises a `ValueError`.
"""

import base64
import html
import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from PIL import Image

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
BLUE, ORANGE, VERMILLION, GREEN = '#0072B2', '#E69F00', '#D55E00', '#009E73'
GREY, INK = '#767676', '#222222'
STYLES = ((BLUE, '-'), (VERMILLION, '--'), (GREEN, '-.'), (ORANGE, ':'))
TARGET = {'marker': 'o', 'ms': 9, 'mfc': 'none', 'mec': BLUE, 'mew': 1.8, 'ls': ''}
PRED = {'marker': 'x', 'ms': 9, 'mec': VERMILLION, 'mew': 2.2, 'ls': ''}


class Picture:
    """A figure with its description, in the forms that different readers need.

    A notebook page gets an image with alt text, a page without HTML the bare image, a
    terminal and a screen reader the description.
    """

    def __init__(self, png, alt):
        self.png, self.alt = base64.b64encode(png).decode(), alt

    def __repr__(self):
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        image = (
            f'<img src="data:image/png;base64,{self.png}" alt="{html.escape(self.alt)}"'
            ' style="max-width: 100%; height: auto; background: white">'
        )
        return {'text/html': image, 'image/png': self.png, 'text/plain': self.alt}


def show(ax, alt):
    """Show the figure that holds `ax`, described in words by `alt`, and close it."""
    if not alt.strip():
        raise ValueError('A figure needs a description: show(ax, "Line chart: ...").')
    figure = np.ravel(ax)[0].figure
    png = io.BytesIO()
    figure.savefig(png, dpi=100, facecolor='white', bbox_inches='tight')
    plt.close(figure)
    return Picture(png.getvalue(), alt)


def movie(ax, moves, frames, alt):
    """Show the figure that holds `ax` as a moving picture that plays once, then rests.

    Args:
        moves: functions that change what is drawn to a frame and return what they drew.
        frames: what to call them with. What cannot animate shows the last one.
        alt: the description in words.
    """
    figure, images = np.ravel(ax)[0].figure, []
    figure.set(dpi=72, facecolor='white')
    canvas = figure.canvas
    canvas.draw()
    ground = canvas.copy_from_bbox(figure.bbox)
    for frame in frames:
        canvas.restore_region(ground)
        for artist in [artist for move in moves for artist in move(frame)]:
            artist.axes.draw_artist(artist)
        images.append(np.array(canvas.buffer_rgba()))
    plt.close(figure)
    changes = [images[0]]
    for before, after in zip(images, images[1:], strict=False):
        changed = (before != after).any(axis=2, keepdims=True)
        changes.append(np.where(changed, after, 0).astype(np.uint8))
    first, *others = map(Image.fromarray, [images[-1], *changes])
    png, options = io.BytesIO(), {'default_image': True, 'loop': 1, 'blend': 1}
    options |= {'duration': 240, 'compress_level': 9}
    first.save(png, 'PNG', save_all=True, append_images=others, **options)
    return Picture(png.getvalue(), alt)


def features_and_targets(inputs, targets, input_names, target_names, row_names):
    """Every target over every feature: inputs (n, k), targets (n, m), axes (k, m)."""
    inputs = _array('inputs', inputs, (len(row_names), len(input_names)))
    targets = _array('targets', targets, (len(row_names), len(target_names)))
    shape = inputs.shape[1], targets.shape[1]
    _, axes = plt.subplots(
        *shape, figsize=(6.4, 7.6), sharex='row', sharey=True, layout='constrained'
    )
    for feature, row in enumerate(np.reshape(axes, shape)):
        for target, ax in enumerate(row):
            x, y = inputs[:, feature], targets[:, target]
            ax.plot(x, y, **TARGET)
            for index, name in enumerate(row_names):
                above = 7 if index % 2 == 0 else -18
                ax.annotate(name, (x[index], y[index]), (0, above), **_CENTRED)
            ax.margins(0.2, 0.25)
            ax.set_xlabel(input_names[feature])
            ax.set_ylabel(target_names[target])
            ax.yaxis.set_tick_params(labelleft=True)
    return axes


def plane(points, coefficients, names, row_names, ax=None):
    """A plane z = a x + b y + c, and a stick from it to each named point.

    Args:
        points: (n, 3), the x, y, z of the data.
        coefficients: (3,), the plane's a, b, c.
        names: the labels of the three axes.
        row_names: n names, one for each point.
    """
    points = _array('points', points, (len(row_names), 3))
    a, b, c = _array('coefficients', coefficients, (3,))
    if ax is None:
        ax = plt.figure(figsize=(6.4, 5)).add_subplot(projection='3d')
    x, y, z = points.T
    low, high = points.min(axis=0), points.max(axis=0)
    grid = np.meshgrid(*np.linspace(low[:2], high[:2], 12).T)
    ax.plot_wireframe(*grid, a * grid[0] + b * grid[1] + c, color=GREY, lw=0.7)
    for (px, py, pz), name in zip(points, row_names, strict=True):
        foot = a * px + b * py + c
        ax.plot([px, px], [py, py], [foot, pz], color=VERMILLION, lw=2)
        side = 'right' if px > x.mean() else 'left'
        ax.text(px, py, pz, f'   {name}   ', ha=side, va='center')
    ax.plot(x, y, z, **TARGET)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_zlabel(names[2], labelpad=8)
    ax.view_init(elev=22, azim=-118)
    return ax


def matrix_product(inputs, w, b, ax=None):
    """The blocks of inputs @ w.t() + b with their shapes: (n, k), (m, k), (m,)."""
    inputs = _array('inputs', inputs, (None, None))
    w = _array('w', w, (None, inputs.shape[1]))
    b = _array('b', b, (w.shape[0],))
    n, m = len(inputs), len(b)
    blocks = [
        ('inputs', inputs, '@'),
        ('w.t()', w.T, '+'),
        (f'b, {n} times', np.tile(b, (n, 1)), '='),
        ('preds', inputs @ w.T + b, ''),
    ]
    ax = ax or _axes(figsize=(6, 2.9))
    left = 0.0
    for name, block, sign in blocks:
        rows, columns = block.shape
        copied = name.startswith('b,')
        for (row, column), value in np.ndenumerate(block):
            faint = copied and row > 0
            ax.add_patch(
                plt.Rectangle(
                    (left + column, -row),
                    *(1, -1),
                    fc='white' if faint else '#DCEBF5',
                    ec=GREY if faint else BLUE,
                    ls=':' if faint else '-',
                )
            )
            text = f'{value:.0f}' if abs(value) >= 10 else f'{value:.1f}'
            ax.text(left + column + 0.5, -row - 0.5, text, ha='center', va='center')
        middle = left + columns / 2
        ax.text(middle, 0.35, name, ha='center', family='monospace', weight='bold')
        shape = f'({m},)' if copied else f'({rows}, {columns})'
        ax.text(middle, -n - 0.75, shape, ha='center')
        ax.text(left + columns + 0.5, -n / 2, sign, ha='center', va='center', size=15)
        left += columns + 1
    ax.set(xlim=(-0.1, left - 0.9), ylim=(-n - 1, 1), aspect='equal')
    ax.axis('off')
    return ax


def residuals(targets, preds, names, ylabel, ax=None):
    """Targets (n,), predictions (n,) of one variable, and a stick between each pair."""
    targets = _array('targets', targets, (len(names),))
    preds = _array('preds', preds, targets.shape)
    ax = ax or _axes()
    ax.vlines(range(len(names)), targets, preds, color=GREY, lw=2)
    ax.plot(targets, **TARGET, label='target')
    ax.plot(preds, **PRED, label='prediction')
    ax.set_xticks(range(len(names)), names)
    ax.margins(0.12)
    ax.set_ylabel(ylabel)
    ax.legend(frameon=False, ncols=2, loc='lower right', bbox_to_anchor=(1, 1))
    return ax


def loss_scale(losses, xlabel, ax=None):
    """Named losses (a dict of label: positive number) on one logarithmic scale."""
    values = _array('losses', list(losses.values()), (None,), positive=True)
    ax = ax or _axes(figsize=(6.4, 3.2))
    rows = range(len(values))
    ax.plot(values, rows, 'o', color=BLUE, ms=9)
    for row, (label, value) in enumerate(losses.items()):
        text = f'{label}: {value:,.0f}' if value >= 10 else f'{label}: {value:.2f}'
        ax.annotate(text, (value, row), (0, 9), **_CENTRED)
    ax.set(xscale='log', yticks=[], xlabel=xlabel)
    ax.invert_yaxis()
    ax.margins(0.25, 0.2)
    ax.spines[['left', 'right', 'top']].set_visible(False)
    return ax


def parabola(weights, losses, at, slope, name, ax=None):
    """The loss over one weight with the tangent in one point.

    Args:
        weights, losses: (n,) each, the curve.
        at: the point, (weight, loss).
        slope: the derivative of the loss there.
        name: the weight's name, for the axis.
    """
    weights = _array('weights', weights, (None,))
    losses = _array('losses', losses, weights.shape)
    x, y = _array('at', at, (2,))
    ax = ax or _axes()
    ax.plot(weights, losses, color=BLUE, lw=2)
    reach = 0.22 * np.ptp(weights) * np.array([-1, 1])
    ax.plot(x + reach, y + slope * reach, color=VERMILLION, ls='--', lw=2)
    ax.plot(x, y, **PRED)
    side = 1 if slope > 0 else -1
    ax.annotate(
        f'slope {slope:,.1f}',
        (x, y),
        (-14 * side, 12),
        textcoords='offset points',
        ha='right' if side > 0 else 'left',
        color=VERMILLION,
    )
    lowest = np.argmin(losses)
    ax.plot(weights[lowest], losses[lowest], 's', color=GREEN, ms=8)
    ax.annotate('lowest loss', (weights[lowest], losses[lowest]), (0, 10), **_CENTRED)
    ax.set(xlabel=name, ylabel='loss (MSE, tons²)')
    ax.set_ylim(losses.min() - 0.15 * np.ptp(losses), losses.max())
    return ax


def step_sizes(rates, losses, promised, ax=None):
    """The loss after one step with each learning rate, and what the tangent promises.

    Args:
        rates, losses, promised: (n,) each, by rising learning rate from 0 on.
    """
    rates = _array('rates', rates, (None,))
    losses = _array('losses', losses, rates.shape)
    promised = _array('promised', promised, rates.shape)
    ax = ax or _axes()
    ax.plot(rates, losses, color=BLUE, lw=2)
    ax.plot(rates, promised, color=VERMILLION, ls='--', lw=2)
    ax.axhline(losses[0], color=GREY, ls=':')
    ax.annotate('loss before the step', (rates.mean(), losses[0]), (0, 6), **_CENTRED)
    lowest = np.argmin(losses)
    point = rates[lowest], losses[lowest]
    ax.annotate('true loss', point, (0, 10), color=BLUE, **_CENTRED)
    ax.text(0, 0, ' promised\n by the\n tangent', color=VERMILLION, va='bottom')
    ax.set(xlabel='learning rate', ylabel='loss after one step (MSE, tons²)')
    ax.set_ylim(0, 1.25 * losses[0])
    ax.set_xlim(0, rates[-1])
    ax.ticklabel_format(axis='x', style='sci', scilimits=(0, 0), useMathText=True)
    return ax


def loss_curves(curves, levels=None, xlabel='epoch', band=None, ax=None):
    """Losses on a logarithmic axis, each curve and level labelled where it ends.

    Args:
        curves: a dict of label: losses (n,), counted from 0, or (x, losses). At most
            four.
        levels: a dict of label: one loss, drawn as a horizontal line.
        band: (3, n), the x, the lower and the upper edge of an area to shade.
    """
    ax = ax or _axes()
    ends = []
    for label, curve, color, line in _styled(curves):
        x, y = curve if isinstance(curve, tuple) else (np.arange(len(curve)), curve)
        y = _array(label, y, (None,), positive=True)
        ax.plot(_array(f'x of {label}', x, y.shape), y, color=color, ls=line, lw=2)
        ends.append((y[-1], label, color))
    if band is not None:
        x, lower, upper = _array('band', band, (3, None))
        ax.fill_between(x, lower, upper, color=BLUE, alpha=0.15, lw=0)
    for label, level in (levels or {}).items():
        ax.axhline(level, color=GREY, ls=':')
        ends.append((level, label, INK))
    ax.set(yscale='log', xlabel=xlabel, ylabel='loss (MSE, tons²)')
    _label_ends(ax, ends)
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
    areas = ax.contourf(x, y, losses, levels, norm=LogNorm(), cmap='cividis')
    if scale:
        bar = ax.figure.colorbar(areas, ticks=levels[::3], format='{x:,.0f}')
        bar.set_label('loss (MSE, tons²)')
        bar.minorticks_off()
    row, column = np.unravel_index(losses.argmin(), losses.shape)
    ax.plot(x[column], y[row], 's', ms=11, mfc='none', mec='white', mew=2)
    if path is not None:
        path = _array('path', path, (None, 2)).T
        ax.plot(*path, '.-', color='white', lw=1, ms=5)
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
        A function that takes a step, puts line and point there and returns them.
    """
    x, path = _array('x', x, (None,)), _array('path', path, (None, 2))
    targets = _array('targets', targets, x.shape)
    axes[0].plot(x, targets, **TARGET)
    ends = np.array([min(x.min(), 0), x.max()])
    heights = path[:, :1] * ends + path[:, 1:]
    (line,) = axes[0].plot(ends, heights[-1], color=VERMILLION, lw=2)
    tall = np.concatenate([targets, heights.ravel()])
    axes[0].set_ylim(tall.min() - 0.05 * np.ptp(tall), tall.max() + 0.05 * np.ptp(tall))
    *_, walked, point = loss_surface(*surface, path, axes[1]).lines
    for artist in (moving := (line, walked, point)):
        artist.set_animated(True)

    def move(step):
        line.set_ydata(heights[step])
        walked.set_data(*path[: step + 1].T)
        point.set_data(*path[step : step + 1].T)
        return moving

    return move


def residuals_and_predictions(targets, preds, unit, ax=None):
    """What the predictions (n,) lack to the targets (n,), over the predictions."""
    targets = _array('targets', targets, (None,))
    preds = _array('preds', preds, targets.shape)
    ax = ax or _axes()
    ax.axhline(0, color=GREY, ls='--')
    ax.plot(preds, targets - preds, 'D', color=BLUE, ms=5, alpha=0.7)
    ax.set(xlabel=f'prediction ({unit})', ylabel=f'target - prediction ({unit})')
    return ax


def predicted_and_measured(targets, preds, unit, ax=None):
    """Predictions over targets, (n,) or (n, m) each; on the diagonal both are equal."""
    targets = _array('targets', targets)
    preds = _array('preds', preds, targets.shape).ravel()
    targets = targets.ravel()
    ax = ax or _axes(figsize=(4.6, 4.4))
    ends = [min(targets.min(), preds.min()), max(targets.max(), preds.max())]
    ax.plot(ends, ends, color=GREY, ls='--')
    ax.plot(targets, preds, **PRED)
    ax.set(xlabel=f'target ({unit})', ylabel=f'prediction ({unit})', aspect='equal')
    return ax


def epoch_costs(curves, ax=None):
    """Times of an epoch over the number of rows, each curve labelled where it ends.

    Args:
        curves: a dict of label: (n, 2), the rows and the time in multiples of the time
            that reading them takes. At most four.
    """
    ax = ax or _axes()
    ends = []
    for (label, curve, color, line), marker in zip(
        _styled(curves), 'sD^v', strict=False
    ):
        rows, times = _array(label, curve, (None, 2), positive=True).T
        ax.plot(rows, times, marker=marker, color=color, ls=line, lw=2)
        ends.append((rows[-1], times[-1], label, color))
    reach = max(rows for rows, *_ in ends)
    ax.axhline(1, color=GREY, ls=':')
    ax.set(xscale='log', yscale='log', xlabel='rows')
    ax.set_ylabel('time of an epoch / time of reading')
    _label_ends(ax, [(t, label, c) for rows, t, label, c in ends if rows == reach])
    for rows, time, label, color in ends:
        if rows < reach:
            ax.annotate(
                label,
                (rows, time),
                (8, 0),
                textcoords='offset points',
                color=color,
                va='center',
            )
    return ax


_CENTRED = {'textcoords': 'offset points', 'ha': 'center'}


def _styled(curves):
    """(label, curve, color, line style) for each item of `curves`, all different."""
    if len(curves) > len(STYLES):
        raise ValueError(f'{len(curves)} curves: there are styles for {len(STYLES)}.')
    styles = zip(curves.items(), STYLES, strict=False)
    return [(label, curve, *style) for (label, curve), style in styles]


def _label_ends(ax, ends):
    """Write (value, label, color) beside the right edge, at its height or above."""
    lowest = -np.inf
    for value, label, color in sorted(ends):
        _, height = ax.transAxes.inverted().transform(
            ax.transData.transform((1, value))
        )
        lowest = max(height, lowest + 0.065)
        ax.text(1.02, lowest, label, color=color, va='center', transform=ax.transAxes)


def _axes(figsize=(5.6, 3.8)):
    return plt.subplots(figsize=figsize)[1]


def _array(name, value, shape=None, positive=False):
    """`value` as an array of this shape (None: any), all finite."""
    if hasattr(value, 'detach'):
        value = value.detach().cpu()
    array = np.asarray(value, float)
    if shape is not None and (
        array.ndim != len(shape)
        or any(s not in (None, n) for s, n in zip(shape, array.shape, strict=True))
    ):
        expected = ', '.join('any' if s is None else str(s) for s in shape)
        raise ValueError(f'{name}: expected shape ({expected}), found {array.shape}.')
    if not np.isfinite(array).all():
        raise ValueError(f'{name} {array.shape}: every value must be finite.')
    if positive and not (array > 0).all():
        raise ValueError(f'{name} {array.shape}: a log axis needs values over 0.')
    return array
