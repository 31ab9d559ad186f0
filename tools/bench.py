"""Compare speeds side by side in one run: `make bench` writes bench.md and bench.png.

What is measured is the notebooks' own code and that of scale_out.py, never a copy. What
is compared takes turns, so that a slow minute of the machine meets all. bench-page.md
holds the words of the page.

Each section makes a table, a dict of column title: cell for each line, and says what
its last column is, which the picture shows.
"""

import ast
import bisect
import contextlib
import functools
import importlib.metadata
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import symtable
import sys
import tempfile
import time
import warnings
from pathlib import Path

import nbformat
import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from matplotlib.figure import Figure
from series import NOTEBOOKS, ROOT, Notebook, defined, numbered, paths, statements
from tabulate import tabulate
from torch.utils.benchmark import Measurement, Timer
from torch.utils.data import DataLoader, TensorDataset
from trainers import Zero, by_lightning, by_scikit_learn, by_skorch

from helpers.plots import BLUE, INK

TEMPLATE = Path(__file__).with_name('bench-page.md')
FOLD = '<details>\n<summary>The numbers</summary>\n\n{}\n\n</details>'


def shown(cell):
    """A cell as text: counts in full, other numbers with three digits."""
    if isinstance(cell, float):
        return f'{float(f"{cell:.3g}"):,.10g}'
    return f'{cell:,}' if isinstance(cell, int) else cell


def version(package):
    """The installed version, without the name of its build."""
    return importlib.metadata.version(package).partition('+')[0]


def measure(runs, turns):
    """Time a dict of callables in turn, with one thread.

    In a turn, a tenth of a second or more, a fast callable is called many times.
    """
    timers = {name: Timer('run()', globals={'run': run}) for name, run in runs.items()}
    found = {name: [] for name in runs}
    for _ in range(turns):
        for name, timer in timers.items():
            found[name].append(timer.blocked_autorange(min_run_time=0.1))
    return {name: Measurement.merge(times)[0] for name, times in found.items()}


# What the notebooks teach, found by name.


def needs(table):
    """The global names that code uses, from its symbol table."""
    used = {name.get_name() for name in table.get_symbols() if name.is_global()}
    return used.union(*map(needs, table.get_children()))


@functools.cache
def taught(number, *names):
    """What a notebook makes of these names. Only what they need is executed."""
    path, kept, wanted = numbered(number), [], set(names)
    for node in reversed([*statements(Notebook(path).cells)]):
        if wanted.intersection(defined(node)):
            kept.insert(0, node)
            wanted |= needs(symtable.symtable(ast.unparse(node), path.name, 'exec'))
    space = {}
    exec(compile(ast.Module(kept, []), path.name, 'exec'), space)
    return [space[name] for name in names]


# The same 15 rows, by different trainers.


def by_fit(x, y, epochs):
    (fit,) = taught(13, 'fit')
    model = Zero()
    opt = torch.optim.SGD(model.parameters(), lr=1e-5)
    with contextlib.redirect_stdout(None):
        fit(epochs, model, F.mse_loss, opt, DataLoader(TensorDataset(x, y), 5))
    return model


def columns(x, y):
    """Ones, inputs and targets: (6, rows)."""
    return torch.cat([torch.ones(len(x), 1), x, y], dim=1).t().contiguous()


def by_two_addmm(x, y, epochs):
    split, two_addmm = taught(13, 'split', 'two_addmm')
    return predictor(two_addmm(split(columns(x, y).repeat(1, epochs), 5), 1e-5))


def by_one_power(x, y, epochs):
    (by_power,) = taught(13, 'by_power')
    return predictor(by_power(columns(x, y), 5, 1e-5, epochs))


def predictor(w):
    return lambda x: x @ w[:, 1:].t() + w[:, 0]


TRAINERS = {
    'taught fit': ('torch', by_fit),
    'two addmm': ('torch', by_two_addmm),
    'one power': ('torch', by_one_power),
    'SGDRegressor': ('scikit-learn', by_scikit_learn),
    'skorch': ('skorch', by_skorch),
    'Lightning': ('lightning', by_lightning),
}


