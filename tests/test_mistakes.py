"""Deliberate mistakes in copies of the project: the checks must turn red.

A mistake in a notebook's code is recorded first, as an honest author would. What then
turns red first is named: a recap or another test, the outputs, facts or an oracle of
nbval's run, or an assertion that stops the recording.
`make mistakes` prints it all; `make mistakes SAMPLE=300` makes more by operator.
Mistakes in words need no run: all that the operators make are made.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import numpy as np
import pytest
from compare import NUMBER, value, words
from facts import unbound
from mistakes import by_operator, named, sample
from series import ROOT, Notebook, paths

pytestmark = pytest.mark.slow
SAMPLE = int(os.environ.get('SAMPLE') or 60)
# What lives in code: how a picture looks, which is recorded with the mistake, such as
# where its words stand, and a line that only showed something. In words: directions
# that are no result of ours, such as a definition's, or a task's, and a constant that
# stands beside its equal.
FLOORS = {'code': 0.8, 'numbers in words': 0.95, 'directions in words': 0.5}
LIVES = 'LIVES'
# No output is renewed and the kernel ends with the same values: nothing became false.
NOTHING = 'changes nothing'
ITEMS = {'Cell': 'outputs', 'Fact': 'facts'}
RECORD = r"""
import json, pathlib, sys
sys.path.insert(0, 'tools')
import execute
execute.LAST_LOSS = '''
import re
torch.set_printoptions(precision=6)
for k, v in sorted(globals().items(), key=lambda item: item[0]):
    if k[0] != '_' and k not in ('In', 'Out'):
        print(k, re.sub(r' at 0x[0-9a-fA-F]+|tmp\w+', '', repr(v)))
'''
try:
    print(json.dumps(execute.record(pathlib.Path(sys.argv[1]).resolve())))
except execute.NotebookFailed as failure:
    print(json.dumps([None, str(failure)]))
"""


class Copy:
    """A copy of the project without its environment, for one mistake."""

    ends = {}  # of the kernels of the untouched notebooks

    def __init__(self, folder, another_pytest):
        self.root = Path(folder, 'project')
        skip = '.git', '.venv', 'build', '__pycache__', '.*cache'
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*skip))
        env = {'PYTHONPATH': str(self.root), 'OMP_NUM_THREADS': '1'}
        self.pytest = partial(another_pytest, cwd=self.root, **env)

    def caught(self, mistake):
        """What turns red first."""
        if mistake.is_recorded and mistake.where not in self.ends:
            self.ends[mistake.where] = self.record(mistake.where)[0]
        self.make(mistake)
        if mistake.is_recorded:
            end, renewed = self.record(mistake.where)
            if end is None:
                return 'an assertion' if 'AssertionError' in renewed else 'an error'
            if not renewed and alike(end, self.ends[mistake.where]):
                return self.red('tests/test_form.py') or NOTHING
        return self.red(*self.checks(mistake)) or LIVES

    def make(self, mistake):
        """Put a mistake into its file."""
        path = self.root / mistake.where
        if mistake.cell:
            node = nbformat.read(path, as_version=4)
            (cell,) = [cell for cell in node.cells if cell.id == mistake.cell.id]
            cell.source = mistake.new
            nbformat.write(node, path)
        else:
            text = path.read_text(encoding='utf-8').replace(mistake.old, mistake.new, 1)
            path.write_text(text, encoding='utf-8')

    def checks(self, mistake):
        """What pytest runs, the cheapest first: all that the mistake can reach."""
        if mistake.checks:
            file, *options = mistake.checks.split()
            return f'tests/{file}.py', *options
        exercises = Notebook(ROOT / mistake.where).section('Check yourself')
        more = ['tests/test_exercises.py'] if mistake.cell in exercises else []
        return 'tests/test_form.py', mistake.where, *more

    def record(self, where):
        """How the kernel ends and what was renewed, or None and what stopped it."""
        command = [sys.executable, '-c', RECORD, where]
        return json.loads(subprocess.check_output(command, cwd=self.root))

    def red(self, *selection):
        """The first check that is red, '' if all pass."""
        options = ('-x', '--tb=no', '-m', 'not slow', '-p', 'no:xdist')
        done = self.pytest(*options, *selection)
        if not done.returncode:
            return ''
        found = re.search(r'^(?:FAILED|ERROR) (\S+?)::(.*)', done.stdout, re.M)
        assert found, done.stdout + done.stderr
        file, test = found.groups()
        if file.startswith('notebooks'):
            return ITEMS.get(test[:4], 'an oracle')
        return 'a recap' if 'recap' in test else Path(file).stem


def alike(end, other):
    """Whether two kernels end with the same names and nearly the same numbers.

    `lstsq` gives other last digits in another run, as its memory happens to lie.
    """
    one, two = (list(map(value, NUMBER.findall(text))) for text in (end, other))
    return words(end) == words(other) and np.allclose(one, two, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope='module')
def tried(another_pytest):
    """A function that makes mistakes, two at a time: (mistake, what caught it)."""

    def one(mistake):
        with TemporaryDirectory() as folder:
            caught = Copy(folder, another_pytest).caught(mistake)
        print(f'{mistake.kind}: {mistake.name}: {caught}', flush=True)
        return mistake, caught

    with ThreadPoolExecutor(2) as pool:
        yield lambda mistakes: list(pool.map(one, mistakes))


def test_every_named_mistake_is_caught(tried):
    assert [m.name for m, caught in tried(list(named())) if caught == LIVES] == []


def shares_are_above_the_floors(found):
    """Of all pairs of a kind of mistakes and what caught one."""
    by_kind = defaultdict(Counter)
    for kind, caught in found:
        by_kind[kind][caught] += 1
    for kind, counts in by_kind.items():
        of = counts.total() - counts[NOTHING]
        checks = ', '.join(f'{check} {n}' for check, n in counts.most_common())
        print(f'{kind:20} {of - counts[LIVES]:3} of {of:3}   {checks}')
        assert counts[LIVES] <= (1 - FLOORS.get(kind, 0)) * of, kind


def test_most_mistakes_in_code_are_caught(tried):
    found = [(mistake.kind, caught) for mistake, caught in tried(sample(SAMPLE))]
    shares_are_above_the_floors(found + [('code', caught) for _, caught in found])


def test_most_mistakes_in_words_are_caught():
    """What they change is no longer what a fact or a constant quotes."""
    found = []
    for mistake in by_operator(paths()):
        if 'words' in mistake.kind:
            cell = nbformat.NotebookNode(mistake.cell, source=mistake.new)
            caught = 'facts' if unbound(cell) else LIVES
            print(f'{mistake.kind}: {mistake.name}: {caught}')
            found.append((mistake.kind, caught))
    shares_are_above_the_floors(found)


def test_what_changes_nothing_is_told_apart(tried):
    (mistake,) = [m for m in named() if m.name == 'the bias is never updated']
    assert tried([mistake._replace(new=mistake.old)])[0][1] == NOTHING
