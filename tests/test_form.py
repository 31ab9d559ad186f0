"""Every notebook has the form that CONTRIBUTING.md describes, and its prose is true.

None of these tests runs a notebook; they read what is committed.
"""

import ast
import base64
import io
import re

import pytest
from conftest import ROOT, printed, statements
from execute import MACHINE_FACT, machine_facts, source_digest
from PIL import Image

RECORD = 'Run `make record` and look at what changed.'
MACHINE = re.compile(
    r'(/(home|root|tmp|usr|Users)/|[A-Z]:\\|site-packages|\b0x[0-9a-f]{6,})'
)
FILLERS = re.compile(r'\b(simply|just|obviously|of course|easily|trivial\w*)\b', re.I)
NUMBER = re.compile(r'(?<![\w.,/-])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w/])')


def test_the_series_is_complete(series):
    numbers = [notebook.number for notebook in series]
    assert numbers == list(range(1, len(numbers) + 1)), 'A notebook is missing.'
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    for notebook in series:
        assert f'notebooks/{notebook.path.name}' in readme, 'Name it in README.md.'
        title = notebook.cells[0].source.splitlines()[0].removeprefix('# ')
        assert title in readme, f'README.md does not know the title "{title}".'
        minutes = re.search(r'about (\d+) minutes', notebook.cells[0].source)[1]
        row = rf'{re.escape(notebook.path.name)}\) \|[^|]+\| {minutes} \|'
        assert re.search(row, readme), f'README.md gives another time than {minutes}.'


def test_headings(notebook):
    levels = [
        len(line.split(' ')[0])
        for text in notebook.prose()
        for line in text.splitlines()
        if re.match(r'#+ ', line)
    ]
    assert levels[0] == 1, 'A notebook begins with its title.'
    assert levels.count(1) == 1, 'There is one title.'
    for before, after in zip(levels, levels[1:], strict=False):
        assert after <= before + 1, 'No heading level is skipped.'


def test_parts(notebook):
    head = notebook.cells[0].source
    for part in ('What you will do:', 'What you will learn:', 'Before you start:'):
        assert f'**{part}**' in head
    assert head.count('\n- ') == 3, 'Three things to learn.'
    assert re.search(r'about \d+ minutes', head)
    assert notebook.section('Common mistakes')
    assert notebook.number == 1 or notebook.section('Where we left off')
    tail = notebook.cells[-1].source
    assert tail.startswith('## What you learned')
    assert tail.split('\n\n')[1].count('- ') == 3, 'Three answers to the three points.'
    assert len(re.findall(r'\]\(http', tail)) <= 4, 'At most four links.'


def test_links_inside_the_series(notebook, series):
    for text in notebook.prose():
        for target in re.findall(r'\]\((?!http)([^)#]+)', text):
            assert (notebook.path.parent / target).exists(), f'{target} does not exist.'
    tail = notebook.cells[-1].source
    if notebook.number < len(series):
        following = series[notebook.number]
        title = following.cells[0].source.splitlines()[0].removeprefix('# ')
        link = f'[{following.number:02} {title}]({following.path.name})'
        assert f'Next: {link}.' in tail
    else:
        assert 'Next: [' not in tail, 'There is no next notebook.'


def test_cells_are_short_and_plain(notebook):
    for cell in notebook.code:
        assert len(cell.source.splitlines()) <= 15, f'Too long:\n{cell.source}'
        assert not re.search(r'^\s*[%!]', cell.source, re.M), 'No magics, no shell.'
        assert not cell.source.rstrip().endswith(';')
        assert 'NBVAL_' not in cell.source, 'Use a cell tag.'
    for text in notebook.prose():
        assert not (found := FILLERS.search(text)), f'Leave out "{found[0]}":\n{text}'


def test_cells_were_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in notebook.code]
    assert counts == list(range(1, len(counts) + 1)), RECORD


def test_no_output_is_missing(notebook):
    for cell in notebook.code:
        body = ast.parse(cell.source).body
        assert not speaks(body) or cell.outputs, f'No output: {RECORD}\n{cell.source}'