def trainers(epochs=2000, turns=7):
    inputs, targets = taught(13, 'inputs', 'targets')
    x, y = inputs.repeat(3, 1), targets.repeat(3, 1)
    runs, losses, table = {}, {}, []
    with warnings.catch_warnings(action='ignore'):
        for name, (_, train) in TRAINERS.items():
            run = functools.partial(train, x, y, epochs)
            with contextlib.suppress(ImportError):
                losses[name] = F.mse_loss(run()(x), y).item()
                runs[name] = run
        found = measure(runs, turns)
    for name, (package, _) in TRAINERS.items():
        if name not in found:
            table.append({'trainer': f'{name} is not installed: `make bench EXTRAS=1`'})
            continue
        one, fit = found[name], found['taught fit']
        assert 0.9 < losses[name] / losses['taught fit'] < 1.1, (
            f'{name} does other work'
        )
        middle, apart = (shown(1000 / epochs * time) for time in (one.median, one.iqr))
        line = {'trainer': name, 'package': f'{package} {version(package)}'}
        line['ms an epoch'] = f'{middle} ({apart})'
        line['final loss'] = f'{losses[name]:.1f}'
        table.append(line | {'times the taught fit': one.median / fit.median})
    return table, '15 rows, an epoch: times the taught fit'


# Ways through many rows.

RUNGS = 'DataLoader', 'whole batches', 'slices'
RUNGS += 'gradient by hand', 'two addmm', 'one bmm', 'in pairs', 'the sums'
FROM_FILE = 'the sums of a file'


def sums_of_file(name, count):
    """The sums of the rows in a file of columns, which is mapped into memory."""
    (sums,) = taught(13, 'sums')
    return sums(torch.from_file(name, size=6 * count).view(6, count))


def rows(counts=(1000, 10_000, 100_000, 10**6, 10**7), turns=5, most=200_000):
    make_rows, rungs = taught(13, 'make_rows', 'rungs')
    table = [{'times reading': name} for name in ('reading', *RUNGS, FROM_FILE)]
    for n in counts:
        data = make_rows(n)
        few = data[:most]
        runs = [*rungs(few, 1000, 0.1)[:2], *rungs(data, 1000, 0.1)[2:]]
        runs = {'reading': data.sum} | dict(zip(RUNGS, runs, strict=True))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            file = f'{folder}/rows'
            data.t().contiguous().numpy().tofile(file)
            runs[FROM_FILE] = functools.partial(sums_of_file, file, n)
            found = measure(runs, turns)
        for line in table:
            name = line['times reading']
            part = len(few) / n if name in RUNGS[:2] else 1
            line[f'{n:,} rows'] = found[name].median / found['reading'].median / part
    return table, f'{n:,} rows: times reading them'


# Two processes with a thread each beside one with two, in turn.


