"""What several tests need: the notebooks, read once, and how to walk through them."""

import ast
import os
import re
import shutil
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tools'))
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))


class Notebook:
    """A committed notebook, as the checks look at it."""

    def __init__(self, path):
        self.path, self.number = path, int(path.name[:2])
        self.node = nbformat.read(path, as_version=4)
        self.cells = self.node.cells
        self.code = [cell for cell in self.cells if cell.cell_type == 'code']

    def section(self, title):
        """The cells from the heading `## title` to the next heading of that level."""
        inside, cells = False, []
        for cell in self.cells:
            if cell.cell_type == 'markdown' and cell.source.startswith('## '):
                inside = cell.source.splitlines()[0] == f'## {title}'
            if inside:
                cells.append(cell)
        return cells

    def prose(self):
        """The Markdown cells without their code blocks."""
        for cell in self.cells:
            if cell.cell_type == 'markdown':
                yield '```'.join(cell.source.split('```')[::2])


def printed(cell):
    """All text that a code cell put out."""
    texts = [
        output.get('text') or output.get('data', {}).get('text/plain', '')
        for output in cell.outputs
    ]
    return '\n'.join(texts)


def statements(cells):
    """The top-level statements of code cells, as syntax trees."""
    for cell in cells:
        if cell.cell_type == 'code':
            yield from ast.parse(cell.source).body


class Exercise:
    """The open cell, the cell with the check, and the fold behind them."""

    def __init__(self, opened, checking, fold):
        self.opened, self.checking = opened, checking
        self.check = re.search(r'^(check_\w+)\(answer\)$', checking.source, re.M)[1]
        self.solution = re.search(r'```python\n(.*?)\n```', fold.source, re.S)[1]
        self.fold = fold


def exercises_of(notebook):
    cells = notebook.section('Check yourself')
    return [
        Exercise(*cells[position : position + 3])
        for position, cell in enumerate(cells)
        if re.search(r'^answer = \.\.\.', cell.source, re.M)
        and cell.cell_type == 'code'
    ]


def numbered(number):
    """The path of a notebook."""
    (path,) = [path for path in NOTEBOOKS if path.name.startswith(f'{number:02}-')]
    return path


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'waited too long'
        time.sleep(0.05)


@pytest.fixture(scope='session')
def series():
    return [Notebook(path) for path in NOTEBOOKS]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return Notebook(request.param)


NO_CHROMIUM = (
    'Chromium is missing: nothing was looked at in a browser. Debian and Ubuntu: '
    'apt-get install chromium. Elsewhere: .venv/bin/playwright install chromium. '
    'Or name one that you have: CHROMIUM=/path/to/it make test-all.'
)


@pytest.fixture(scope='module')
def browser():
    """Headless Chromium. Its loop must end with the module: nbval runs loops too."""
    api = pytest.importorskip('playwright.sync_api', reason='playwright is missing.')
    named = os.environ.get('CHROMIUM')
    names = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
    with api.sync_playwright() as playwright:
        its_own = playwright.chromium.executable_path
        found = named or next(filter(None, map(shutil.which, names)), its_own)
        if not os.path.exists(found):
            assert not os.environ.get('CI'), NO_CHROMIUM
            pytest.skip(NO_CHROMIUM)
        chromium = playwright.chromium.launch(
            executable_path=found,
            args=['--disable-quic', '--disable-gpu'],
        )
        yield chromium
        chromium.close()