def speaks(body):
    """Whether these statements surely put something out."""
    ends_in_value = isinstance(body[-1], ast.Expr) and not isinstance(
        body[-1].value, (ast.Call, ast.Constant)
    )
    inner = [
        node for node in body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    calls = [
        node.func.id
        for statement in inner
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return ends_in_value or 'print' in calls or 'show' in calls


def test_outputs_hold_nothing_of_a_machine(notebook):
    assert set(notebook.node.metadata) == {'kernelspec', 'language_info'}
    assert 'version' not in notebook.node.metadata.language_info
    for cell in notebook.code:
        assert set(cell.metadata) <= {'tags', 'recorded_from'}, RECORD
        for output in cell.outputs:
            assert output.output_type != 'error', 'Catch the error and print it.'
            assert output.get('name') != 'stderr', f'A warning:\n{output.get("text")}'
            assert not any('widget' in kind for kind in output.get('data', {}))
        assert not (found := MACHINE.search(cell.source + printed(cell))), found[0]


def test_machine_facts_say_why_they_are_not_compared(notebook):
    for cell in notebook.code:
        tags = cell.metadata.get('tags', [])
        assert set(tags) <= {MACHINE_FACT, 'readme-picture', 'upload'}, tags
    for fact in machine_facts(notebook.node):
        assert fact.metadata.get('recorded_from') == source_digest(fact), (
            f'Changed after its output was recorded: `make record`.\n{fact.source}'
        )
        place = notebook.cells.index(fact)
        beside = ' '.join(c.source for c in notebook.cells[place - 1 : place + 2 : 2])
        assert 'not compared' in beside, f'Say why it is not compared:\n{fact.source}'
        assert 'machine' in beside, f'Say whose fact it is:\n{fact.source}'


def test_figures_are_described(notebook):
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        for output in cell.get('outputs', []):
            data = output.get('data', {})
            if 'image/png' in data:
                alt = re.search(r'<img [^>]*alt="([^"]+)"', data.get('text/html', ''))
                assert alt, 'Show a figure with helpers.plots.show(ax, description).'
                assert len(alt[1]) >= 40, f'Say more than "{alt[1]}".'
                assert after.source.startswith('The figure shows'), (
                    'The cell after a figure begins with "The figure shows".'
                )


def test_moving_pictures_are_small_and_come_to_rest(notebook):
    for cell in notebook.code:
        for output in cell.outputs:
            png = base64.b64decode(output.get('data', {}).get('image/png', ''))
            if b'acTL' in png:
                picture = Image.open(io.BytesIO(png))
                picture.seek(1)  # the first frame of the animation
                seconds = (picture.n_frames - 1) * picture.info['duration'] / 1000
                assert picture.info['loop'] == 1, 'It plays once, then it rests.'
                assert seconds <= 5, 'What moves for longer needs a pause button.'
                assert len(png) < 150_000, f'{len(png)} bytes: draw fewer frames.'


def test_recaps_retype_what_was_taught(notebook, series):
    taught = {
        ast.dump(statement)
        for earlier in series[: notebook.number - 1]
        for statement in statements(
            cell
            for cell in earlier.cells
            if cell not in earlier.section('Where we left off')
        )
    }
    recap = list(statements(notebook.section('Where we left off')))
    for statement in recap[:-1]:
        assert ast.dump(statement) in taught, (
            'This recap is not, word for word, what an earlier notebook teaches. '
            f'Change the one or the other:\n{ast.unparse(statement)}'
        )


def test_recaps_end_where_the_last_notebook_ended(notebook, series):
    recap = notebook.section('Where we left off')
    loss = re.search(r'loss: ([\d.]+)', printed(recap[-1])) if recap else None
    if loss is None:
        assert notebook.number <= 3, 'From 04 on, a recap ends by printing the loss.'
        return
    before = ' '.join(printed(cell) for cell in series[notebook.number - 2].code)
    assert loss[1] in before, f'No notebook before ended with the loss {loss[1]}.'


def test_numbers_in_the_prose_are_outputs(notebook):
    shown = ' '.join(printed(cell) + ' ' + cell.source for cell in notebook.code)
    known = [number.replace(',', '') for number in NUMBER.findall(shown)]
    known += [
        number.replace(',', '') for number in re.findall(r'\d[\d,]*\.?\d*', shown)
    ]
    for text in notebook.prose():
        text = re.sub(r'\[[^]]*\]\([^)]*\)|`[^`]*`', '', text)
        for line in text.splitlines():
            if line.startswith('|'):
                continue
            for number in NUMBER.findall(line):
                number = number.replace(',', '')
                assert is_shown(number, known), (
                    f'{number} stands in the prose, but in no output or code of this '
                    f'notebook. Print it, or mend the sentence:\n{line}'
                )


def is_shown(number, known):
    """Up to two digits count things; longer numbers must be shown, or rounded so."""
    digits = number.replace('.', '')
    if '.' not in number and 'e' not in number and len(digits) < 3:
        return True
    places = len(number.partition('.')[2])
    return any(
        float(other) == float(number)
        or other.startswith(number)
        or ('e' not in other and f'{float(other):.{places}f}' == number)
        for other in known
    )


@pytest.mark.parametrize(
    ('number', 'known', 'expected'),
    [
        ('215', ['214.93'], True),
        ('46194', ['46194.5'], True),
        ('46195', ['46193.5'], False),
        ('0.4831', ['0.4831'], True),
        ('0.4832', ['0.4831'], False),
        ('12', [], True),
        ('1.5', [], False),
    ],
)
def test_how_numbers_are_compared(number, known, expected):
    assert is_shown(number, known) is expected
