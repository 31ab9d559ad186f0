"""Compare speeds side by side in one run: `make bench` writes bench.md and bench.png.

    python tools/bench.py                       everything, in some minutes
    python tools/bench.py trainers --quick --to build    does it work? (no figures)

What is measured is the notebooks' own code and that of scale_out.py, never a copy. What
is compared takes turns, so that a slow minute of the machine meets all. bench-page.md
holds the words of the page.
"""

import argparse
import ast
import bisect
import contextlib
import functools
import importlib.metadata
import io
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import symtable
import sys
import tempfile
import timeit
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from matplotlib import pyplot as plt
from series import NOTEBOOKS, ROOT, Notebook, paths, statements
from tabulate import tabulate
from torch.utils.benchmark import Measurement, Timer
from torch.utils.data import DataLoader, TensorDataset
from trainers import OTHERS, Zero

from helpers.plots import BLUE, INK

TEMPLATE = Path(__file__).with_name('bench-page.md')
FOLD = '<details>\n<summary>The numbers</summary>\n\n{}\n\n</details>'


class Section(NamedTuple):
    """What a section found: a table for the page, and bars for the picture."""

    table: list  # a dict of column title: cell for each line
    bars: dict  # name -> number
    label: str  # of their axis


def say(step):
    print(f'bench: {step}', file=sys.stderr, flush=True)


def short(value):
    return f'{float(f"{value:.3g}"):,.10g}'


def timed(measured, factor):
    """A measurement for a table: the median, and the distance of the quartiles."""
    return f'{short(factor * measured.median)} ({short(factor * measured.iqr)})'


def measure(runs, rounds, least=0.1):
    """Time a dict of callables in turn, with one thread: `rounds` turns of each.

    In a turn, which takes `least` seconds, a fast callable is called many times.
    """
    timers = {name: Timer('run()', globals={'run': run}) for name, run in runs.items()}
    found = {name: [] for name in runs}
    for _ in range(rounds):
        for name, timer in timers.items():
            found[name].append(timer.blocked_autorange(min_run_time=least))
    return {name: Measurement.merge(turns)[0] for name, turns in found.items()}


def ratios(found, base):
    return {name: one.median / found[base].median for name, one in found.items()}


# What the notebooks teach, found by name.


def needs(table):
    """The global names that code uses, from its symbol table."""
    used = {name.get_name() for name in table.get_symbols() if name.is_global()}
    return used.union(*map(needs, table.get_children()))


@functools.cache
def taught(*names):
    """What the first notebook that defines these names makes of them.

    Only the statements that they need are executed.
    """
    for path in paths():
        kept, wanted, defined = [], set(names), set()
        for node in reversed([*statements(Notebook(path).cells)]):
            table = symtable.symtable(ast.unparse(node), path.name, 'exec')
            own = {name.get_name() for name in table.get_symbols() if name.is_local()}
            defined |= own
            if wanted & own:
                kept.insert(0, node)
                wanted |= needs(table)
        if defined.issuperset(names):
            space = {}
            exec(compile(ast.Module(kept, []), path.name, 'exec'), space)
            return [space[name] for name in names]
    raise LookupError(f'No notebook defines {", ".join(names)}.')


# The taught fit beside other trainers.


def by_fit(x, y, epochs):
    (fit,) = taught('fit')
    loader = DataLoader(TensorDataset(x, y), 5, shuffle=True)

    def run():
        model = Zero()
        opt = torch.optim.SGD(model.parameters(), lr=1e-5)
        with contextlib.redirect_stdout(io.StringIO()):
            fit(epochs, model, F.mse_loss, opt, loader)
        return model

    return run


def as_columns(x, y):
    """Inputs, ones and targets, a column for each row, as notebook 13 wants them."""
    return torch.cat([x, torch.ones(len(x), 1), y], dim=1).t().contiguous()


def in_order(x, y, epochs):
    """The rows of all epochs, shuffled in each, as columns: (6, epochs * rows)."""
    order = torch.cat([torch.randperm(len(x)) for _ in range(epochs)])
    return as_columns(x, y)[:, order]


def by_two_addmm(x, y, epochs):
    split, two_addmm = taught('split', 'two_addmm')
    return lambda: predictor(two_addmm(split(in_order(x, y, epochs), 5), 1e-5))


