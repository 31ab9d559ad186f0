"""What a notebook's kernel must hold after its last cell, computed a second time.

Each check gets the value of an expression and compares it with an answer of its own: in
float64, from the article's raw numbers, and sharing no code with the notebook.
"""

import sqlite3

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from series import ROOT, paths
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader

DATA = torch.tensor(
    [
        [73, 67, 43, 56, 70],
        [91, 88, 64, 81, 101],
        [87, 134, 58, 119, 133],
        [102, 43, 37, 22, 37],
        [69, 96, 70, 103, 119],
    ],
    dtype=torch.float64,
)
INPUTS, TARGETS = DATA[:, :3], DATA[:, 3:]
ALL = slice(None)
CHECKS = []


def of(number):
    """The checks of one notebook, as pairs of a name and a function."""
    return [(check.__name__, check) for numbers, check in CHECKS if number in numbers]


def asks(expressions, *numbers):
    """Let a function check what these are at the end of these notebooks."""

    def register(check):
        check.asks = expressions
        CHECKS.append((numbers, check))
        return check

    return register


def with_ones(x):
    """Inputs with a last column that the bias multiplies."""
    return F.pad(x, (0, 1), value=1.0)


def descent(x, y, w, updates, beta=0):
    """The weights, the bias below them, at the start and after each update.

    Args:
        x: inputs `with_ones`.
        updates: the rows and the learning rate of each.
        beta: the momentum.
    """
    velocity = torch.zeros_like(w)
    yield w
    for rows, lr in updates:
        errors = x[rows] @ w - y[rows]
        velocity = beta * velocity + 2 * x[rows].T @ errors / errors.numel()
        w = w - lr * velocity
        yield w


def losses_of(path, rows=ALL):
    """The loss of the article's rows at each of these weights."""
    x, y = with_ones(INPUTS)[rows], TARGETS[rows]
    return [F.mse_loss(x @ w, y).item() for w in path]


def seeded():
    """The weights, (4, 2), with which the article starts."""
    torch.manual_seed(137143)
    return torch.column_stack([torch.randn(2, 3), torch.randn(2)]).double().T


def layer(inputs=3, targets=2):
    """The weights with which a layer of PyTorch's starts."""
    torch.manual_seed(137143)
    linear = torch.nn.Linear(inputs, targets)
    return torch.column_stack([linear.weight, linear.bias]).detach().double().T


def at_once(w, steps, lr=1e-5, beta=0):
    """The losses at the start and after each step with all the article's rows."""
    path = descent(with_ones(INPUTS), TARGETS, w, [(ALL, lr)] * steps, beta)
    return losses_of(path)


@asks('__import__("helpers").__file__', *range(1, len(paths()) + 1))
def helpers_come_from_this_folder(found):
    assert found == str(ROOT / 'helpers' / '__init__.py')


@asks('losses', 6)
def a_hundred_epochs_fall_all_the_way(losses):
    assert losses == pytest.approx(at_once(seeded(), 101)[1:], rel=1e-5)


@asks('means, lasts, loss.item(), plain', 7)
def batches_lower_the_loss_too(means, lasts, loss, plain):
    start = layer()
    loader = DataLoader(range(15), batch_size=5, shuffle=True)
    batches = [batch % 5 for _ in range(100) for batch in loader]
    updates = [(rows, 1e-5) for rows in batches]
    *path, end = descent(with_ones(INPUTS), TARGETS, start, updates)
    of_batch = [losses_of([w], rows) for w, rows in zip(path, batches, strict=True)]
    by_epoch = torch.tensor(of_batch).reshape(100, 3)
    assert [loss] == pytest.approx(losses_of([end]), rel=1e-5)
    assert lasts == pytest.approx(by_epoch[:, -1].tolist(), rel=1e-5)
    assert means == pytest.approx(by_epoch.mean(dim=1).tolist(), rel=1e-5)
    assert plain == pytest.approx(at_once(start, 300), rel=1e-5)


