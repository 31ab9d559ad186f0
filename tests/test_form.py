"""Every notebook has the form that CONTRIBUTING.md describes, and its prose is true.

None of these tests runs a notebook; they read what is committed.
"""

import ast
import io
import re

import pytest
from compare import NUMBER, claim_holds, is_blank, pictures
from PIL import Image
from series import (
    MACHINE_FACT,
    ROOT,
    defined,
    is_folded,
    is_machine_fact,
    listed,
    names,
    printed,
    statements,
)

from helpers.data import REGIONS_CSV

RECORD = 'Run `make record` and look at what changed.'
MACHINE = re.compile(
    r'(/(home|root|tmp|usr|Users)/|[A-Z]:\\|site-packages|\b0x[0-9a-f]{6,})'
)
FILLERS = re.compile(r'\b(simply|just|obviously|of course|easily|trivial\w*)\b', re.I)
METADATA = {'tags', 'claim', 'facts', 'facts_at_end', 'constants', 'jupyter'}
# How many assertions each notebook has, from 01 on: without one all runs as before.
ASSERTIONS = dict(enumerate([2, 2, 2, 6, 4, 2, 9, 1, 2, 3, 0, 2, 4, 7], start=1))
TAGS = {MACHINE_FACT, 'readme-picture', 'upload', 'hide-output'}


def test_the_series_is_complete(series):
    numbers = [notebook.number for notebook in series]
    assert numbers == list(range(1, len(numbers) + 1)), 'A notebook is missing.'
    keys = 'number', 'title', 'page', 'minutes'
    rows = [tuple(map(row.get, keys)) for row in listed()]
    assert rows == [
        (n.path.name[:2], n.title, f'notebooks/{n.path.stem}', n.minutes)
        for n in series
    ], 'README.md lists the notebooks otherwise.'


def test_parts(notebook, series):
    assert notebook.code[0].source == series[0].code[0].source, 'All begin alike.'
    titles = re.findall(r'^# ', '\n'.join(notebook.prose()), re.M)
    assert len(titles) == 1, 'There is one title.'
    head = notebook.cells[0].source
    for part in ('What you will do:', 'What you will learn:', 'Before you start:'):
        assert f'**{part}**' in head
    assert head.count('\n- ') == 3, 'Three things to learn.'
    assert notebook.section('Common mistakes')
    assert notebook.number == 1 or notebook.section('Where we left off')
    tail = notebook.cells[-1].source
    assert tail.startswith('## What you learned')
    assert tail.split('\n\n')[1].count('- ') == 3, 'Three answers to the three points.'
    assert len(re.findall(r'\]\(http', tail)) <= 4, 'At most four links.'


def test_the_minutes_are_those_of_reading_aloud(notebook):
    """150 words a minute, 2 seconds a line of code in sight, 3 minutes an exercise."""
    prose = re.sub(r'\]\([^)]*\)|</?[a-z][^>]*>', ' ', '\n'.join(notebook.prose()))
    words = len(re.findall(r'[^\W_]\S*', prose))
    shown = [cell for cell in notebook.code if not is_folded(cell)]
    lines = sum(len(cell.source.splitlines()) for cell in shown)
    minutes = words / 150 + lines / 30 + 3 * len(notebook.exercises())
    assert notebook.minutes == pytest.approx(minutes, abs=3)


def test_the_end_leads_to_the_next_notebook(notebook, series):
    following = series[notebook.number :][:1]
    links = [f'[{n.number:02} {n.title}]({n.path.name}).' for n in following]
    assert re.findall(r'Next: (\[.*)', notebook.cells[-1].source) == links


def test_cells_are_short_and_plain(notebook):
    for cell in notebook.code:
        assert len(cell.source.splitlines()) <= 15, f'Too long:\n{cell.source}'
        assert not re.search(r'^\s*[%!]', cell.source, re.M), 'No magics, no shell.'
        assert not cell.source.rstrip().endswith(';')
        assert 'NBVAL_' not in cell.source, 'Use a cell tag.'
    for text in notebook.prose():
        assert not (found := FILLERS.search(text)), f'Leave out "{found[0]}":\n{text}'


def test_assertions_can_fail_and_none_is_lost(notebook):
    always_so = (ast.Constant, ast.Tuple, ast.List, ast.GeneratorExp, ast.Lambda)
    trees = [ast.parse(cell.source) for cell in notebook.code]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = [node.test for node in nodes if isinstance(node, ast.Assert)]
    for test in found:
        assert not isinstance(test, always_so), ast.unparse(test)
    assert len(found) == ASSERTIONS[notebook.number], 'Is ASSERTIONS what you want?'


def test_what_is_defined_is_used(notebook):
    code = [*statements(notebook.cells)]
    made = {name for statement in code for name in defined(statement)}
    used = {name for statement in code for name in names(statement, ast.Load)}
    assert made - used <= {'_', 'answer'}


