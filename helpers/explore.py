"""Explanations to touch: a picture, and on top of it what explore.js makes of its data.

Where scripts run, on the site and in a notebook that was run or is trusted, the picture
gives way to sliders and views that need no kernel and no network. Everywhere else it
stays, with its description.
"""

import json
from pathlib import Path

import numpy as np

from helpers.plots import Picture, show

SCRIPT = Path(__file__).with_name('explore.js')
NEEDS = {
    'line': 'title xname yname names label unit factor rest targets fixed count '
    'start low high rate',
    'rate': 'title xname yname names x y start rate goals',
}
NEEDS['momentum'] = NEEDS['rate']


class Explorer(Picture):
    """A picture with the data and the script that bring it to life."""

    def __init__(self, picture, data):
        vars(self).update(vars(picture))
        # In an attribute with single quotes, which JSON has no need of.
        text = json.dumps(data, ensure_ascii=False)
        for sign, code in (('&', '&amp;'), ("'", '&#39;'), ('<', '&lt;')):
            text = text.replace(sign, code)
        self.data = text

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = super()._repr_mimebundle_()
        bundle['text/html'] = (
            f'<div class="explorer" data-explore=\'{self.data}\'>{bundle["text/html"]}'
            f'<script>{script()}</script></div>'
        )
        return bundle


def script():
    """explore.js without its comments and indentation."""
    lines = map(str.strip, SCRIPT.read_text(encoding='utf-8').splitlines())
    return '\n'.join(line for line in lines if line and not line.startswith('//'))


def explore(kind, ax, alt, **data):
    """Show the figure that holds `ax`, described by `alt`, to be touched.

    Args:
        kind: 'line', one weight, its squared errors and the parabola of its loss;
            'rate', the learning rate, for the slope and height of a line; 'momentum',
            the same with a second slider and the error in each direction.
        data: what `NEEDS` lists for that kind: texts, numbers, arrays or tensors.
    """
    if missing := set(NEEDS[kind].split()) ^ set(data):
        raise ValueError(f'{kind} needs {NEEDS[kind]}: look at {sorted(missing)}.')
    data = {'kind': kind} | {name: _plain(value) for name, value in data.items()}
    return Explorer(show(ax, alt), data)


def _plain(value):
    """Texts as they are, numbers in the seven digits that float32 carries."""
    if isinstance(value, str):
        return value
    if hasattr(value, 'detach'):
        value = value.detach().cpu().numpy()
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value):
        return [_plain(each) for each in value]
    if not np.isfinite(value):
        raise ValueError(f'Every number must be finite, found {value}.')
    return float(f'{float(value):.7g}')
