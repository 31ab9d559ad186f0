"""The series runs, gives the committed outputs and pictures, and its losses fall.

Each notebook is executed once, by the same function as `make run`, with networking
switched off. A second execution of the same cells, by nbval, compares the texts too.
"""

import ast
import base64
import json
import os
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from conftest import ROOT, Notebook, numbered
from execute import execute, kinds, machine_facts
from matplotlib.testing.compare import compare_images

PICTURE = re.compile('data:image/png;base64,[A-Za-z0-9+/=]+')
# Root mean square difference of the colour values, 0 to 255, that two pictures of one
# figure may have: other builds of the font library smooth text differently.
TOLERANCE = 2.0
OFFLINE = str(Path(__file__).with_name('offline'))
LOSSES = """
import json
print(json.dumps({
    'loss': loss.item() if 'loss' in globals() else None,
    'losses': losses if 'losses' in globals() else None,
    'means': means if 'means' in globals() else None,
}))
"""


def kernel_environment(**more):
    path = os.pathsep.join([OFFLINE, *filter(None, [os.environ.get('PYTHONPATH')])])
    return {**os.environ, 'PYTHONPATH': path, **more}


@pytest.fixture(scope='module')
def fresh():
    """name -> (executed notebook, what its kernel says of its losses)"""
    cache = {}

    def run(path):
        if path.name not in cache:
            node, printed = execute(path, probe=LOSSES, env=kernel_environment())
            cache[path.name] = node, json.loads(printed)
        return cache[path.name]

    return run


def kernel_losses(fresh, number):
    return fresh(numbered(number))[1]


def differences(committed, executed, folder):
    """What differs between two runs of one notebook, a line for each cell.

    Of a fact of the machine only the kinds of output are compared.
    """
    facts = machine_facts(committed)
    for number, (old, new) in enumerate(
        zip(committed.cells, executed.cells, strict=True), start=1
    ):
        if old.cell_type == 'code':
            where = f'cell {number} ({old.source.splitlines()[0]})'
            if old in facts:
                if kinds(old) != kinds(new):
                    yield f'{where}: outputs {kinds(old)} became {kinds(new)}'
            elif texts(old) != texts(new):
                yield f'{where}: outputs {texts(old)} became {texts(new)}'
            elif reason := picture_difference(pictures(old), pictures(new), folder):
                yield f'{where}: the picture differs, {reason}'


def texts(cell):
    """Every output of a cell but the bytes of its pictures."""
    found = []
    for output in cell.outputs:
        data = {
            kind: PICTURE.sub('PICTURE', value)
            for kind, value in output.get('data', {}).items()
            if not kind.startswith('image/')
        }
        found.append((output.output_type, output.get('name'), output.get('text'), data))
    return found


def pictures(cell):
    """Each picture of a cell, once as image and once as it stands in the page."""
    found = []
    for output in cell.outputs:
        data = output.get('data', {})
        found += [data['image/png']] if 'image/png' in data else []
        found += [
            p.partition(',')[2] for p in PICTURE.findall(data.get('text/html', ''))
        ]
    return [base64.b64decode(picture) for picture in found]


def picture_difference(old, new, folder):
    if len(old) != len(new):
        return f'{len(old)} became {len(new)}'
    for before, after in zip(old, new, strict=True):
        if before != after:
            paths = [folder / 'committed.png', folder / 'fresh.png']
            for path, picture in zip(paths, (before, after), strict=True):
                path.write_bytes(picture)
            if message := compare_images(*map(str, paths), TOLERANCE):
                return message
    return None


def test_a_fresh_run_gives_what_is_committed(notebook, fresh, tmp_path):
    executed, _ = fresh(notebook.path)
    assert executed.metadata == notebook.node.metadata
    found = list(differences(notebook.node, executed, tmp_path))
    assert not found, (
        f'{notebook.path.name} gives other outputs than the committed ones. If that is '
        'meant, run `make record`; if not, mend the cell.\n' + '\n'.join(found)
    )


def test_the_readme_shows_the_picture_of_its_notebook(series):
    tagged = [
        cell
        for notebook in series
        for cell in notebook.code
        if 'readme-picture' in cell.metadata.get('tags', [])
    ]
    (cell,) = tagged
    assert (ROOT / 'picture.png').read_bytes() == pictures(cell)[0], (
        'Run `make record`.'
    )
    alt = cell.outputs[0].data['text/plain']
    assert f'![{alt}](picture.png)' in (ROOT / 'README.md').read_text(encoding='utf-8')


# The losses, as the kernel holds them. Their values are part of the lesson: they follow
# from the article's data, its seed and its learning rate.


def falls(losses):
    return all(
        later < earlier for earlier, later in zip(losses, losses[1:], strict=False)
    )