def test_cells_were_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in notebook.code]
    assert counts == list(range(1, len(counts) + 1)), RECORD


def test_notebooks_hold_nothing_of_a_machine(notebook):
    assert set(notebook.node.metadata) == {'kernelspec', 'language_info'}
    assert 'version' not in notebook.node.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= METADATA, f'{set(cell.metadata)}: {RECORD}'
    for output in notebook.outputs:
        assert output.get('name') != 'stderr', f'A warning:\n{output.get("text")}'
    for cell in notebook.code:
        assert not (found := MACHINE.search(cell.source + printed(cell))), found[0]


def test_committed_facts_of_the_machine_satisfy_their_claim(notebook):
    for cell in notebook.code:
        tags = cell.metadata.get('tags', [])
        assert set(tags) <= TAGS, tags
        if is_machine_fact(cell) and NUMBER.search(printed(cell)):
            assert 'claim' in cell.metadata, (
                'Put into the metadata what the text says of the `numbers` it prints: '
                f'"claim": "numbers[0] < 1".\n{cell.source}'
            )
            assert claim_holds(cell, cell.outputs), f'{cell.metadata.claim}: {RECORD}'


def test_shown_numbers_have_at_most_six_significant_digits(notebook):
    for cell in notebook.code:
        for number in NUMBER.findall(printed(cell)):
            digits = re.sub(r'[eE].*|[^\d]', '', number).lstrip('0')
            assert not re.search('[.eE]', number) or len(digits) <= 6, (
                f'float32 cannot carry {number}: round what is shown.\n{cell.source}'
            )


def test_figures_are_described(notebook):
    for output in notebook.outputs:
        if found := {*pictures(output)}:
            page = output.data.get('text/html', '')
            alt = re.search(r'<img [^>]*alt="([^"]+)"', page)
            assert alt, 'Show a figure with helpers.plots.show(ax, description).'
            assert len(alt[1]) >= 40, f'Say more than "{alt[1]}".'
            assert not any(map(is_blank, found)), 'A blank picture.'


def test_moving_pictures_are_small_and_come_to_rest(notebook):
    for png in [png for output in notebook.outputs for png in pictures(output)]:
        picture = Image.open(io.BytesIO(png))
        if picture.is_animated:
            picture.seek(1)  # the first frame of the animation
            seconds = (picture.n_frames - 1) * picture.info['duration'] / 1000
            assert picture.info['loop'] == 1, 'It plays once, then it rests.'
            assert seconds <= 5, 'What moves for longer needs a pause button.'
            assert len(png) < 150_000, f'{len(png)} bytes: draw fewer frames.'


def test_recaps_retype_what_was_taught_and_are_folded(notebook, series):
    taught = set()
    for earlier in series[: notebook.number - 1]:
        own = earlier.section('Where we left off')
        lesson = [cell for cell in earlier.cells if cell not in own]
        taught |= {ast.dump(statement) for statement in statements(lesson)}
    recap = notebook.section('Where we left off')
    for statement in [*statements(recap)][:-1]:
        assert ast.dump(statement) in taught, (
            'This recap is not, word for word, what an earlier notebook teaches. '
            f'Change the one or the other:\n{ast.unparse(statement)}'
        )
    for cell in recap:
        assert is_folded(cell) or cell.cell_type != 'code', f'Fold this:\n{cell.source}'


def test_recaps_end_where_the_last_notebook_ended(notebook, series):
    recap = notebook.section('Where we left off')
    loss = re.search(r'loss: ([\d.]+)', printed(recap[-1])) if recap else None
    if loss is None:
        assert notebook.number <= 3, 'From 04 on, a recap ends by printing the loss.'
        return
    before = ' '.join(printed(cell) for cell in series[notebook.number - 2].code)
    assert loss[1] in before, f'No notebook before ended with the loss {loss[1]}.'


def test_the_regions_keep_their_order(notebook):
    order = [line.split(',')[0] for line in REGIONS_CSV.read_text().split()[1:]]
    code = '\n'.join(map(ast.unparse, statements(notebook.cells)))
    for found in re.findall(r"\[[^][]*'Unova'[^][]*\]", code):
        assert found == str(order), 'Another region gets its numbers.'


def test_the_readme_shows_the_picture_of_its_notebook(series):
    (cell,) = [
        cell
        for notebook in series
        for cell in notebook.code
        if 'readme-picture' in cell.metadata.get('tags', [])
    ]
    (png, *_), alt = pictures(cell.outputs[0]), cell.outputs[0].data['text/plain']
    assert (ROOT / 'picture.png').read_bytes() == png, RECORD
    assert f'![{alt}](picture.png)' in (ROOT / 'README.md').read_text(encoding='utf-8')


def test_a_term_is_bold_once_where_it_is_explained(series):
    terms = [term.lower() for notebook in series for term, *_ in notebook.terms()]
    assert len(terms) > 40
    assert [term for term in set(terms) if terms.count(term) > 1] == []