@asks(
    'slow[-1].tolist(), largest, smallest, '
    'one_step[1].tolist(), [slope_raw.item(), bias_raw.item()]',
    9,
)
def a_line_in_a_valley_and_in_a_bowl(slow, largest, smallest, bowl, line):
    x, y = with_ones(INPUTS[:, 1:2]), TARGETS[:, :1]
    *_, w = descent(x, y, torch.zeros(2, 1).double(), [(ALL, 1e-5)] * 40)
    assert slow == pytest.approx(w[:, 0].tolist(), abs=1e-9)
    steep, flat = (torch.linalg.svdvals(x).square() * 2 / 5).tolist()
    assert largest == pytest.approx(steep, rel=1e-6)
    assert smallest == pytest.approx(flat, rel=1e-3)
    slope, bias = (torch.linalg.pinv(x) @ y)[:, 0].tolist()
    assert line == pytest.approx([slope, bias], rel=1e-4)
    scaled = slope * x[:, 0].std(unbiased=False).item()
    assert bowl == pytest.approx([scaled, y.mean().item()], rel=1e-4)


@asks('table, loss.item(), w_raw.tolist(), b_raw.tolist()', 9)
def scaling_and_centring_change_the_number_of_steps(table, loss, w, b):
    best, optimum = least_squares()
    assert loss == pytest.approx(optimum, abs=1e-4)
    assert np.allclose(w, best[:3].T, atol=1e-3)
    assert b == pytest.approx(best[3].tolist(), abs=2e-2)
    centred = INPUTS - INPUTS.mean(dim=0)
    scaled = centred / centred.square().mean(dim=0).sqrt()
    for name, x, bias in (
        ('raw', INPUTS, 0),
        ('centred', centred, 0),
        ('centred, bias at mean', centred, TARGETS.mean(dim=0)),
        ('standardised', scaled, 0),
    ):
        steps, condition = table[name]
        curvatures, parts = spectrum(x, bias)
        shrinks = 1 - curvatures / curvatures.max()
        before, after = (
            optimum + (parts * shrinks ** (2 * k)).sum().item()
            for k in (steps - 1, steps)
        )
        assert after < 1 < before, name
        assert condition == pytest.approx((curvatures.max() / curvatures.min()).item())


def least_squares():
    """The best weights with the bias below, (4, 2), and their loss."""
    x = with_ones(INPUTS)
    best = torch.linalg.pinv(x) @ TARGETS
    return best, F.mse_loss(x @ best, TARGETS).item()


def spectrum(x, bias=0):
    """The curvatures, and what each direction adds to the loss of weights 0."""
    x = with_ones(x)
    _, sizes, directions = torch.linalg.svd(x)
    start = torch.zeros(4, 2, dtype=torch.float64)
    start[3] = torch.as_tensor(bias)
    apart = directions @ (start - torch.linalg.pinv(x) @ TARGETS)
    curvatures = sizes.square() / 5
    return curvatures, curvatures / 2 * apart.square().sum(dim=1)


@asks('curvatures.tolist(), at_start.tolist()', 10)
def four_directions_make_the_loss(curvatures, at_start):
    values, parts = spectrum(INPUTS)
    assert curvatures == pytest.approx(values.flip(0).tolist(), rel=1e-5)
    assert at_start == pytest.approx(parts.flip(0).tolist(), rel=1e-5)


@asks(
    'quickest[0][0], quickest[0.75][0], *best_momentum(*curvatures[[0, 3]].tolist())',
    10,
)
def momentum_needs_fewer_steps(plain, fitted, lr, beta):
    for found_so, beta_of in ((plain, 0), (fitted, 0.75)):
        rates = [k * 1e-5 for k in range(1, 25)]
        steps = [steps_to_stay_below_1(rate, beta_of) for rate in rates]
        assert found_so == min(steps)
    curvatures, _ = spectrum(INPUTS)
    roots = curvatures.max().sqrt().item(), curvatures.min().sqrt().item()
    assert lr == pytest.approx((2 / sum(roots)) ** 2)
    assert beta == pytest.approx(((roots[0] - roots[1]) / sum(roots)) ** 2)


