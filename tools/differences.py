"""The page that a maintainer reads when outputs differ: build/differences.html."""

import base64
import difflib
import html
import io
import re
from itertools import zip_longest

import numpy as np
from compare import NUMBER, frames, moved, pictures, texts
from PIL import Image
from series import ROOT

PART = re.compile(rf'{NUMBER.pattern}|\s+|\w+|.')
PAIR = '<div class="pair"><div>{}</div><div>{}</div></div>'
PAGE = ROOT / 'build' / 'differences.html'
HEAD = """<!doctype html><meta charset="utf-8"><title>Differences</title>
<meta name="viewport" content="width=device-width"><style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em;
  padding: 0 1em } pre { background: #f3f3f3; overflow: auto; padding: .5em }
mark { background: #f9c77e } img { background: #fff; max-width: 100% }
.pair { display: grid; gap: 1em; grid-template-columns: 1fr 1fr }
@media (max-width: 40em) { .pair { grid-template-columns: 1fr } }
</style><h1>Outputs that differ</h1>
<p>Committed on the left, new on the right; what moved is marked.
If only last digits moved, round more; if the new outputs are right, <code>make
record</code> saves them and lists the sentences that no longer hold.</p>
"""


def write(sections):
    """The page with these sections, or no page where there are none."""
    PAGE.unlink(missing_ok=True)
    if sections:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(HEAD + '\n'.join(sections), encoding='utf-8')


def section(notebook, place, cell, outputs, found):
    """What differs between a committed cell and its outputs in another run."""
    lines = ''.join(f'<li>{html.escape(line.splitlines()[0])}' for line in found)
    title = html.escape(f'{notebook}, {place}')
    source = f'<details><summary>code</summary><pre>{html.escape(cell.source)}</pre>'
    shown = [f'<h2>{title}</h2><ul>{lines}</ul>{source}</details>']
    for pair in unequal(texts, '', cell.outputs, outputs):
        shown.append(PAIR.format(*(f'<pre>{text}</pre>' for text in marked(*pair))))
    for pair in unequal(pictures, b'', cell.outputs, outputs):
        shown.append(PAIR.format(*map(image, pair)) + contrast(*pair))
    return '\n'.join(shown)


def unequal(parts, nothing, *runs):
    """The pairs that two runs' outputs make of such parts, where they differ."""
    old, new = ([part for output in run for part in parts(output)] for run in runs)
    pairs = dict.fromkeys(zip_longest(old, new, fillvalue=nothing))
    return [pair for pair in pairs if pair[0] != pair[1]]


def marked(old, new):
    """Two texts as HTML: numbers that moved and words that changed are marked."""
    parts = [PART.findall(text) for text in (old, new)]
    alike = [[NUMBER.sub('#', part) for part in side] for side in parts]
    sides = ['', '']
    for kind, *ends in difflib.SequenceMatcher(None, *alike, False).get_opcodes():
        spans = parts[0][slice(*ends[:2])], parts[1][slice(*ends[2:])]
        for pair in zip_longest(*spans, fillvalue=''):
            mark = '<mark>{}</mark>' if kind != 'equal' or moved(*pair) else '{}'
            for side, text in enumerate(pair):
                sides[side] += text and mark.format(html.escape(text))
    return sides


def image(content):
    code = base64.b64encode(content).decode()
    return f'<img src="data:image/png;base64,{code}" alt="">' if code else 'no picture'


def contrast(old, new):
    """Where two pictures differ: the darker, the more; of several frames the worst."""
    if not (old and new) or (a := frames(old)).shape != (b := frames(new)).shape:
        return ''
    gap = np.abs(a - b).max(axis=-1)
    worst = gap[gap.mean(axis=(1, 2)).argmax()]
    darker, content = 255 - np.minimum(4 * worst, 255).astype('uint8'), io.BytesIO()
    Image.fromarray(darker).save(content, 'PNG')
    return f'<p>Where they differ, four times as strong:</p>{image(content.getvalue())}'