def by_one_bmm(x, y, epochs):
    (one_bmm,) = taught('one_bmm')
    return lambda: predictor(one_bmm(in_order(x, y, epochs), 5, 1e-5))


def predictor(w):
    return lambda x: x @ w[:, :3].t() + w[:, 3]


TRAINERS = {'taught fit': ('torch', by_fit), 'two addmm': ('torch', by_two_addmm)}
TRAINERS['one bmm'] = ('torch', by_one_bmm)
TRAINERS |= OTHERS


def trainers(quick=False):
    epochs = 20 if quick else 100
    x, y = taught('inputs15', 'targets15')
    runs = {}
    for name, (_, make) in TRAINERS.items():
        with contextlib.suppress(ImportError):
            runs[name] = make(x, y, epochs)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        losses = {name: F.mse_loss(run()(x), y).item() for name, run in runs.items()}
        found = measure(runs, 1 if quick else 7)
    times, table = ratios(found, 'taught fit'), []
    for name, (package, _) in TRAINERS.items():
        if name not in runs:
            table.append({'trainer': f'{name} is not installed: `make bench EXTRAS=1`'})
            continue
        assert 0.5 < losses[name] / losses['taught fit'] < 2, f'{name} does other work'
        version = importlib.metadata.version(package).partition('+')[0]
        line = {'trainer': f'{name} ({package} {version})'}
        line['ms an epoch'] = timed(found[name], 1000 / epochs)
        line['times the taught fit'] = short(times[name])
        table.append(line | {'final loss': f'{losses[name]:.1f}'})
    return Section(table, times, 'an epoch: times the taught fit')


# Ways through many rows.


def made_up(n):
    """n rows of three inputs and two targets: (n, 5)."""
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    return torch.cat([x, x @ torch.tensor([[1.0, 4], [2, 5], [3, 6]]) + 7], dim=1)


def ways(n, most):
    """name -> (callable for one epoch over n rows, how much of an epoch it is)."""
    names = 'fit Slices batched split by_hand two_addmm one_bmm sums'
    fit, Slices, batched, split, by_hand, two_addmm, one_bmm, sums = taught(
        *names.split()
    )
    x, y = made_up(n).split([3, 2], dim=1)
    columns = as_columns(x, y)
    dataset, batches = TensorDataset(x, y), split(columns, 1000)
    some = TensorDataset(x[:most], y[:most])
    model = Zero()
    opt = torch.optim.SGD(model.parameters(), lr=0.1)

    def epoch(loader):
        return functools.partial(fit, 1, model, F.mse_loss, opt, loader)

    assert torch.allclose(two_addmm(batches), one_bmm(columns, 1000), atol=1e-2)
    return {
        'reading': (columns.sum, 1),
        'DataLoader': (epoch(DataLoader(some, 1000, shuffle=True)), len(some) / n),
        'whole batches': (epoch(batched(some, shuffle=True)), len(some) / n),
        'slices': (epoch(Slices(dataset, 1000)), 1),
        'gradient by hand': (lambda: by_hand(batches), 1),
        'two addmm': (lambda: two_addmm(batches), 1),
        'one bmm': (lambda: one_bmm(columns, 1000), 1),
        'the sums': (lambda: sums(columns), 1),
    }


def rows(quick=False):
    table = {}
    for n in [1000, 10_000] if quick else [10**power for power in range(3, 8)]:
        say(f'{n:,} rows')
        runs = ways(n, 5000 if quick else 200_000)
        once = {name: run for name, (run, _) in runs.items()}
        times = ratios(measure(once, 1 if quick else 5), 'reading')
        times = {name: times[name] / part for name, (_, part) in runs.items()}
        for name, value in times.items():
            line = table.setdefault(name, {'times reading': name})
            line[f'{n:,} rows'] = short(value)
    label = f'{n:,} rows: times reading them'
    return Section([*table.values()], times, label)


# Two processes with a thread each beside one with two, in turn.