def steps_to_stay_below_1(lr, beta):
    losses = at_once(torch.zeros(4, 2).double(), 399, lr, beta)
    return max(step for step, loss in enumerate(losses, 1) if not loss < 1)


@asks(
    'x15.tolist(), y15.tolist(), rates.tolist(), '
    '{f"{name} {size}": floor.tolist() for (name, size), floor in floors.items()}',
    10,
)
def independent_draws_leave_the_floor_of_theory(x, y, rates, floors):
    x, y = torch.tensor(x).double(), torch.tensor(y).double()
    rest = x @ torch.linalg.pinv(x) @ y - y
    square = x.T @ x / 15
    outer = torch.einsum('ni,nj,nk,nl->ikjl', x, x, x, x).reshape(16, 16) / 15
    noise = torch.einsum('ni,nj,n->ij', x, x, rest.square().sum(dim=1)) / 15
    eye = torch.eye(4, dtype=torch.float64)
    for size in (1, 5):
        # What one update makes of the expected square of the distances (Kronecker).
        twice = outer / size + (1 - 1 / size) * torch.kron(square, square)
        for place, lr in enumerate(rates):
            mixed = lr * (torch.kron(square, eye) + torch.kron(eye, square))
            spread = lr**2 / size * noise.reshape(16)
            rested = torch.linalg.solve(mixed - lr**2 * twice, spread).reshape(4, 4)
            expected = (square * rested).sum().item() / 2
            assert floors[f'independent {size}'][place] == pytest.approx(
                expected, rel=0.15
            )


def trial():
    """The field trial as an array (block, treatment, crop), in tons/ha."""
    path = ROOT / 'helpers' / 'cowpea_maize.csv'
    rows = [[*map(int, line.split(','))] for line in path.read_text().split()[1:]]
    rows.sort(key=lambda row: row[1:5])
    return np.array(rows)[:, 5:].reshape(3, 24, 2) / 1000


# Effects of nitrogen, cowpea variety and maize varieties 2 and 3, with a bias.
EFFECTS = np.array(
    [[1, n, c, m == 1, m == 2] for n in range(4) for c in range(2) for m in range(3)]
)


@asks('model.coef_.tolist(), errors[1:].T.tolist()', 11)
def weights_of_the_field_trial(weights, sure):
    x, y = np.tile(EFFECTS, (2, 1)), trial()[:2].reshape(48, 2)
    best, squares, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.allclose(weights, best[1:].T, rtol=1e-5)
    inverse = np.linalg.pinv(x) @ np.linalg.pinv(x).T
    assert np.allclose(sure, np.outer(squares / 43, inverse.diagonal()[1:]) ** 0.5)


@asks('[*held_out]', 11)
def every_block_of_the_field_trial_once(maize):
    """In a balanced table, least squares fit the mean of each treatment."""
    expected, fields = [], trial()[:, :, 1]
    for test in range(3):
        means = np.delete(fields, test, axis=0).mean(axis=0)
        for preds in (EFFECTS @ np.linalg.pinv(EFFECTS) @ means, means):
            expected.append(((fields[test] - preds) ** 2).mean())
    assert maize == pytest.approx(expected)


def patients():
    """Diabetes: inputs, targets, and the rows for test, validation and training."""
    table = load_diabetes(scaled=False)
    order = torch.randperm(442, generator=torch.Generator().manual_seed(0))
    return table.data, table.target, *np.split(order.numpy(), [90, 180])


def standardised(x, rows):
    return StandardScaler().fit(x[rows]).transform(x)


