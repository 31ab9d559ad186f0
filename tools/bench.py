"""Compare speeds side by side in one run: `make bench` writes bench.md and bench.png.

    python tools/bench.py                 everything, in some five minutes
    python tools/bench.py --quick --only abd --to build    does it work? (no figures)

What is compared takes turns, and the median of several turns counts: a slow minute of
the machine meets all. Read the ratios; the times are those of one machine. Progress goes
to stderr. The files are replaced at the end, so a stopped run leaves the old ones.
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
import time
import warnings
from pathlib import Path

import nbformat
import numpy as np
import psutil
import torch
import torch.nn.functional as F
from execute import ROOT, execute, series
from torch import distributed, nn
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

BATCH = 1000  # rows of an update, where there are many
CHUNK = 2**17  # rows that the sums take at once
NO_EXTRA = 'not installed: `make bench EXTRAS=1`, or `pip install {}`'


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


TRAINERS = {'taught `fit`': ('torch', by_fit)}
TRAINERS |= {'SGDRegressor': ('scikit-learn', by_scikit_learn)}
TRAINERS |= {'skorch': ('skorch', by_skorch), 'Lightning': ('lightning', by_lightning)}


def trainers(quick=False):
    """name -> (package, version, ms an epoch, final loss), or (package,) if missing."""
    epochs = 20 if quick else 100
    x, y = taught()['inputs15'], taught()['targets15']
    runs, found = {}, {}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        for name, (package, make) in TRAINERS.items():
            say(f'(a) {name}')
            found[name] = (package,)
            with contextlib.suppress(ImportError), torch.enable_grad():
                runs[name] = make(x, y, epochs)
        models = {name: torch.enable_grad()(run)() for name, run in runs.items()}
        losses = {name: F.mse_loss(model(x), y) for name, model in models.items()}
        with torch.enable_grad():
            times = medians(runs, 1 if quick else 7)
    for name, loss in losses.items():
        assert 0.5 < loss / losses['taught `fit`'] < 2, (
            f'{name} does other work: {loss}'
        )
        version = importlib.metadata.version(found[name][0]).partition('+')[0]
        found[name] += (version, 1000 * times[name] / epochs, loss.item())
    return found


# (b) One epoch over n rows, and the sums that hold all that the loss needs of them.


class Slices:
    """Batches of consecutive rows of a data set: views, nothing is copied."""

    def __init__(self, dataset, size):
        self.dataset, self.size = dataset, size

    def __iter__(self):
        for start in range(0, len(self.dataset), self.size):
            yield self.dataset[start : start + self.size]


def made_up(n, seed=0):
    """n rows of three inputs and two targets, a column after the other: (5, n)."""
    columns = torch.randn(5, n, generator=torch.Generator().manual_seed(seed))
    weights = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    columns[3:].mul_(0.1).addmm_(weights, columns[:3]).add_(7)
    return columns


def sums(columns, chunk=CHUNK):
    """The products of all pairs of columns (5, n), and their sums, in one pass: (5, 6).

    Each chunk is added up in float32, the chunks in float64.
    """
    total = torch.zeros(5, 6, dtype=torch.float64)
    for part in columns.split(chunk, dim=1):
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
    """Seconds to read and to sum columns (5, n) in a file by chunks, and MB of growth."""
    shape, process = tuple(columns.shape), psutil.Process()
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
            return most / 1e6

        work = {'reading': torch.sum, 'sums': sums}
        runs = {name: functools.partial(chunks, each) for name, each in work.items()}
        return {**medians(runs, rounds), 'MB': chunks(sums), 'n': shape[1]}


def rows(quick=False):
    """{n: {way: seconds an epoch}} on one thread, and the same from a file."""
    sizes, most = (
        ((1000, 10_000), 5000) if quick else ([10**k for k in range(3, 8)], 2 * 10**5)
    )
    rounds = 1 if quick else 5
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = {}
    for n in sizes:
        say(f'(b) {n:,} rows')
        runs = ways(n, most)
        times = medians({name: run for name, (run, _) in runs.items()}, rounds)
        found[n] = {name: times[name] / part for name, (_, part) in runs.items()}
    say('(b) from a file')
    file = from_file(made_up(sizes[-1]), rounds)
    torch.set_num_threads(threads)
    return {'memory': found, 'file': file}


# (c) Two processes with a thread each against one with two threads.


def together(rank, folder, n, rounds):
    """One of two processes. Process 0 also works alone, in turn, and notes the times."""
    if sys.platform == 'linux':
        os.environ.setdefault('GLOO_SOCKET_IFNAME', 'lo')
    store = f'file://{folder}/store'
    distributed.init_process_group('gloo', store, rank=rank, world_size=2)
    columns = made_up(n)
    half = columns[:, rank * n // 2 : (rank + 1) * n // 2].contiguous()
    table = columns.t().contiguous()

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
        f'DistributedDataParallel, {size:,} rows an update': (
            functools.partial(alone, size),
            functools.partial(with_ddp, size),
        )
        for size in (1000, 20_000)
    }
    jobs['the sums'] = lambda: sums(columns), lambda: reduced(sums(half))
    jobs['exchange of 8 numbers'] = (lambda: None), lambda: reduced(torch.zeros(8))
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
    """name -> (seconds in one process with two threads, in two processes)."""
    say('(c) two processes')
    n, rounds = (40_000, 1) if quick else (4 * 10**6, 5)
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(together, (folder, n, rounds), nprocs=2)
        times = json.loads(Path(folder, 'times').read_text())
    return {name: [statistics.median(t) for t in pair] for name, pair in times.items()}


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


def newton_updates(x, y, w, enough):
    """The same with the inverse Hessian in place of a rate."""
    count = 0
    while ((x @ w - y) ** 2).mean() > enough:
        w = w - np.linalg.solve(x.T @ x, x.T @ (x @ w - y))
        count += 1
    return count


def updates(quick=False):
    """name -> the median count of 20 random starts."""
    say('(d) updates')
    inputs, y = (
        taught()['inputs'].double().numpy(),
        taught()['targets'].double().numpy(),
    )
    ones = np.ones((5, 1))
    raw = np.hstack([inputs, ones])
    scaled = np.hstack([(inputs - inputs.mean(0)) / inputs.std(0), ones])
    optimum = ((raw @ np.linalg.lstsq(raw, y)[0] - y) ** 2).mean()
    starts = [np.random.default_rng(seed).standard_normal((4, 2)) for seed in range(20)]

    def median(x, count, *rates):
        curvatures, directions = np.linalg.eigh(2 / y.size * x.T @ x)
        best = np.linalg.lstsq(x, y)[0]
        low, high = curvatures[[0, -1]]
        rates = [rate(low, high) for rate in rates]
        errors = [directions.T @ (start - best) for start in starts]
        return statistics.median(
            count(curvatures, error, *rates, 0.01 * optimum) for error in errors
        )

    found = {
        'raw, lr 1e-5': median(raw, plain_updates, lambda low, high: 1e-5),
        'raw, lr 1/L': median(raw, plain_updates, lambda low, high: 1 / high),
        'scaled, lr 2/(L + μ)': median(
            scaled, plain_updates, lambda low, high: 2 / (low + high)
        ),
        'scaled, momentum': median(
            scaled,
            momentum_updates,
            lambda low, high: 4 / (low**0.5 + high**0.5) ** 2,
            lambda low, high: ((high**0.5 - low**0.5) / (high**0.5 + low**0.5)) ** 2,
        ),
    }
    newton = [newton_updates(raw, y, start, 1.01 * optimum) for start in starts]
    return found | {'full Newton': statistics.median(newton)}


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
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (
        f'The series fails, so there is no speed.\n{done.stdout}'
    )


def whole_series(quick=False):
    """name -> (seconds of the bare kernels, seconds of the series)."""
    with tempfile.TemporaryDirectory() as name:
        write_bare(folder := Path(name))
        alone = []
        for path in series():
            say(f'(e) {path.name}')
            bare = seconds(lambda path=path: execute(folder / path.name))
            alone.append((bare, seconds(lambda path=path: execute(path))))
        both = []
        for turn in range(1 if quick else 3):
            say(f'(e) all, compared, turn {turn + 1}')
            both.append(
                [seconds(lambda f=f: compare(f)) for f in (folder, ROOT / 'notebooks')]
            )
    return {
        'executed, one at a time': np.sum(alone, axis=0).tolist(),
        'executed and compared, two at a time': np.median(both, axis=0).tolist(),
    }


# The page and the picture.


def short(value):
    return f'{float(f"{value:.3g}"):,.10g}'


def table(head, lines):
    """A table in Markdown; its first column is text, the others are right-aligned."""
    rule = ['---', *['---:'] * (len(head) - 1)]
    return [f'| {" | ".join(cells)} |' for cells in [head, rule, *lines]]


def page_trainers(found):
    base = found['taught `fit`'][2]
    lines = []
    for name, (package, *measured) in found.items():
        if measured:
            version, ms, loss = measured
            cells = [f'{ms:.2f}', f'{ms / base:.2f}', f'{loss:.1f}']
            lines.append([f'{name} ({package} {version})', *cells])
        else:
            lines.append([name, NO_EXTRA.format(package), '', ''])
    return [
        '## The same 15 rows, by different trainers',
        'Batches of 5 in random order, the same number of epochs from zero weights, lr 1e-5.'
        ' SGDRegressor makes an update for each row and each target, with a fifth of lr.',
        table(['', 'ms an epoch', 'times `fit`', 'final loss'], lines),
    ]


def page_rows(found):
    sizes, file = list(found['memory']), found['file']
    lines = []
    for name in found['memory'][sizes[0]]:
        cells = []
        for n in sizes:
            time, reading = found['memory'][n][name], found['memory'][n]['reading']
            cells.append(f'{short(time / reading)} ({short(n / time / 1e6)})')
        lines.append([name, *cells])
    ratio = file['sums'] / file['reading']
    speed = 20 * sizes[-1] / found['memory'][sizes[-1]]['reading'] / 1e9
    return [
        '## One epoch over many rows',
        'How many times as long as reading the data (`torch.sum`), and in brackets million rows'
        f' a second. One thread, three inputs and two targets in float32, {BATCH:,} rows an'
        ' update where there are batches, trained by the taught `fit`. The first two are'
        ' measured on at most 200,000 of the rows, at random, and scaled; making'
        " the random order is left out. The sums are X'X, X'Y, Y'Y and those of each"
        ' column: from them follows the optimum itself, which is included.',
        table(['', *(f'{n:,} rows' for n in sizes)], lines),
        f'Reading {sizes[-1]:,} rows: {short(speed)} GB/s. From a file, {CHUNK:,} rows at a time:'
        f' reading {file["n"]:,} rows takes {short(1000 * file["reading"])} ms, the sums'
        f' {short(ratio)} times that, and the memory grows by {file["MB"]:.1f} MB of the'
        f' {20 * file["n"] / 1e6:.0f} MB in the file.',
    ]


def page_processes(found):
    lines = [
        [name, short(1000 * one) if one > 1e-5 else '', short(1000 * two)]
        + [f'{two / one:.2f}' if one > 1e-5 else '']
        for name, (one, two) in found.items()
    ]
    return [
        '## Two processes against one with two threads',
        'One epoch, ms. Both reach the same weights and sums. DistributedDataParallel exchanges'
        ' the gradients after every update: that costs one exchange each, the last line, and pays'
        ' only where an update itself takes much longer. The sums need one exchange in all.',
        table(['', 'one process', 'two processes', 'two / one'], lines),
    ]


def page_updates(found):
    return [
        '## Updates until within 1 % of the optimum',
        'Counted, not timed: five rows in one batch, median of 20 random starts. L and μ are the'
        ' largest and the smallest curvature. The first three are computed from the curvatures;'
        ' momentum takes the best rate and momentum that theory knows for these.',
        table(
            ['', 'updates'], [[name, f'{count:,.0f}'] for name, count in found.items()]
        ),
    ]


def page_series(found):
    lines = [
        [name, f'{bare:.1f}', f'{full:.1f}', f'{full / bare:.2f}']
        for name, (bare, full) in found.items()
    ]
    return [
        f'## The whole series, {len(series())} notebooks',
        'Seconds. The floor executes, in the same way, notebooks that hold nothing but the import'
        ' statements of the series: kernels start and import, and that is all.',
        table(['', 'floor', 'series', 'series / floor'], lines),
    ]


def draw_bars(ax, values, label, log=False):
    from helpers.plots import BLUE

    names = [name.replace('`', '') for name in values]
    bars = ax.barh(names, values.values(), color=BLUE, height=0.6)
    ax.bar_label(bars, [f'{short(value)}' for value in values.values()], padding=4)
    ax.set(xlabel=label, **({'xscale': 'log'} if log else {}))
    ax.invert_yaxis()
    ax.margins(x=0.25)


def draw_trainers(ax, found):
    values = {name: m[2] for name, m in found.items() if len(m) > 1}
    draw_bars(ax, values, '15 rows: ms an epoch')


def draw_rows(ax, found):
    from helpers.plots import INK, STYLES

    sizes = list(found['memory'])
    styles = [*STYLES, (INK, '-'), (INK, '--')]
    names = list(found['memory'][sizes[0]])[1:]
    for name, (color, line), marker in zip(names, styles, 'os^DvP', strict=True):
        ratios = [times[name] / times['reading'] for times in found['memory'].values()]
        ax.plot(sizes, ratios, color=color, ls=line, marker=marker, label=name)
    ax.set(xscale='log', yscale='log', xlabel='rows', ylabel='times reading the data')
    ax.legend(loc='lower center', bbox_to_anchor=(0.4, 1), ncols=2, frameon=False)


def draw_processes(ax, found):
    values = {
        name.replace('DistributedDataParallel', 'DDP').replace(' an update', ''): two
        / one
        for name, (one, two) in found.items()
        if one > 1e-5
    }
    draw_bars(ax, values, 'two processes: times one with two threads')
    ax.axvline(1, color='black', ls=':')


def draw_updates(ax, found):
    draw_bars(ax, found, 'updates to within 1 % of the optimum', log=True)


def draw_series(ax, found):
    values = {n.replace(', ', ',\n'): full / bare for n, (bare, full) in found.items()}
    draw_bars(ax, values, 'the series: times its floor')
    ax.axvline(1, color='black', ls=':')


SECTIONS = {
    'a': (trainers, page_trainers, draw_trainers, 2),
    'b': (rows, page_rows, draw_rows, 4),
    'c': (processes, page_processes, draw_processes, 1.8),
    'd': (updates, page_updates, draw_updates, 2.2),
    'e': (whole_series, page_series, draw_series, 1.6),
}
ALT = (
    'Charts one above the other: milliseconds an epoch by trainer; epochs over '
    'many rows against reading them; two processes against one; updates to the '
    'optimum; the time of the series against its floor. The tables below hold the numbers.'
)


def page(found):
    """The whole of bench.md, from what the sections found."""
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        '# How fast is it?',
        f'`make bench` measured this in one run, on {os.cpu_count()} cores'
        f' ({platform.machine()}) with {memory:.0f} GiB of memory, Python'
        f' {platform.python_version()} and PyTorch {torch.__version__.partition("+")[0]}.'
        ' What is compared took turns, and the median counts. Other machines give other times;'
        ' the ratios are what to compare.',
        f'![{ALT}](bench.png)',
    ]
    for key, result in found.items():
        lines += SECTIONS[key][1](result)
    blocks = ['\n'.join(line) if isinstance(line, list) else line for line in lines]
    return '\n\n'.join(blocks) + '\n'


def draw(found, path):
    from matplotlib import pyplot as plt

    heights = [SECTIONS[key][3] + 0.5 for key in found]
    figure, axes = plt.subplots(
        len(found),
        figsize=(6.4, sum(heights)),
        height_ratios=heights,
        layout='constrained',
        squeeze=False,
    )
    for ax, (key, result) in zip(axes[:, 0], found.items(), strict=True):
        SECTIONS[key][2](ax, result)
        ax.spines[['top', 'right']].set_visible(False)
    figure.savefig(path, dpi=100, facecolor='white', format='png')
    plt.close(figure)


def save(found, folder):
    """Write both files in full, then put them in place of the old ones."""
    folder.mkdir(exist_ok=True)
    drafts = [folder / 'bench.md.draft', folder / 'bench.png.draft']
    drafts[0].write_text(page(found), encoding='utf-8')
    draw(found, drafts[1])
    for draft in drafts:
        os.replace(draft, draft.with_suffix(''))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='small sizes, one turn')
    parser.add_argument('--only', default='abcde', help='sections, such as abd')
    parser.add_argument('--to', type=Path, default=ROOT, help='the folder to write to')
    options = parser.parse_args(arguments)
    save({key: SECTIONS[key][0](options.quick) for key in options.only}, options.to)
    say(f'wrote {options.to}/bench.md and bench.png')


if __name__ == '__main__':
    main()