@pytest.mark.parametrize('number', [3, 4])
def test_the_loss_starts_where_the_article_starts(fresh, number):
    assert kernel_losses(fresh, number)['loss'] == pytest.approx(46194.505, rel=1e-6)


def test_the_first_step_lowers_the_loss(fresh):
    assert kernel_losses(fresh, 5)['loss'] == pytest.approx(31323.745, rel=1e-6)


def test_100_epochs_end_where_they_should_and_fall_all_the_way(fresh):
    found = kernel_losses(fresh, 6)
    assert found['loss'] == pytest.approx(283.09, abs=0.01)
    assert len(found['losses']) == 101
    assert falls(found['losses'])
    assert found['losses'] == pytest.approx(replayed_losses(), rel=1e-3)


def replayed_losses():
    """The same training, written independently: torch.optim and F.mse_loss, float64."""
    data = torch.tensor(
        [
            [73, 67, 43, 56, 70],
            [91, 88, 64, 81, 101],
            [87, 134, 58, 119, 133],
            [102, 43, 37, 22, 37],
            [69, 96, 70, 103, 119],
        ],
        dtype=torch.float64,
    )
    torch.manual_seed(137143)
    w, b = torch.randn(2, 3).double(), torch.randn(2).double()
    parameters = [w.requires_grad_(), b.requires_grad_()]
    optimizer = torch.optim.SGD(parameters, lr=1e-5)
    losses = []
    for _ in range(102):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(data[:, :3], w, b), data[:, 3:])
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses[1:]


def test_mini_batches_lower_the_loss_too(fresh):
    found = kernel_losses(fresh, 7)
    means = found['means']
    assert len(means) == 100
    assert falls([sum(means[k : k + 10]) for k in range(0, 100, 10)])
    assert found['loss'] < 283.09
    assert found['loss'] < means[0] / 10


# The loop of notebook 06, taken out of it and run under other conditions.


def train_like_notebook_06(**changes):
    """Run 06's cells up to its loop, with other constants, and return its losses."""
    path = numbered(6)
    cells = [cell.source for cell in Notebook(path).code]
    (loop,) = [
        k for k, cell in enumerate(cells) if 'losses.append(loss.item())' in cell
    ][:1]
    source = '\n'.join(cells[: loop + 1])
    for old, new in changes.items():
        old = {'seed': '137143', 'lr': 'lr = 1e-5', 'start': 'torch.randn('}[old]
        assert old in source
        source = source.replace(old, new)
    space = {}
    exec(compile(ast.parse(source), path.name, 'exec'), space)
    return space['losses']


@pytest.mark.parametrize('seed', range(20))
def test_the_loss_falls_from_other_random_starts(seed):
    losses = train_like_notebook_06(seed=str(seed))
    assert len(losses) == 100
    assert falls(losses)


def test_the_loss_falls_from_zeros():
    losses = train_like_notebook_06(start='torch.zeros(')
    assert falls(losses)
    assert losses[0] == pytest.approx(5768.00, abs=0.01)
    assert losses[-1] == pytest.approx(153.937, abs=0.01)


def test_the_loss_falls_up_to_the_largest_stable_rate_and_not_beyond():
    data = torch.tensor(
        [[73, 67, 43, 1], [91, 88, 64, 1], [87, 134, 58, 1], [102, 43, 37, 1]]
        + [[69, 96, 70, 1]],
        dtype=torch.float64,
    )
    limit = 2 / torch.linalg.eigvalsh(data.T @ data / 5)[-1].item()
    assert limit == pytest.approx(1.1167e-4, rel=1e-4)
    assert falls(train_like_notebook_06(lr=f'lr = {0.99 * limit}'))
    assert not falls(train_like_notebook_06(lr=f'lr = {1.01 * limit}'))


# Other machines.


@pytest.mark.slow
@pytest.mark.parametrize(
    'machine',
    [
        {'OMP_NUM_THREADS': '1'},
        {
            'ATEN_CPU_CAPABILITY': 'default',
            'MKL_ENABLE_INSTRUCTIONS': 'SSE4_2',
            'ONEDNN_MAX_CPU_ISA': 'SSE41',
        },
        {
            'ATEN_CPU_CAPABILITY': 'avx2',
            'MKL_ENABLE_INSTRUCTIONS': 'AVX2',
            'ONEDNN_MAX_CPU_ISA': 'AVX2',
            'OMP_NUM_THREADS': '2',
        },
    ],
    ids=['one thread', 'SSE4.2', 'AVX2 and two threads'],
)
def test_other_machines_give_the_same(notebook, machine, tmp_path):
    executed, _ = execute(notebook.path, env=kernel_environment(**machine))
    assert not list(differences(notebook.node, executed, tmp_path))