@asks('alphas, by_alpha.tolist(), by_epoch[:, 1:].tolist()', 12)
def penalties_and_epochs_of_the_patients(alphas, by_alpha, by_epoch):
    x, y, _, valid, train = patients()
    few = train[:20]
    x = standardised(x, few)
    for alpha, seen, unseen in zip(alphas, *by_alpha, strict=True):
        preds = Ridge(alpha).fit(x[few], y[few]).predict(x)
        assert [seen, unseen] == pytest.approx(of_rows(preds - y, few, valid), rel=1e-5)
    # In the directions of the singular vectors each epoch shrinks what is missing.
    u, sizes, vt = np.linalg.svd(x[few], full_matrices=False)
    goal = u.T @ (y[few] - y[few].mean()) / sizes
    for epoch in (1, 16, 100, 3000):
        w = vt.T @ (goal * (1 - (1 - 0.01 * 2 / 20 * sizes**2) ** epoch))
        missed = of_rows(y[few].mean() + x @ w - y, few, valid)
        assert [part[epoch - 1] for part in by_epoch] == pytest.approx(missed, rel=1e-5)


def of_rows(errors, *parts):
    return [(errors[rows] ** 2).mean() ** 0.5 for rows in parts]


@asks('history, final.mean().sqrt().item()', 12)
def the_training_of_the_patients(history, final):
    """The same training in float64, with the momentum written out."""
    x, y, test, valid, train = patients()
    x = with_ones(torch.from_numpy(standardised(x, train)))
    y = torch.from_numpy(y)[:, None]
    updates = []
    for epoch in range(120):
        order = torch.Generator().manual_seed(epoch)
        loader = DataLoader(range(262), 32, shuffle=True, generator=order)
        lr = 0.05 if epoch < 100 else 0.0005
        updates += [(train[batch.numpy()], lr) for batch in loader]
    of_epochs = [*descent(x, y, layer(10, 1), updates, 0.9)][9::9]
    errors = [of_rows((x @ w - y).numpy(), valid, test) for w in of_epochs]
    assert history == pytest.approx([error for error, _ in errors], rel=1e-3)
    assert final == pytest.approx(errors[-1][1], rel=1e-3)


def made_up(count):
    """The made-up rows of 13, in float64: inputs with ones, and targets."""
    torch.manual_seed(137143)
    inputs = torch.randint(-16, 17, (count, 3), dtype=torch.int8).double() / 8
    errors = torch.randint(-8, 9, (count, 2), dtype=torch.int8).double()
    apples = inputs @ torch.tensor([-5.0, 26, 9]).double() + 76
    oranges = inputs @ torch.tensor([-3.0, 24, 12]).double() + 92
    return with_ones(inputs), torch.stack([apples, oranges], dim=1) + errors


@asks('w_all.tolist(), best.tolist()', 13)
def two_million_rows_lead_to_these_weights(w_all, best):
    x, y = made_up(2_000_000)
    updates = [(rows, 0.1) for rows in torch.arange(len(x)).split(1000)]
    *_, w = descent(x, y, torch.zeros(4, 2).double(), updates)
    assert torch.allclose(torch.tensor(w_all).double(), w.T, atol=5e-3)
    exact = torch.linalg.lstsq(x, y).solution
    assert torch.allclose(torch.tensor(best).double(), exact.T, atol=1e-3)


@asks('sums(few).tolist()', 13)
def one_query_finds_the_sums(found):
    """The SQL of the remark, asked of SQLite."""
    x, y = (table[:20_000] for table in made_up(2_000_000))
    names = ['x1', 'x2', 'x3', 'one', 'y1', 'y2']
    database = sqlite3.connect(':memory:')
    database.execute(f'CREATE TABLE regions ({", ".join(names)})')
    rows = torch.cat([x, y], dim=1).tolist()
    database.executemany('INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?)', rows)
    wanted = ', '.join(f'sum({a} * {b})' for a in names for b in names)
    (answer,) = database.execute(f'SELECT {wanted} FROM regions')
    assert [each for row in found for each in row] == pytest.approx(answer)
