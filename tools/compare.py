"""Whether two runs of a cell agree: in words exactly, in numbers and pictures nearly.

Processors add in different orders, so the last digits of a result differ between honest
machines. `close` allows what float32 cannot hold; how its limits were chosen stands in
tests/test_compare.py, as a table of cases.
"""

import base64
import hashlib
import io
import re

import numpy as np
from PIL import Image, ImageSequence, ImageStat
from series import is_machine_fact

# 1,234.5  -0.39  1e-05  5.  but not the 32 of float32 nor the 11 of w11
NUMBER = re.compile(
    r'(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w])'
)
SCRIPT = re.compile(r'<(script|style)>(.*?)</\1>', re.DOTALL)
PAGE_PICTURE = re.compile('data:image/png;base64,([A-Za-z0-9+/=]+)')
WIDTH = re.compile(r' width="\d+"')  # of such a picture, whose pixels are compared
# Root mean square difference of the colour values, 0 to 255, that two pictures of one
# figure may have: other builds of the font library smooth text differently.
TOLERANCE = 2.0


def close(old, new):
    """Whether two printed numbers agree.

    They may differ by one unit of the last printed digit, where that is at most 1e-4 of
    their size, or by 2e-6 of their size.
    """
    a, b = value(old), value(new)
    mantissa, _, power = old.lower().replace(',', '').partition('e')
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition('.')[2]))
    gap, size = abs(a - b), max(abs(a), abs(b))
    return gap <= min(1.001 * unit, 1e-4 * size) or gap <= 2e-6 * size


def value(number):
    """The value of a number as it is printed."""
    return float(number.replace(',', ''))


def moved(old, new):
    """What differs between two texts: a line for each number, or one for the words."""
    if words(old) != words(new):
        return [f'the words differ:\n{old.rstrip()}\nbecame\n{new.rstrip()}']
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return [f'{a} became {b}' for a, b in pairs if a != b and not close(a, b)]


def words(text):
    """A text without its numbers, and without the spaces that line them up."""
    return re.sub('[ \t]+', ' ', NUMBER.sub('#', text)).replace('[ ', '[')


def cell_differences(cell, outputs, pixels=True):
    """What differs between a committed cell and its outputs in another run.

    Facts of the machine say the same words with other numbers. What those are is for
    the committed ones alone to satisfy (`claim_holds`): no clock fails a run.
    Without `pixels` a picture need only be there: each matplotlib sets its own text.
    """
    if kinds(cell.outputs) != kinds(outputs):
        return [f'outputs of the kinds {kinds(cell.outputs)} became {kinds(outputs)}']
    of_machine, found = is_machine_fact(cell), []
    for old, new in zip(cell.outputs, outputs, strict=True):
        for text, other in zip(texts(old), texts(new), strict=True):
            if not of_machine or words(text) != words(other):
                found += moved(text, other)
        if pixels and not of_machine:
            for picture, other in zip(pictures(old), pictures(new), strict=False):
                found += picture_moved(picture, other)
    return list(dict.fromkeys(found))


def claim_holds(cell, outputs):
    """Whether the numbers that a fact of the machine prints satisfy its claim.

    That is an expression of the `numbers`, in the cell's metadata.
    """
    shown = ' '.join(text for output in outputs for text in texts(output))
    numbers = [value(number) for number in NUMBER.findall(shown)]
    return bool(eval(cell.metadata.get('claim', 'True'), {'numbers': numbers}))


def kinds(outputs):
    """What sorts of output a cell has, in order, without their content."""
    return [
        (output.output_type, output.get('name'), sorted(output.get('data', {})))
        for output in outputs
    ]


def texts(output):
    """Every text of an output: printed, shown in a page, or an error's."""
    found = [output.get('text', ''), output.get('ename', ''), output.get('evalue', '')]
    for kind, text in sorted(output.get('data', {}).items()):
        if isinstance(text, str) and not kind.startswith('image/'):
            text = SCRIPT.sub(script_name, PAGE_PICTURE.sub('(a picture)', text))
            found.append(WIDTH.sub('', text))
    return found


def script_name(found):
    """What stands for a script or a style, compared whole: too long to be shown."""
    return f'(the {found[1]} s{hashlib.sha256(found[2].encode()).hexdigest()[:12]})'


def pictures(output):
    """Each picture of an output, once as image and once as it stands in the page."""
    data = output.get('data', {})
    page = PAGE_PICTURE.findall(data.get('text/html', ''))
    return [base64.b64decode(p) for p in [data.get('image/png', ''), *page] if p]


def frames(picture):
    """All frames of a picture, (n, height, width, 3) with values from 0 to 255."""
    images = ImageSequence.Iterator(Image.open(io.BytesIO(picture)))
    return np.stack([np.asarray(image.convert('RGB'), float) for image in images])


def picture_moved(old, new):
    """In what two pictures differ by more than the tolerance: one line or none."""
    if old == new:
        return []
    first, second = frames(old), frames(new)
    if first.shape != second.shape:
        sizes = f'{first.shape[:3]} became {second.shape[:3]}'
        return [f'the size of the picture differs: {sizes} (frames, height, width)']
    worst = ((first - second) ** 2).mean(axis=(1, 2, 3)).max() ** 0.5
    return [f'the picture differs by {worst:.1f} of 255'] if worst > TOLERANCE else []


def is_blank(picture):
    """Whether a picture is nearly all of one colour in one of its frames."""
    images = ImageSequence.Iterator(Image.open(io.BytesIO(picture)))
    spreads = [ImageStat.Stat(image.convert('RGB')).stddev for image in images]
    return min(map(max, spreads)) < 4
