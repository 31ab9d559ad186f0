"""Compare speeds side by side in one run: `make bench` writes bench.md and bench.png.

    python tools/bench.py                 everything, in some five minutes
    python tools/bench.py --quick --only abd --to build    does it work? (no figures)

What is compared takes turns, and the median of several turns counts, so that a slow
minute of the machine meets all. Progress goes to stderr. The files are replaced at the
end: a stopped run leaves the old ones.
"""

import argparse
import ast
import contextlib
import functools
import importlib.metadata
import io
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
import numpy as np
import psutil
import torch
import torch.nn.functional as F
from execute import ROOT, execute, series
from matplotlib import pyplot as plt
from torch import distributed, nn
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from helpers.plots import BLUE, INK, STYLES

BATCH = 1000  # rows of an update, where there are many
CHUNK = 2**17  # rows that the sums take at once
NO_EXTRA = 'not installed: `make bench EXTRAS=1`, or `pip install {}`'
HEAD = """
# How fast is it?

`make bench` measured this in one run, on {machine}. What is compared took turns, and
the median of several turns counts. Other machines give other times; the ratios are
what to compare.

![Charts one above the other: the time of an epoch by trainer, epochs over many rows
against reading them, two processes against one, updates to the optimum, and the time
of the series against its floor. The tables below hold the numbers.](bench.png)
"""
TRAINERS_TEXT = """
All make the same number of epochs from zero weights: batches of 5 in random order,
with a learning rate of 1e-5. SGDRegressor is a compiled loop for linear models alone;
it makes an update for each row and each target, and with a fifth of that rate the same
progress. The losses at the end show that the work is the same.
"""
ROWS_TEXT = """
How many times as long as reading the data (`torch.sum`), and in brackets million rows
a second. One thread, three inputs and two targets in float32. The first four are an
epoch of the taught `fit`, all but the full batch with 1,000 rows an update; the first
two are measured on at most 200,000 of the rows, drawn at random, and scaled; drawing
is left out. The sums are X'X, X'Y, Y'Y and those of the columns, and include what
follows from them, the optimum itself. It matters how the numbers lie in memory.
"""
FILE_TEXT = """
Reading {n:,} rows ran at {speed:.1f} GB/s. From a file, {chunk:,} rows at a time, it
took {ms:.1f} ms, and the sums {ratio:.2f} times that. The memory grew by {grown:.1f} MB
meanwhile, with {size:.1f} MB in the file: what counts is the chunk.
"""
PROCESSES_TEXT = """
In ms: an epoch of {few:,} rows with DistributedDataParallel (DDP), and the sums of
{n:,} rows. Both ways reach the same weights and sums. DDP exchanges the gradients
after every update. Each exchange costs at least what the last line says, so it pays
only where an update takes much longer. The sums need one exchange in all.
"""
UPDATES_TEXT = """
Counted, not timed: five rows in one batch, the median of 20 random starts. L and μ
are the largest and the smallest curvature. Plain descent is computed from the
curvatures, momentum (at the best rate and momentum for these) and Newton's method are
carried out.
"""
SERIES_TEXT = """
In seconds. The floor is what the same command takes for notebooks that hold nothing
but the import statements of the series: kernels start and import, and that is all.
One at a time is measured once, each notebook right after its bare twin; two at a time
is the median of three turns.
"""


class Section(NamedTuple):
    """What a section found: a table for bench.md, and values for the picture."""

    title: str
    text: str
    head: list  # the table's column titles; the first one belongs to the names
    lines: list  # lists of strings
    values: dict  # name -> number, or name -> {rows: number}
    label: str  # of the axis of the values
    log: bool = False
    more: str = ''  # below the table


def say(step):
    print(f'bench: {step}', file=sys.stderr, flush=True)


