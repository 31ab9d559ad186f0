"""Facts: what a notebook says in numbers, bound to what its kernel holds.

The metadata of a cell may hold, invisible to a reader,

    facts         {text: expression}: what the cell says, and what gives it in the
                  kernel right after the cell: {"falls to 283.09": "losses[-1]"}
    facts_at_end  the same, evaluated after the last cell
    constants     the numbers that nothing computes: the article's data, a year, a name

A text with several numbers takes as many values ("252 steps instead of 2669": "a, b").
Where the expression is True or False, the text is a sentence that holds or does not.
"""

import ast
import json
import math
import re

SHOWS = ('show', 'movie', 'explore')  # their strings become descriptions of pictures
COUNTS = '- - two three four five six seven eight nine ten eleven twelve'.split()  # noqa: SIM905
SCALES = {'%': -2, 'hundred': 2, 'thousand': 3, 'million': 6, 'billion': 9}
NUMBER = re.compile(
    r'(?<![\w.])(?P<sign>[-−]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?'
    rf'(?:e(?P<power>[-+−]?\d+))?(?:\s?(?P<scale>{"|".join(SCALES)}))?(?!\w)'
    rf'|(?<![\w-])(?P<word>{"|".join(COUNTS[2:])})(?![\w-])',
    re.IGNORECASE,
)
# What states nothing: code blocks, the heads of exercises and solutions, tags, targets
# of links, names of files, and the numbers of notebooks.
SILENT = re.compile(
    '|'.join(
        [
            r'```.*?```',
            r'^### \d\.|<summary>.*?</summary>',
            r'</?[a-z][^>]*>|(?<=\])\([^)]*\)',
            r'\S+\.(?:ipynb|py|csv|md|yml|txt|pt)\b',
            r'(?<![.,\d])\b0\d\b(?!\.\d)|(?<=[Nn]otebook )\d\d\b',
            r'(?<=\[)\d\d(?= [^]]*\]\(\d\d-)',
        ]
    ),
    re.DOTALL | re.MULTILINE,
)
DUMPED = (
    "__import__('json').dumps([v if isinstance(v, bool) else float(v) for v in ({},)])"
)


def expressions(cell, key='facts'):
    """What to evaluate after a cell, ready for the kernel's `user_expressions`."""
    facts = cell.metadata.get(key, {})
    return {text: DUMPED.format(facts[text]) for text in facts}


def answers(content):
    """What a kernel's reply holds for each text: values, or the error in words."""
    return {
        text: json.loads(ast.literal_eval(found['data']['text/plain']))
        if found['status'] == 'ok'
        else f'{found["ename"]}: {found["evalue"]}'
        for text, found in content['user_expressions'].items()
    }


def problems(cell, found, key='facts'):
    """What a cell says that is not so: a line each.

    Args:
        found: what `answers` gave for the cell's expressions.
    """
    return [
        f'The text says {text!r}, but {expression} is {found[text]}.'
        for text, expression in cell.metadata.get(key, {}).items()
        if not says(text, found[text])
    ]


def unbound(cell):
    """What is amiss with a cell's facts before any is evaluated: a line each."""
    said, lines = statement(cell), []
    bound = cell.metadata.get('facts', {}) | cell.metadata.get('facts_at_end', {})
    constants = cell.metadata.get('constants', [])
    covered = [span for text in [*bound, *constants] for span in spans(text, said)]
    for text, expression in bound.items():
        if not re.search('[a-z]', expression.replace('True', ''), re.IGNORECASE):
            lines.append(f'{text!r}: {expression} asks nothing of the kernel.')
        if len(bound) > 1 and not re.search(r'[^\W\d_]', NUMBER.sub('', text)):
            lines.append(f'{text!r}: a fact needs the words beside its number.')
    for text in [*bound, *constants]:
        if not spans(text, said):
            kind = 'fact' if text in bound else 'constant'
            lines.append(f'{text!r} is a {kind}, but no longer in the text.')
    for number in NUMBER.finditer(said):
        if not any(a <= number.start() and number.end() <= b for a, b in covered):
            line = said[said.rfind('\n', 0, number.start()) + 1 :].partition('\n')[0]
            lines.append(
                f'{number[0]!r} is neither a fact nor a constant in: {line.strip()}\n'
                f'  "facts": {{"... {number[0]} ...": "an expression"}}, or\n'
                f'  "constants": ["{number[0]}"]'
            )
    return lines


def statement(cell):
    """What a cell states: its prose, or the descriptions of its pictures."""
    if cell.cell_type == 'markdown':
        return SILENT.sub(lambda silent: ' ' * len(silent[0]), cell.source)
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:  # as a magic has; test_form.py says what is wrong with it
        return ''
    return '\n'.join(
        part.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') in SHOWS
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def spans(text, said):
    """Where a text stands, not cut out of a longer word or number."""
    whole = rf'(?<![\w.,]){re.escape(text)}(?!\w|[.,]\d)'
    return [found.span() for found in re.finditer(whole, said)]


def says(text, values):
    """Whether a text holds these values, each rounded to the digits that it has.

    Words of an error are not as many values as a text has numbers.
    """
    if all(isinstance(value, bool) for value in values):
        return all(values)
    numbers = list(NUMBER.finditer(text))
    return len(numbers) == len(values) and all(map(rounded, numbers, values))


def rounded(number, value):
    """Whether a value lies within half a unit of a written number's last digit."""
    if number['word']:
        return value == COUNTS.index(number['word'].lower())
    whole, part = number['whole'].replace(',', ''), number['part'] or ''
    power = int((number['power'] or '0').replace('−', '-'))
    power += SCALES.get((number['scale'] or '').lower(), 0)
    written = float(f'{"-" * bool(number["sign"])}{whole}{part}e{power}')
    unit = 10.0 ** (power - max(len(part) - 1, 0))
    return math.isfinite(value) and (
        abs(value - written) <= 0.5001 * unit + 2e-6 * abs(written)
    )
