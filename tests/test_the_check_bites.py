"""Deliberate mistakes, each in a copy of the project: the checks must turn red.

Every mutant is one small change of the kind that an author makes by accident. The copy
is checked as `make test` checks it, limited to the notebook or helper that was changed.
`make mutants` prints which check caught which mistake.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from execute import write

pytestmark = pytest.mark.slow


# The checks that read the losses of a notebook from its kernel.
LOSS_CHECKS = {
    1: 'readme',
    2: 'readme',
    3: 'article_starts[3]',
    4: 'article_starts[4]',
    5: 'first_step',
    6: '100_epochs',
    7: 'mini_batches',
}


class Copy:
    """A copy of the project without its environment."""

    def __init__(self, folder):
        self.root = folder / 'project'
        skip = shutil.ignore_patterns('.*', 'build', '__pycache__', '*.egg-info')
        shutil.copytree(ROOT, self.root, ignore=skip)

    def path(self, number):
        (path,) = (self.root / 'notebooks').glob(f'{number:02}-*.ipynb')
        return path

    def notebook(self, number, change):
        """Apply `change` to a notebook's cells and save them, outputs and all."""
        node = nbformat.read(self.path(number), as_version=4)
        change(node.cells)
        write(self.path(number), node)

    def replace(self, number, old, new, which=-1, kind='code'):
        """Replace a text in one cell: by default in the last of that kind with it."""

        def change(cells):
            cells = [cell for cell in cells if cell.cell_type == kind]
            cell = [cell for cell in cells if old in cell.source][which]
            cell.source = cell.source.replace(old, new, 1)

        self.notebook(number, change)

    def file(self, name, old, new):
        path = self.root / name
        text = path.read_text(encoding='utf-8')
        assert text.count(old) >= 1, f'{name} no longer holds {old}'
        path.write_text(text.replace(old, new, 1), encoding='utf-8')

    def python(self, *arguments):
        environment = {**os.environ, 'PYTHONPATH': str(self.root)}
        environment.pop('PYTEST_ADDOPTS', None)
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
        )

    def first_to_bite(self, number, helpers=False):
        """The failing checks of the first stage, cheapest first, that has one."""
        name = self.path(number).stem
        stages = [
            ('tests/test_form.py', '-k', f'{name} or complete or recaps_end'),
            (f'notebooks/{name}.ipynb',),
            (
                'tests/test_series.py',
                '-k',
                f'{name} or {LOSS_CHECKS.get(number, name)}',
            ),
        ]
        if helpers:
            script = (
                'test_scale_out.py::test_the_notebook_teaches_the_sums_of_the_script'
            )
            files = ('test_data.py', 'test_plots.py', script)
            stages.insert(0, tuple(f'tests/{file}' for file in files))
        for stage in stages:
            if failed := self.failed(*stage):
                return failed
        return ''

    def failed(self, *selection):
        """The names of the failing checks, '' if all passed."""
        options = ('-q', '--tb=no', '-m', 'not slow', '-p', 'no:xdist')
        done = self.python('-m', 'pytest', *options, *selection)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        tests = re.findall(r'^(?:FAILED|ERROR) (\S+)', done.stdout, re.M)
        names = [
            'nbval' if test.startswith('notebooks') else re.split(r'::|\[', test)[1]
            for test in tests
        ]
        return ', '.join(dict.fromkeys(names))


def uses_file(mistake):
    """Whether a mistake changes a helper and not a notebook."""
    return 'file' in mistake.__code__.co_names


def code_cells(cells):
    return [cell for cell in cells if cell.cell_type == 'code']


def clear_everything(cells):
    for cell in code_cells(cells):
        cell.outputs, cell.execution_count = [], None


def clear_one_output(cells):
    [cell for cell in code_cells(cells) if cell.outputs][-1].outputs = []


def swap_two_counts(cells):
    first, second = code_cells(cells)[4:6]
    first.execution_count, second.execution_count = (
        second.execution_count,
        first.execution_count,
    )


def run_twice_before_saving(cells):
    for count, cell in enumerate(code_cells(cells)):
        cell.execution_count = count + 20
        for output in cell.outputs:
            if 'execution_count' in output:
                output.execution_count = count + 20