def seconds(run, repeats=1):
    """What one call of `run` takes, as the mean of `repeats` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def medians(contenders, rounds, least=0.01):
    """Time callables in turn.

    Args:
        contenders: a dict of name: callable without arguments.
        rounds: how often each one is timed.
        least: what is faster than these seconds is called several times in a row.

    Returns:
        A dict of name: the median of the seconds that one call took.
    """
    for run in contenders.values():
        run()  # the first call also imports and allocates
    repeats = {key: round(least / seconds(run)) for key, run in contenders.items()}
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(seconds(run, max(1, repeats[name])))
    return {name: statistics.median(found) for name, found in times.items()}


@functools.cache
def taught():
    """The data and the `fit` of notebook 07: its own cells, executed, not retyped."""
    (path,) = [path for path in series() if path.name.startswith('07-')]
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == 'code']
    space = {}
    for mark in ('import numpy', 'inputs = np.array', 'inputs15 =', 'def fit('):
        (source,) = [source for source in sources if mark in source]
        exec(compile(source, path.name, 'exec'), space)
    return space


def train(epochs, model, loader, lr):
    """Train with the taught `fit`, without its log, and return the model."""
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    with contextlib.redirect_stdout(io.StringIO()):
        taught()['fit'](epochs, model, F.mse_loss, opt, loader)
    return model


class Zero(nn.Linear):
    """The linear model, three inputs and two targets, with zeros to start from."""

    def __init__(self):
        super().__init__(3, 2)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


# (a) The article's work: 15 rows, batches of 5, lr 1e-5. Each trainer below makes a
# function that trains anew from zeros and returns what predicts.


def by_fit(x, y, epochs):
    loader = DataLoader(TensorDataset(x, y), 5, shuffle=True)
    return lambda: train(epochs, Zero(), loader, 1e-5)


def by_scikit_learn(x, y, epochs):
    """One row an update and half the square: a fifth of lr makes the same way."""
    from sklearn.linear_model import SGDRegressor

    options = {'penalty': None, 'learning_rate': 'constant', 'eta0': 1e-5 / 5}
    rows, columns = x.numpy(), y.numpy().T

    def run():
        models = [SGDRegressor(**options) for _ in columns]
        for _ in range(epochs):
            for model, column in zip(models, columns, strict=True):
                model.partial_fit(rows, column)
        return lambda x: torch.tensor([model.predict(x.numpy()) for model in models]).T

    return run


def by_skorch(x, y, epochs):
    from skorch import NeuralNetRegressor

    options = {'criterion': nn.MSELoss, 'optimizer': torch.optim.SGD, 'lr': 1e-5}
    options |= {'batch_size': 5, 'iterator_train__shuffle': True, 'verbose': 0}
    options |= {'max_epochs': epochs, 'train_split': None}
    return lambda: NeuralNetRegressor(Zero, **options).fit(x, y).module_


def by_lightning(x, y, epochs):
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.linear = Zero()

        def training_step(self, batch):
            return F.mse_loss(self.linear(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=1e-5)

    logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)
    loader = DataLoader(TensorDataset(x, y), 5, shuffle=True)
    off = ('logger', 'enable_checkpointing', 'enable_progress_bar')
    options = dict.fromkeys((*off, 'enable_model_summary'), False)

    def run():
        module = Module()
        options.update(max_epochs=epochs, accelerator='cpu')
        lightning.Trainer(**options).fit(module, loader)
        return module.linear

    return run


TRAINERS = {'taught fit': ('torch', by_fit)}
TRAINERS |= {'SGDRegressor': ('scikit-learn', by_scikit_learn)}
TRAINERS |= {'skorch': ('skorch', by_skorch), 'Lightning': ('lightning', by_lightning)}


def trainers(quick=False):
    """Compare what is installed, after holding every final loss to that of `fit`."""
    epochs = 20 if quick else 100
    x, y = taught()['inputs15'], taught()['targets15']
    runs, lines = {}, {}
    for name, (package, make) in TRAINERS.items():
        say(f'(a) {name}')
        lines[name] = [name, NO_EXTRA.format(package), '', '']
        with contextlib.suppress(ImportError):
            runs[name] = make(x, y, epochs)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        losses = {name: F.mse_loss(run()(x), y).item() for name, run in runs.items()}
        times = medians(runs, 1 if quick else 7)
    for name, loss in losses.items():
        assert 0.5 < loss / losses['taught fit'] < 2, f'{name} does other work: {loss}'
        package = TRAINERS[name][0]
        version = importlib.metadata.version(package).partition('+')[0]
        ratio = times[name] / times['taught fit']
        cells = [f'{1000 * times[name] / epochs:.2f}', f'{ratio:.2f}', f'{loss:.1f}']
        lines[name] = [f'{name} ({package} {version})', *cells]
    head = ['trainer', 'ms an epoch', 'times the taught fit', 'final loss']
    title = 'The same 15 rows, by different trainers'
    ratios = {name: times[name] / times['taught fit'] for name in runs}
    lines = list(lines.values())
    return Section(title, TRAINERS_TEXT, head, lines, ratios, 'times the taught fit')


# (b) One epoch over n rows, and the sums that hold all that the loss needs of them.


class Slices:
    """Batches of consecutive rows of a data set: views, nothing is copied."""

    def __init__(self, dataset, size):
        self.dataset, self.size = dataset, size

    def __iter__(self):
        for start in range(0, len(self.dataset), self.size):
            yield self.dataset[start : start + self.size]


def made_up(n):
    """n rows of three inputs and two targets, a column after the other: (5, n)."""
    columns = torch.randn(5, n, generator=torch.Generator().manual_seed(0))
    weights = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    columns[3:].mul_(0.1).addmm_(weights, columns[:3]).add_(7)
    return columns


def sums(columns):
    """The products of all pairs of columns (5, n), and their sums, in one pass: (5, 6).

    Each chunk is added up in float32, the chunks in float64.
    """
    total = torch.zeros(5, 6, dtype=torch.float64)
    for part in columns.split(CHUNK, dim=1):
        total[:, :5] += part @ part.t()
        total[:, 5] += part.sum(dim=1)
    return total


def solve(total, n):
    """Least squares from the sums (5, 6) of n rows: weights and bias, (4, 2)."""
    with_n = torch.cat([total, torch.cat([total[:, 5], torch.tensor([n])])[None]])
    inner, outer = [0, 1, 2, 5], [3, 4]
    right = torch.cat([with_n[:3][:, outer], with_n[5, outer][None]])
    return torch.linalg.solve(with_n[inner][:, inner], right)


def answer(columns):
    return solve(sums(columns), columns.shape[1])


def ways(n, most):
    """name -> (callable for one epoch over n rows, how much of an epoch it is)."""
    columns = made_up(n)
    table = columns.t().contiguous()
    dataset = TensorDataset(table[:, :3], table[:, 3:])
    order = torch.randint(n, (most,)) if n > most else torch.randperm(n)
    by_index = BatchSampler(order.tolist(), BATCH, drop_last=False)
    loaders = {
        'DataLoader': (DataLoader(dataset, BATCH, sampler=by_index.sampler), order),
        'whole batches by index': (DataLoader(dataset, None, sampler=by_index), order),
        'slices': (Slices(dataset, BATCH), table),
        'full batch': (Slices(dataset, n), table),
    }
    found = {'reading': (table.sum, 1)}
    for name, (loader, rows) in loaders.items():
        run = functools.partial(train, 1, Zero(), loader, 0.01)
        found[name] = run, len(rows) / n
    found['sums, row after row'] = functools.partial(answer, table.t()), 1
    found['sums, column after column'] = functools.partial(answer, columns), 1
    truth = torch.tensor([[1, 4], [2, 5], [3, 6], [7, 7]])
    assert (answer(columns) - truth).abs().max() < 0.1
    assert torch.allclose(answer(table.t()), answer(columns), rtol=1e-3)
    return found


def from_file(columns, rounds):
    """Read and sum columns (5, n) by chunks: two times in s, growth of memory in B."""
    shape, process = columns.shape, psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'columns')
        columns.numpy().tofile(path)

        def chunks(work):
            before, most = process.memory_info().rss, 0
            for start in range(0, shape[1], CHUNK):
                # Mapped anew for each chunk, the pages of the last one are given back.
                mapped = np.memmap(path, 'float32', 'c', shape=shape)
                work(torch.from_numpy(mapped[:, start : start + CHUNK]))
                most = max(most, process.memory_info().rss - before)
                del mapped
            return most

        runs = [lambda: chunks(torch.sum), lambda: chunks(sums)]
        return *medians(dict(enumerate(runs)), rounds).values(), chunks(sums)


def rows(quick=False):
    """Compare ways through n rows in memory, with one thread, and sums from a file."""
    sizes = [1000, 10_000] if quick else [10**k for k in range(3, 8)]
    most, rounds = (5000, 1) if quick else (2 * 10**5, 5)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = {}
    for n in sizes:
        say(f'(b) {n:,} rows')
        runs = ways(n, most)
        once = medians({name: run for name, (run, _) in runs.items()}, rounds)
        times[n] = {name: once[name] / part for name, (_, part) in runs.items()}
    say('(b) from a file')
    read, summed, grown = from_file(made_up(n), rounds)
    torch.set_num_threads(threads)
    sentence = {'n': n, 'chunk': CHUNK, 'speed': 20 * n / times[n]['reading'] / 1e9}
    sentence |= {'ms': 1000 * read, 'ratio': summed / read}
    more = FILE_TEXT.format(**sentence, grown=grown / 1e6, size=20 * n / 1e6)
    values = {
        name: {n: times[n][name] / times[n]['reading'] for n in sizes}
        for name in times[n]
    }

    def cell(name, n):
        return f'{short(values[name][n])} ({short(n / times[n][name] / 1e6)})'

    lines = [[name, *(cell(name, n) for n in sizes)] for name in values]
    head, label = ['way', *(f'{n:,} rows' for n in sizes)], 'times reading the data'
    return Section('Many rows', ROWS_TEXT, head, lines, values, label, True, more)


# (c) Two processes with a thread each against one with two threads.


EXCHANGE = 'one exchange of 8 numbers'


def together(rank, folder, n, rounds):
    """One of two processes; process 0 also works alone, in turn, and notes seconds."""
    if sys.platform == 'linux':
        os.environ.setdefault('GLOO_SOCKET_IFNAME', 'lo')
    store = f'file://{folder}/store'
    distributed.init_process_group('gloo', store, rank=rank, world_size=2)
    columns = made_up(n)
    half = columns[:, rank * n // 2 : (rank + 1) * n // 2].contiguous()
    table = columns[:, : n // 10].t().contiguous()  # of the batches

    def alone(size):
        loader = Slices(TensorDataset(table[:, :3], table[:, 3:]), size)
        return train(1, Zero(), loader, 0.01).weight

    def with_ddp(size):
        mine = table.reshape(-1, 2, size // 2, 5)[:, rank].reshape(-1, 5)
        loader = Slices(TensorDataset(mine[:, :3], mine[:, 3:]), size // 2)
        model = nn.parallel.DistributedDataParallel(Zero())
        return train(1, model, loader, 0.01).module.weight

    def reduced(total):
        distributed.all_reduce(total)
        return total

    jobs = {
        f'DDP, {size:,} rows an update': (
            functools.partial(alone, size),
            functools.partial(with_ddp, size),
        )
        for size in (1000, 20_000)
    }
    jobs['the sums'] = lambda: sums(columns), lambda: reduced(sums(half))
    jobs[EXCHANGE] = (lambda: None), lambda: reduced(torch.zeros(8))
    times = {name: ([], []) for name in jobs}
    for turn in range(rounds + 1):  # the first one warms up
        for name, (one, two) in jobs.items():
            if rank == 0:
                torch.set_num_threads(2)
                start = time.perf_counter()
                expected = one()
                first = time.perf_counter() - start
            torch.set_num_threads(1)
            distributed.barrier()
            start = time.perf_counter()
            result = two()
            second = time.perf_counter() - start
            if rank == 0 and turn:
                times[name][0].append(first)
                times[name][1].append(second)
                assert expected is None or torch.allclose(expected, result, rtol=1e-3)
    if rank == 0:
        Path(folder, 'times').write_text(json.dumps(times))
    distributed.destroy_process_group()


def processes(quick=False):
    """Compare two processes with a thread each and one with two threads."""
    say('(c) two processes')
    n, rounds = (400_000, 1) if quick else (10**7, 5)
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(together, (folder, n, rounds), nprocs=2)
        times = json.loads(Path(folder, 'times').read_text())
    lines, ratios = [], {}
    for name, pair in times.items():
        one, two = (1000 * statistics.median(each) for each in pair)
        lines.append([name, short(one), short(two), f'{two / one:.2f}'])
        ratios[name] = two / one
    lines[-1][1::2] = '', ''  # the exchange has nothing to compare with
    del ratios[EXCHANGE]
    title = 'Two processes against one with two threads'
    head = ['work', 'one process', 'two processes', 'two / one']
    label = 'two processes: times one with two threads'
    text = PROCESSES_TEXT.format(few=n // 10, n=n)
    return Section(title, text, head, lines, ratios, label)


# (d) Updates until the loss is within 1 % of the optimum and stays there, on 5 rows.


def plain_updates(curvatures, errors, lr, enough):
    """How many updates of gradient descent take the excess loss below `enough`.

    Counted by bisection: an update multiplies the error in each direction by
    1 - lr * curvature, and the excess loss is half of curvature times error squared.

    Args:
        curvatures: (k,), the eigenvalues of the Hessian.
        errors: (k, m), the distances to the optimum along its eigenvectors.
    """
    weights = 0.5 * curvatures * (errors**2).sum(axis=1)
    low, high = 0, 2**40
    while low < high:
        middle = (low + high) // 2
        excess = weights @ np.abs(1 - lr * curvatures) ** (2.0 * middle)
        low, high = (low, middle) if excess <= enough else (middle + 1, high)
    return low


def momentum_updates(curvatures, errors, lr, momentum, enough, most=500):
    """The same with momentum, by doing them: up to the last update that is above."""
    now, step, last = errors, 0, 0
    for update in range(most):
        if 0.5 * curvatures @ (now**2).sum(axis=1) > enough:
            last = update + 1
        step = momentum * step - lr * curvatures[:, None] * now
        now = now + step
    return last


def best_with_momentum(low, high):
    """The rate and the momentum that are best for curvatures low to high (Polyak)."""
    low, high = low**0.5, high**0.5
    return 4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2


def newton_updates(x, y, w, enough):
    """The same with the inverse Hessian in place of a rate."""
    count = 0
    while ((x @ w - y) ** 2).mean() > enough:
        w = w - np.linalg.solve(x.T @ x, x.T @ (x @ w - y))
        count += 1
    return count


def updates(quick=False):
    """Count the updates of different methods: the median of 20 random starts."""
    say('(d) updates')
    x, y = taught()['inputs'].double().numpy(), taught()['targets'].double().numpy()
    raw = np.hstack([x, np.ones((5, 1))])
    scaled = np.hstack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones((5, 1))])
    starts = [np.random.default_rng(seed).standard_normal((4, 2)) for seed in range(20)]
    optimum = ((raw @ np.linalg.lstsq(raw, y)[0] - y) ** 2).mean()

    def median(x, count, rates):
        curvatures, directions = np.linalg.eigh(2 / y.size * x.T @ x)
        rates = rates(curvatures[0], curvatures[-1])
        errors = [directions.T @ (w - np.linalg.lstsq(x, y)[0]) for w in starts]
        counts = [count(curvatures, error, *rates, optimum / 100) for error in errors]
        return statistics.median(counts)

    newton = [newton_updates(raw, y, w, 1.01 * optimum) for w in starts]
    counts = {
        'raw, lr 1e-5': median(raw, plain_updates, lambda low, high: [1e-5]),
        'raw, lr 1/L': median(raw, plain_updates, lambda low, high: [1 / high]),
        'scaled, lr 2/(L + μ)': median(
            scaled, plain_updates, lambda low, high: [2 / (low + high)]
        ),
        'scaled, momentum': median(scaled, momentum_updates, best_with_momentum),
        'full Newton': statistics.median(newton),
    }
    lines = [[name, f'{count:,.0f}'] for name, count in counts.items()]
    title = 'Updates until within 1 % of the optimum'
    label = title.lower()
    return Section(
        title, UPDATES_TEXT, ['method', 'updates'], lines, counts, label, True
    )


# (e) The series, against kernels that do nothing but its imports.


def write_bare(folder):
    """For each notebook of the series, one in `folder` with its import statements."""
    for path in series():
        code = [
            c for c in nbformat.read(path, as_version=4).cells if c.cell_type == 'code'
        ]
        body = [node for cell in code for node in ast.parse(cell.source).body]
        imports = [
            node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        cell = nbformat.v4.new_code_cell('\n'.join(map(ast.unparse, imports)))
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / path.name)


def compare(folder):
    """Execute the notebooks of a folder, two at a time, and compare them, by nbval."""
    command = [sys.executable, '-m', 'pytest', '-c', ROOT / 'pyproject.toml', '-q']
    command += ['-n', '2', '--dist', 'loadfile', folder]
    env = os.environ | {'OMP_NUM_THREADS': '1'}  # as `make test` does
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, (
        f'The series fails, so there is no speed.\n{done.stdout}'
    )


def whole_series(quick=False):
    """Compare the series with its floor, one kernel at a time and two at a time."""
    alone, both = [], []
    with tempfile.TemporaryDirectory() as name:
        write_bare(folder := Path(name))
        for path in series():
            say(f'(e) {path.name}')
            pair = folder / path.name, path
            alone.append([seconds(functools.partial(execute, each)) for each in pair])
        for turn in range(1 if quick else 3):
            say(f'(e) executed and compared, turn {turn + 1}')
            pair = folder, ROOT / 'notebooks'
            both.append([seconds(functools.partial(compare, each)) for each in pair])
    times = {
        'executed, one at a time': np.sum(alone, axis=0),
        'compared, two at a time': np.median(both, axis=0),
    }
    ratios = {name: full / bare for name, (bare, full) in times.items()}
    lines = [[name, *map(short, times[name]), f'{r:.2f}'] for name, r in ratios.items()]
    title = f'The whole series: {len(alone)} notebooks'
    head = ['run', 'floor', 'series', 'series / floor']
    return Section(
        title, SERIES_TEXT, head, lines, ratios, 'the series: times its floor'
    )


SECTIONS = {'a': trainers, 'b': rows, 'c': processes, 'd': updates, 'e': whole_series}


# The page and the picture.


def short(value):
    return f'{float(f"{value:.3g}"):,.10g}'


def flow(text):
    """Prose in even lines, its paragraphs kept apart."""
    paragraphs = [' '.join(each.split()) for each in text.strip().split('\n\n')]
    return '\n\n'.join(textwrap.fill(each, 88) for each in paragraphs)


def page(sections):
    """The whole of bench.md."""
    memory = psutil.virtual_memory().total / 2**30
    machine = f'{os.cpu_count()} cores ({platform.machine()}) with {memory:.0f} GiB of '
    machine += f'memory, Python {platform.python_version()} and PyTorch '
    machine += torch.__version__.partition('+')[0]
    blocks = [flow(HEAD.format(machine=machine))]
    for found in sections:
        rule = ['---', *['---:'] * (len(found.head) - 1)]
        table = [' | '.join(line) for line in (found.head, rule, *found.lines)]
        table = '\n'.join(f'| {line} |' for line in table)
        blocks += [f'## {found.title}', flow(found.text), table]
        blocks += [flow(found.more)] if found.more else []
    return '\n\n'.join(blocks) + '\n'


def draw_bars(ax, found):
    bars = ax.barh(list(found.values), list(found.values.values()), 0.6, color=BLUE)
    numbers, white = map(short, found.values.values()), {'fc': 'white', 'ec': 'none'}
    ax.bar_label(bars, list(numbers), padding=4, bbox={'pad': 1, **white})
    ax.set(xlabel=found.label, xscale='log' if found.log else 'linear')
    ax.invert_yaxis()
    ax.margins(x=0.3)
    if found.log:
        ax.set_xlim(left=0.5)
    else:
        ax.axvline(1, color=INK, ls=':')


def draw_lines(ax, found):
    name, *names = found.values  # the first is what the others are compared with
    styles = [*STYLES, (INK, '-'), (INK, '--')]
    for name, (color, line), marker in zip(names, styles, 'os^DvP', strict=True):
        x, y = zip(*found.values[name].items(), strict=True)
        ax.plot(x, y, color=color, ls=line, marker=marker, label=name)
    ax.set(xscale='log', yscale='log', xlabel='rows', ylabel=found.label)
    ax.legend(loc='lower center', bbox_to_anchor=(0.4, 1), ncols=2, frameon=False)


def draw(sections, path):
    """Save the picture: one section above the other, readable on a phone."""
    many = [isinstance([*found.values.values()][0], dict) for found in sections]
    heights = [
        4.2 if lines else 0.8 + 0.36 * len(found.values)
        for lines, found in zip(many, sections, strict=True)
    ]
    shape = {'figsize': (6.4, sum(heights)), 'height_ratios': heights}
    figure, axes = plt.subplots(
        len(heights), layout='constrained', squeeze=False, **shape
    )
    for ax, lines, found in zip(axes[:, 0], many, sections, strict=True):
        (draw_lines if lines else draw_bars)(ax, found)
        ax.spines[['top', 'right']].set_visible(False)
    figure.savefig(path, dpi=100, facecolor='white', format='png')
    plt.close(figure)


def save(sections, folder):
    """Write both files in full, then put them in the place of the old ones."""
    folder.mkdir(parents=True, exist_ok=True)
    drafts = [folder / 'bench.md.draft', folder / 'bench.png.draft']
    try:
        drafts[0].write_text(page(sections), encoding='utf-8')
        draw(sections, drafts[1])
        for draft in drafts:
            os.replace(draft, draft.with_suffix(''))
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='small sizes, one turn')
    parser.add_argument('--only', default='abcde', help='sections, such as abd')
    parser.add_argument('--to', type=Path, default=ROOT, help='the folder to write to')
    options = parser.parse_args(arguments)
    save([SECTIONS[key](options.quick) for key in options.only], options.to)
    print((options.to / 'bench.md').read_text(encoding='utf-8'))
    say(f'wrote bench.md and bench.png to {os.path.relpath(options.to)}')


if __name__ == '__main__':
    main()
