"""Explanations to touch: a picture, and on top of it what explore.js makes of its data.

Where scripts run, on the site and in a notebook that was run or is trusted, the picture
gives way to sliders and views that need no kernel and no network. Everywhere else it
stays, with its description.
"""

import html
import json
from pathlib import Path

from helpers.plots import show

NEEDS = {
    'line': 'title xname yname names label unit factor rest targets fixed count '
    'start low high rate loss task',
    'rate': 'title xname yname names x y weights start rate goals',
}
NEEDS['momentum'] = NEEDS['rate']


def carried(name):
    """A file beside this one, without its comments and indentation."""
    text = Path(__file__).with_name(name).read_text(encoding='utf-8')
    lines = map(str.strip, text.splitlines())
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
    picture, told = show(ax, alt), html.escape(as_json({'kind': kind} | data))
    picture.html = (
        f'<div class="explorer" data-explore="{told}">{picture.html}'
        f'<style>{carried("explore.css")}</style>'
        f'<script>{carried("explore.js")}</script></div>'
    )
    return picture


def as_json(data):
    """Texts as they are, finite numbers in the seven digits that float32 carries."""
    exact = json.dumps(data, default=lambda array: array.tolist(), allow_nan=False)
    data = json.loads(exact, parse_float=lambda digits: float(f'{float(digits):.7g}'))
    return json.dumps(data, ensure_ascii=False)