def exchange_two_pictures(cells):
    first, second = [
        output
        for cell in code_cells(cells)
        for output in cell.outputs
        if 'image/png' in output.get('data', {})
    ][:2]
    for kind in ('image/png', 'text/html'):
        if kind == 'image/png':
            first.data[kind], second.data[kind] = second.data[kind], first.data[kind]
        else:
            old, new = (
                re.search('base64,[^"]+', o.data[kind])[0] for o in (first, second)
            )
            first.data[kind] = first.data[kind].replace(old, new)
            second.data[kind] = second.data[kind].replace(new, old)


def drop_the_alt_text(cells):
    for cell in code_cells(cells):
        for output in cell.outputs:
            if 'text/html' in output.get('data', {}):
                html = output.data['text/html']
                output.data['text/html'] = re.sub(r' alt="[^"]*"', '', html)


def add_a_warning(cells):
    code_cells(cells)[0].outputs = [
        nbformat.v4.new_output('stream', name='stderr', text='UserWarning: beware\n')
    ]


# name -> (the notebook to check, the mistake)
MUTANTS = {
    "the update's sign": (
        6,
        lambda c: c.replace(6, '        w -= lr', '        w += lr', 0),
    ),
    'the bias is never updated': (
        6,
        lambda c: c.replace(6, '        b -= lr * b.grad\n', '', 0),
    ),
    'zero_() dropped from the loop': (
        6,
        lambda c: c.replace(6, '        w.grad.zero_()\n', '', 0),
    ),
    'zero_() dropped after the step': (
        5,
        lambda c: c.replace(5, 'w.grad.zero_()\n', ''),
    ),
    'backward dropped': (6, lambda c: c.replace(6, '    loss.backward()\n', '', 0)),
    '.t() dropped': (2, lambda c: c.replace(2, 'x @ w.t() + b', 'x @ w + b', 0)),
    'bias dropped from the model': (2, lambda c: c.replace(2, 'w.t() + b', 'w.t()', 0)),
    'sum for mean': (3, lambda c: c.replace(3, ' / diff.numel()', '', 0)),
    'mean over rows, not elements': (
        3,
        lambda c: c.replace(3, 'diff.numel()', 'len(diff)', 0),
    ),
    'absolute for squared': (
        3,
        lambda c: c.replace(3, 'torch.sum(diff * diff)', 'torch.sum(abs(diff))', 0),
    ),
    'learning rate x 10': (6, lambda c: c.replace(6, 'lr = 1e-5', 'lr = 1e-4')),
    'learning rate / 10': (5, lambda c: c.replace(5, 'lr = 1e-5', 'lr = 1e-6')),
    '10 epochs for 100': (6, lambda c: c.replace(6, 'epochs = 100', 'epochs = 10')),
    'another seed': (4, lambda c: c.replace(4, '137143', '137144')),
    'apples and oranges swapped': (
        3,
        lambda c: c.replace(3, '[[56, 70], [81, 101]', '[[70, 56], [101, 81]'),
    ),
    'targets swapped in the loop': (
        6,
        lambda c: c.replace(6, 'mse(preds, targets)', 'mse(preds, targets.flip(1))'),
    ),
    'a number in the CSV': (
        1,
        lambda c: c.file('helpers/regions.csv', ',134,', ',143,'),
    ),
    'columns swapped by the reader': (
        1,
        lambda c: c.file(
            'helpers/data.py', '[*inputs, *targets]', '[*targets, *inputs]'
        ),
    ),
    'shuffle off': (7, lambda c: c.replace(7, 'shuffle=True', 'shuffle=False')),
    'L1 for MSE': (
        7,
        lambda c: c.replace(7, 'loss_fn = F.mse_loss', 'loss_fn = F.l1_loss'),
    ),
    'batches of 3': (7, lambda c: c.replace(7, 'batch_size = 5', 'batch_size = 3')),
    'roots drawn for squares': (
        6,
        lambda c: c.file(
            'helpers/plots.py', 'y.shape), y, color', 'y.shape), y**0.5, color'
        ),
    ),
    'axis labels swapped': (
        6,
        lambda c: c.file(
            'helpers/plots.py',
            "xlabel=f'target ({unit})', ylabel=f'prediction ({unit})'",
            "xlabel=f'prediction ({unit})', ylabel=f'target ({unit})'",
        ),
    ),
    'oranges drawn as apples': (
        3,
        lambda c: c.replace(
            3, 'residuals(targets[:, 0], preds', 'residuals(targets[:, 1], preds'
        ),
    ),
    'a number in the prose': (
        3,
        lambda c: c.replace(3, 'of 46194', 'of 46914', kind='markdown'),
    ),
    'a number in the summary': (
        6,
        lambda c: c.replace(6, 'of 283.09', 'of 238.09', kind='markdown'),
    ),
    'a recap that drifted': (
        6,
        lambda c: c.replace(6, 'diff = preds - targets', 'diff = targets - preds', 0),
    ),
    'all outputs cleared': (5, lambda c: c.notebook(5, clear_everything)),
    'one output cleared': (5, lambda c: c.notebook(5, clear_one_output)),
    'cells run out of order': (5, lambda c: c.notebook(5, swap_two_counts)),
    'run twice before saving': (5, lambda c: c.notebook(5, run_twice_before_saving)),
    'a changed picture': (4, lambda c: c.notebook(4, exchange_two_pictures)),
    'a picture without description': (4, lambda c: c.notebook(4, drop_the_alt_text)),
    'a warning in an output': (4, lambda c: c.notebook(4, add_a_warning)),
    'a dropped notebook': (7, lambda c: c.path(4).unlink()),
    'weights saved, never loaded': (
        8,
        lambda c: c.replace(8, "loaded.load_state_dict(saved['weights'])\n", '', 0),
    ),
    'the gradient without its 2': (
        9,
        lambda c: c.replace(9, 'return 2 / y.numel()', 'return 1 / y.numel()', 0),
    ),
    'test rows in the scaling': (
        10,
        lambda c: c.replace(10, 'x[train].mean(dim=0)', 'x.mean(dim=0)', 0),
    ),
    'sums in float32': (
        11,
        lambda c: c.replace(11, '    table = table.double()\n', '', 0),
    ),
    'a timing cell changed afterwards': (
        11,
        lambda c: c.replace(11, 'ratio < 200', 'ratio < 300'),
    ),
    'the script drifts from the notebook': (
        11,
        lambda c: c.file('notebooks/scale_out.py', 'table.t() @', 'table.mT @'),
    ),
}