def work(rank, world, store, sizes, n):
    """One of `world` processes: scale_out.py and the sums of n rows, timed."""
    sys.path.append(str(NOTEBOOKS))
    import scale_out

    torch.set_num_threads(2 // world)
    dist.init_process_group('gloo', store.as_uri(), rank=rank, world_size=world)
    make_rows, sums = taught(13, 'make_rows', 'sums')
    torch.manual_seed(0)
    data, found = make_rows(n), {}
    dataset = TensorDataset(data[:20_000, 1:4], data[:20_000, 4:])
    for size in sizes:
        trained = scale_out.train(dataset, size, 2)
        weights = torch.tensor(trained['last'])
        found[f'batches of {size:,}'] = 1000 * trained['seconds'], weights
    part = data.t().contiguous().chunk(world, dim=1)[rank]

    def run():
        dist.all_reduce(total := sums(part))
        return total

    timer = Timer('run()', globals={'run': run}, num_threads=2 // world)
    found['the sums'] = 1000 * timer.timeit(3).mean, run() / n
    if rank == 0:
        torch.save(found, f'{store}-found')
    dist.destroy_process_group()


def processes(sizes=(20, 200, 2000, 20_000), n=10**7, turns=5):
    found = {1: [], 2: []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for turn, world in itertools.product(range(turns), found):
            store = Path(folder, f'{turn}-{world}')
            torch.multiprocessing.spawn(work, (world, store, sizes, n), nprocs=world)
            found[world].append(torch.load(f'{store}-found'))
    table = []
    for name in found[1][0]:
        results = [each[0][name][1] for each in found.values()]
        assert torch.allclose(*results, 1e-3, 1e-3), f'{name}: not the same result'
        times = [[turn[name][0] for turn in each] for each in found.values()]
        one, two = map(statistics.median, times)
        line = {'ms': name, 'one process': one, 'two processes': two}
        table.append(line | {'two / one': two / one})
    return table, 'two processes: times one with two threads'


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


def updates():
    inputs, targets, best_momentum = taught(10, 'inputs', 'targets', 'best_momentum')
    raw, y = inputs.double().numpy(), targets.double().numpy()
    scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    raw, scaled = (np.hstack([x, np.ones((len(x), 1))]) for x in (raw, scaled))
    starts = [np.random.default_rng(seed).standard_normal((4, 2)) for seed in range(20)]
    methods = {
        'raw, lr 1e-5': (raw, lambda of: [1e-5]),
        'raw, lr 1/L': (raw, lambda of: [1 / of[-1]]),
        'scaled, lr 2/(L + μ)': (scaled, lambda of: [2 / (of[0] + of[-1])]),
        'scaled, momentum': (scaled, lambda of: best_momentum(of[0], of[-1])),
        'full Newton': (raw, lambda of: [1 / of]),
    }
    table = []
    for name, (x, rates) in methods.items():
        best = np.linalg.lstsq(x, y)[0]
        enough = ((x @ best - y) ** 2).mean() / 100
        of, directions = np.linalg.eigh(2 / y.size * x.T @ x)
        errors = [directions.T @ (start - best) for start in starts]
        found = [updates_until(enough, of, error, *rates(of)) for error in errors]
        table.append({'method': name, 'updates': round(statistics.median(found))})
    return table, 'updates until within 1 % of the optimum'


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


def seconds(folder):
    """The time to execute a folder's notebooks and compare them, two at a time."""
    command = [sys.executable, '-m', 'pytest', '-q', '-n2', '--dist=loadfile', folder]
    env = os.environ | {'OMP_NUM_THREADS': '1'}  # as `make test` does
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f'The series fails, so it has no speed.\n{done.stdout}'
    return time.perf_counter() - start


def series(turns=3):
    (ROOT / 'build').mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / 'build') as bare:
        write_bare(Path(bare))
        found = [(seconds(bare), seconds(NOTEBOOKS)) for _ in range(turns)]
    floor, whole = map(statistics.median, zip(*found, strict=True))
    times = {'the imports alone': floor, f'{len(paths())} notebooks': whole}
    table = [
        {'run': name, 'seconds': one, 'times the imports alone': one / floor}
        for name, one in times.items()
    ]
    return table, 'the whole series: times the imports alone'


SECTIONS = {one.__name__: one for one in (trainers, rows, processes, updates, series)}


# The page and the picture.


def draw(sections):
    """The picture: bars from 1 on a logarithmic scale, readable on a phone."""
    measured = [
        ([list(line.values()) for line in table if len(line) > 1], label)
        for table, label in sections
    ]
    heights = [0.8 + 0.32 * len(lines) for lines, _ in measured]
    figure = Figure((4.6, sum(heights)), layout='constrained', dpi=150)
    axes = figure.subplots(len(heights), height_ratios=heights)
    for ax, (lines, label) in zip(axes, measured, strict=True):
        names, *_, values = zip(*lines, strict=True)
        away = [value - 1 for value in values]
        bars = ax.barh(names, away, 0.6, left=1, color=BLUE, log=True)
        ax.bar_label(bars, [*map(shown, values)], padding=4)
        ax.axvline(1, color=INK)
        ax.margins(x=0.4)
        ax.invert_yaxis()
        ax.tick_params(which='both', length=0, labelbottom=False)
        ax.spines[:].set_visible(False)
        ax.set_title(label, loc='right', weight='bold', size=10)
    return figure


def write(found, folder):
    """Save the picture, and the words of the template with the tables folded."""
    draw(found.values()).savefig(folder / 'bench.png')
    machine = f'{os.cpu_count()} cores ({platform.machine()})'
    machine += f', Python {platform.python_version()} and PyTorch {version("torch")}'
    look = {'disable_numparse': True, 'stralign': 'right', 'colalign': ['left']}
    blocks = {}
    for name, (table, _) in found.items():
        lines = [{title: shown(cell) for title, cell in line.items()} for line in table]
        blocks[name] = FOLD.format(tabulate(lines, 'keys', 'pipe', **look))
    text = TEMPLATE.read_text(encoding='utf-8').format(machine=machine, **blocks)
    (folder / 'bench.md').write_text(text, encoding='utf-8')


def main():
    found = {}
    for name, section in SECTIONS.items():
        print(f'bench: {name}', file=sys.stderr, flush=True)
        found[name] = section()
    write(found, ROOT)


if __name__ == '__main__':
    main()