def work(rank, world, store, path, batches, n, count):
    """One of `world` processes: scale_out.py and the sums of n rows, timed."""
    sys.path.append(str(NOTEBOOKS))
    import scale_out

    if sys.platform == 'linux':
        os.environ.setdefault('GLOO_SOCKET_IFNAME', 'lo')
    torch.set_num_threads(2 // world)
    dist.init_process_group('gloo', store.as_uri(), rank=rank, world_size=world)
    dataset, found = scale_out.read(path), {}
    for name, batch in batches.items():
        trained = scale_out.train(dataset, batch, 2)
        found[name] = 1000 * trained['seconds'], torch.tensor(trained['last'])
    (sums,) = taught('sums')
    columns = as_columns(*made_up(n).split([3, 2], dim=1))
    part = columns.chunk(world, dim=1)[rank]

    def run():
        dist.all_reduce(total := sums(part))
        return total

    timer = Timer('run()', globals={'run': run}, num_threads=2 // world)
    found['the sums'] = 1000 * timer.timeit(count).mean, run() / n
    if rank == 0:
        torch.save(found, f'{store}-found')
    dist.destroy_process_group()


def processes(quick=False):
    batches = {f'batches of {size:,}': size for size in (20, 200, 2000, 20_000)}
    found = {1: [], 2: []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, 'rows')
        made_up(20_000).numpy().tofile(path)
        if quick:
            batches = {'batches of 2,000': 2000}
        n, count = (100_000, 1) if quick else (10**7, 3)
        for turn, world in itertools.product(range(1 if quick else 5), found):
            store = Path(folder, f'{turn}-{world}')
            arguments = world, store, path, batches, n, count
            torch.multiprocessing.spawn(work, arguments, nprocs=world)
            found[world].append(torch.load(f'{store}-found'))
    table, bars = [], {}
    for name in found[1][0]:
        (one, first), (two, other) = (
            (statistics.median(turn[name][0] for turn in turns), turns[0][name][1])
            for turns in found.values()
        )
        assert torch.allclose(first, other, 1e-3, 1e-3), f'{name}: not the same result'
        bars[name] = two / one
        line = {'ms': name, 'one process': short(one), 'two processes': short(two)}
        table.append(line | {'two / one': short(two / one)})
    return Section(table, bars, 'two processes: times one with two threads')


# Updates that methods need, counted.


def updates_until(enough, curvatures, errors, lr, momentum=0.0):
    """How many updates bring the loss within `enough` of the optimum, by bisection.

    Along each eigenvector of the Hessian, with its curvature and errors (one for each
    target), an update multiplies the error and the step before by a (2, 2) matrix.
    """
    update = np.full((len(curvatures), 2, 2), momentum, dtype=float)
    update[:, :, 0] = np.stack([1 - lr * curvatures, -lr * curvatures], axis=1)

    def within(count):
        left = np.linalg.matrix_power(update, count)[:, 0, :1] * errors
        return 0.5 * curvatures @ (left**2).sum(axis=1) <= enough

    return bisect.bisect_left(range(2**40), True, key=within)


def updates(quick=False):
    inputs, y = (table.double().numpy() for table in taught('inputs', 'targets'))
    (best_momentum,) = taught('best_momentum')
    raw = np.hstack([inputs, np.ones((len(inputs), 1))])
    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    scaled = np.hstack([scaled, raw[:, 3:]])
    starts = [np.random.default_rng(seed).standard_normal((4, 2)) for seed in range(20)]
    methods = {
        'raw, lr 1e-5': (raw, lambda of: [1e-5]),
        'raw, lr 1/L': (raw, lambda of: [1 / of[-1]]),
        'scaled, lr 2/(L + μ)': (scaled, lambda of: [2 / (of[0] + of[-1])]),
        'scaled, momentum': (scaled, lambda of: best_momentum(of[0], of[-1])),
        'full Newton': (raw, lambda of: [1 / of]),
    }
    counts = {}
    for name, (x, rates) in methods.items():
        best = np.linalg.lstsq(x, y)[0]
        enough = ((x @ best - y) ** 2).mean() / 100
        of, directions = np.linalg.eigh(2 / y.size * x.T @ x)
        errors = [directions.T @ (start - best) for start in starts]
        found = [updates_until(enough, of, error, *rates(of)) for error in errors]
        counts[name] = statistics.median(found)
    table = [{'method': name, 'updates': f'{n:,.0f}'} for name, n in counts.items()]
    return Section(table, counts, 'updates until within 1 % of the optimum')


# The series beside kernels that do nothing but its imports.


def write_bare(folder):
    """For each notebook of the series, one in `folder` with its import statements.

    The scripts beside the notebooks come along, for one of them is imported.
    """
    for script in NOTEBOOKS.glob('*.py'):
        shutil.copy(script, folder)
    for path in paths():
        body = statements(Notebook(path).cells)
        kinds = ast.Import, ast.ImportFrom
        imports = [ast.unparse(node) for node in body if isinstance(node, kinds)]
        cell = nbformat.v4.new_code_cell('\n'.join(imports))
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / path.name)


def check(folder):
    """Execute the notebooks of a folder and compare them, two at a time."""
    command = [sys.executable, '-m', 'pytest', '-q', '-n2', '--dist=loadfile', folder]
    env = os.environ | {'OMP_NUM_THREADS': '1'}  # as `make test` does
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f'The series fails, so it has no speed.\n{done.stdout}'


def series(quick=False):
    (ROOT / 'build').mkdir(exist_ok=True)
    bare, whole = [], []
    with tempfile.TemporaryDirectory(dir=ROOT / 'build') as folder:
        write_bare(Path(folder))
        for _ in range(1 if quick else 3):
            bare.append(timeit.timeit(lambda: check(folder), number=1))
            whole.append(timeit.timeit(lambda: check(NOTEBOOKS), number=1))
    times = {'the imports alone': statistics.median(bare)}
    times[f'{len(paths())} notebooks'] = statistics.median(whole)
    table = [{'run': name, 'seconds': short(one)} for name, one in times.items()]
    bars = {name: one / times['the imports alone'] for name, one in times.items()}
    return Section(table, bars, 'times the imports alone')


SECTIONS = {one.__name__: one for one in (trainers, rows, processes, updates, series)}


# The page and the picture.


def page(found):
    """The text of bench.md: the words of the template, with the tables folded."""
    versions = f'Python {platform.python_version()} and PyTorch {torch.__version__}'
    machine = f'{os.cpu_count()} cores ({platform.machine()}), {versions.split("+")[0]}'
    blocks = dict.fromkeys(SECTIONS, 'Not measured.')
    for name, section in found.items():
        align = ['left', *['right'] * (len(section.table[0]) - 1)]
        options = {'disable_numparse': True, 'colalign': align}
        blocks[name] = FOLD.format(tabulate(section.table, 'keys', 'pipe', **options))
    return TEMPLATE.read_text(encoding='utf-8').format(machine=machine, **blocks)


def draw(sections, path):
    """Save the picture: one section above the other, readable on a phone."""
    heights = [0.8 + 0.36 * len(section.bars) for section in sections]
    shape = {'figsize': (6.4, sum(heights)), 'height_ratios': heights}
    figure, axes = plt.subplots(len(heights), 1, layout='constrained', **shape)
    for ax, section in zip(np.ravel(axes), sections, strict=True):
        values = [*section.bars.values()]
        bars = ax.barh([*section.bars], values, 0.6, left=0, color=BLUE)
        ground = {'pad': 1, 'fc': 'white', 'ec': 'none'}
        ax.bar_label(bars, [*map(short, values)], padding=4, bbox=ground)
        ax.invert_yaxis()
        ax.margins(x=0.3)
        ax.spines[['top', 'right']].set_visible(False)
        if max(values) > 100:
            ax.set_xscale('log')
            ax.set_xlim(left=0.5)
        ax.axvline(1, color=INK, ls=':')
        ax.set_xlabel(section.label)
    figure.savefig(path, dpi=100, facecolor='white')
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('sections', nargs='*', help=f'of {", ".join(SECTIONS)}; or all')
    parser.add_argument('--quick', action='store_true', help='small sizes, one turn')
    parser.add_argument('--to', type=Path, default=ROOT, help='the folder to write to')
    options = parser.parse_args(arguments)
    found = {}
    for name in options.sections or SECTIONS:
        say(name)
        found[name] = SECTIONS[name](options.quick)
    options.to.mkdir(parents=True, exist_ok=True)
    draw(found.values(), options.to / 'bench.png')
    (options.to / 'bench.md').write_text(page(found), encoding='utf-8')
    return found


if __name__ == '__main__':
    main()