# The same mistakes by an author who also saved the new outputs: a comparison of outputs
# cannot see them, so another check must bite.
SAVED = {
    'learning rate x 10': (6, lambda c: c.replace(6, 'lr = 1e-5', 'lr = 1e-4')),
    '10 epochs for 100': (6, lambda c: c.replace(6, 'epochs = 100', 'epochs = 10')),
    'another seed': (3, lambda c: c.replace(3, '137143', '137144')),
    'sum for mean': (3, lambda c: c.replace(3, ' / diff.numel()', '', 0)),
    'the bias is never updated': (
        6,
        lambda c: c.replace(6, '        b -= lr * b.grad\n', '', 0),
    ),
    'a target': (3, lambda c: c.replace(3, '[22, 37]', '[22, 73]')),
    'another baseline': (
        3,
        lambda c: c.replace(3, 'mse(targets.mean(dim=0)', 'mse(targets.mean()'),
    ),
}


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.mark.parametrize('name', MUTANTS)
def test_a_mistake_is_caught(name, copy):
    number, mistake = MUTANTS[name]
    mistake(copy)
    caught = copy.first_to_bite(number, uses_file(mistake))
    print(f'{name}: {caught}')
    assert caught, f'Nobody noticed: {name}'


@pytest.mark.parametrize('name', SAVED)
def test_a_mistake_that_was_saved_is_caught(name, copy):
    number, mistake = SAVED[name]
    mistake(copy)
    path = copy.path(number)
    code = f'from execute import *; write({str(path)!r}, execute({str(path)!r})[0])'
    saved = copy.python('-c', f'import sys; sys.path.insert(0, "tools"); {code}')
    if saved.returncode:
        assert 'AssertionError' in saved.stderr, saved.stderr
        print(f'{name}, saved: an assertion of the notebook, it cannot be saved')
        return
    caught = copy.first_to_bite(number)
    print(f'{name}, saved: {caught}')
    assert caught, f'Nobody noticed: {name}, with the new outputs saved'


def test_the_untouched_copy_passes(copy):
    assert copy.first_to_bite(6, helpers=True) == ''


def test_there_are_enough_mistakes_and_a_new_author_hears_of_them():
    assert len(MUTANTS) >= 20
    assert Path(__file__).name in (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
