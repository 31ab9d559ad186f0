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
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
# labels that change places, or other points of a curve. In words: directions that are
# no result of ours, such as a definition's, or a task's, and a constant that stands
# beside its equal.
FLOORS = {'code': 0.6, 'numbers in words': 0.95, 'directions in words': 0.5}
LIVES = 'LIVES'
# No output is renewed and the kernel ends with the same values: nothing became false.
NOTHING = 'changes nothing'
ITEMS = {'Cell': 'outputs', 'Fact': 'facts'}
# A test beside those of the form and the exercises that looks at a notebook's code.
READERS = {14: 'tests/test_scale_out.py'}
RECORD = r"""
import json, pathlib, sys
sys.path[:0] = ['tools', 'tests']
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
    """A copy of the project without its environment, for one mistake after another."""

    ends = {}  # of the kernels of the untouched notebooks

    def __init__(self, folder):
        self.root = folder / 'project'
        skip = '.git', '.venv', 'build', '__pycache__', '.*cache'
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*skip))

    def caught(self, mistake):
        """What turns red first."""
        paths = [self.root / mistake.where, self.root / 'picture.png']
        kept = [(path, path.read_bytes()) for path in paths]
        try:
            is_code = self.make(mistake)
            same = 'assert' in mistake.kind  # without it, nothing else runs
            if is_code and not same:
                end, renewed = self.record(mistake.where)
                if end is None:
                    return 'an assertion' if 'AssertionError' in renewed else 'an error'
                same = not renewed and alike(end, self.ends[mistake.where])
            for stage in self.stages(mistake, same):
                if red := self.red(*stage):
                    return red
            return NOTHING if same and 'assert' not in mistake.kind else LIVES
        finally:
            for path, content in kept:
                path.write_bytes(content)

    def make(self, mistake):
        """Put a mistake into its file. Returns whether a notebook's code is changed."""
        path = self.root / mistake.where
        if not mistake.cell:
            text = path.read_text(encoding='utf-8').replace(mistake.old, mistake.new, 1)
            path.write_text(text, encoding='utf-8')
            return False
        node = nbformat.read(path, as_version=4)
        (cell,) = [cell for cell in node.cells if cell.id == mistake.cell]
        is_code = cell.cell_type == 'code'
        if is_code and 'assert' not in mistake.kind and mistake.where not in self.ends:
            self.ends[mistake.where] = self.record(mistake.where)[0]
        cell.source = mistake.new
        nbformat.write(node, path)
        return is_code

    def stages(self, mistake, same):
        """What pytest runs, the cheapest first: all that the mistake can reach."""
        if mistake.checks:
            file, *options = mistake.checks.split()
            return [(f'tests/{file}.py', *options)]
        if same:  # a run that is the same need not be looked at
            return [('tests/test_form.py',)]
        notebook = Notebook(self.root / mistake.where)
        stages = [('tests/test_form.py', mistake.where)]
        if mistake.cell in [cell.id for cell in notebook.section('Check yourself')]:
            stages.append(('tests/test_exercises.py', '-k', 'solution or form'))
        if notebook.number in READERS:
            stages.append((READERS[notebook.number],))
        return stages

    def python(self, *arguments):
        unwanted = ('PYTEST', 'ROUNDING')
        env = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        env |= {'PYTHONPATH': str(self.root), 'OMP_NUM_THREADS': '1'}
        # A restored file may be as old as its bytecode.
        env['PYTHONDONTWRITEBYTECODE'] = '1'
        options = {'cwd': self.root, 'env': env, 'capture_output': True, 'text': True}
        return subprocess.run([sys.executable, *arguments], **options)

    def record(self, where):
        """How the kernel ends and what was renewed, or None and what stopped it."""
        done = self.python('-c', RECORD, where)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    def red(self, *selection):
        """The first check that is red, '' if all pass."""
        options = ('-q', '-x', '--tb=no', '-m', 'not slow', '-p', 'no:xdist')
        done = self.python('-m', 'pytest', *options, *selection)
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
def tried(tmp_path_factory):
    """A function that makes mistakes, two at a time: (mistake, what caught it)."""
    folders, here = [tmp_path_factory.mktemp(name) for name in 'ab'], threading.local()

    def settle():
        here.copy = Copy(folders.pop())

    def one(mistake):
        caught = here.copy.caught(mistake)
        print(f'{mistake.kind}: {mistake.name}: {caught}', flush=True)
        return mistake, caught

    with ThreadPoolExecutor(2, initializer=settle) as pool:
        yield lambda mistakes: list(pool.map(one, mistakes))


def test_every_named_mistake_is_caught(tried):
    assert [m.name for m, caught in tried(list(named())) if caught == LIVES] == []


def shares_are_above_the_floors(by_kind):
    for kind, counts in by_kind.items():
        of = counts.total() - counts[NOTHING]
        checks = ', '.join(f'{check} {n}' for check, n in counts.most_common())
        print(f'{kind:20} {of - counts[LIVES]:3} of {of:3}   {checks}')
        assert counts[LIVES] <= (1 - FLOORS.get(kind, 0)) * of, kind


def test_most_mistakes_in_code_are_caught(tried):
    by_kind = defaultdict(Counter)
    for mistake, caught in tried(sample(SAMPLE)):
        by_kind[mistake.kind][caught] += 1
        by_kind['code'][caught] += 1
    shares_are_above_the_floors(by_kind)


def test_most_mistakes_in_words_are_caught():
    """What they change is no longer what a fact or a constant quotes."""
    by_kind = defaultdict(Counter)
    for mistake in by_operator(paths()):
        if 'words' in mistake.kind:
            cells = nbformat.read(ROOT / mistake.where, as_version=4).cells
            (cell,) = [cell for cell in cells if cell.id == mistake.cell]
            cell.source = mistake.new
            caught = 'facts' if unbound(cell) else LIVES
            print(f'{mistake.kind}: {mistake.name}: {caught}')
            by_kind[mistake.kind][caught] += 1
    shares_are_above_the_floors(by_kind)


def test_what_changes_nothing_is_told_apart(tried):
    (mistake,) = [m for m in named() if m.name == 'the bias is never updated']
    assert tried([mistake._replace(new=mistake.old)])[0][1] == NOTHING
