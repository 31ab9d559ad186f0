"""What a notebook's kernel must hold after its last cell, computed a second time.

Each check gets the value of an expression and compares it with an answer of its own: in
float64, from the article's raw numbers, and sharing no code with the notebook.
"""

import sqlite3
from collections import defaultdict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from series import ROOT, paths
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
CHECKS = defaultdict(list)  # of each notebook, by its number


def asks(expressions, *numbers):
    """Let a function check what these are at the end of these notebooks."""

    def register(check):
        check.asks = expressions
        for number in numbers:
            CHECKS[number].append(check)
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


@asks('loss.item()', 3, 4)
def the_loss_starts_where_the_article_starts(found):
    assert found == pytest.approx(46194.505, rel=1e-6)


@asks('loss.item()', 5)
def the_first_step_lowers_the_loss(found):
    assert found == pytest.approx(at_once(seeded(), 1)[1], rel=1e-6)


@asks('losses, loss.item()', 6)
def a_hundred_epochs_fall_all_the_way(losses, last):
    assert losses == pytest.approx(at_once(seeded(), 101)[1:], rel=1e-5)
    assert last == losses[-1] == pytest.approx(283.09, abs=0.01)


@asks('means, lasts, loss.item(), plain, in_order[1e-5]', 7)
def batches_lower_the_loss_too(means, lasts, loss, plain, in_order):
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
    assert in_order == pytest.approx(plain[-1], rel=1e-5)


@asks(
    'slow[-1].tolist(), fast[:4, 0].tolist(), largest, smallest, low, '
    'one_step[1].tolist(), slope_raw.item(), bias_raw.item()',
    9,
)
def a_line_in_a_valley_and_in_a_bowl(
    slow, fast, largest, smallest, low, bowl, slope, bias
):
    rain, apples = INPUTS[:, 1], TARGETS[:, 0]
    square, mean = rain.square().mean().item(), rain.mean().item()
    middle, root = square + 1, ((square - 1) ** 2 + 4 * mean**2) ** 0.5
    assert largest == pytest.approx(middle + root, rel=1e-6)
    assert smallest == pytest.approx(middle - root, rel=1e-3)
    assert low == pytest.approx(2 / largest, rel=1e-3)
    table = with_ones(INPUTS[:, 1:2]), TARGETS[:, :1], torch.zeros(2, 1).double()
    slowly = [*descent(*table, [(ALL, 1e-5)] * 40)]
    swinging = [*descent(*table, [(ALL, 1.1e-4)] * 3)]
    assert slow == pytest.approx(slowly[-1][:, 0].tolist(), abs=1e-9)
    assert fast == pytest.approx([w[0].item() for w in swinging])
    shift = rain - mean
    expected = ((shift * apples).sum() / shift.square().sum()).item()
    assert slope == pytest.approx(expected, rel=1e-4)
    assert bias == pytest.approx((apples.mean() - expected * mean).item(), rel=1e-4)
    assert bowl == pytest.approx(
        [expected * shift.square().mean().sqrt().item(), apples.mean().item()], rel=1e-4
    )


@asks('table, loss.item(), w_raw.tolist(), b_raw.tolist()', 9)
def scaling_and_centring_change_the_number_of_steps(table, loss, w, b):
    best, optimum = least_squares()
    assert loss == pytest.approx(optimum, abs=1e-4)
    for fruit in (0, 1):
        assert w[fruit] == pytest.approx(best[:3, fruit].tolist(), abs=1e-3)
        assert b[fruit] == pytest.approx(best[3, fruit].item(), abs=2e-2)
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


@asks('curvatures.tolist(), at_start.tolist(), rmse.item(), largest', 10)
def four_directions_make_the_loss(curvatures, at_start, rmse, largest):
    values, parts = spectrum(INPUTS)
    assert curvatures == pytest.approx(values.flip(0).tolist(), rel=1e-5)
    assert at_start == pytest.approx(parts.flip(0).tolist(), rel=1e-5)
    assert largest == pytest.approx(values.max().item())
    rest = TARGETS - seeded()[3]
    errors = INPUTS @ torch.linalg.pinv(INPUTS) @ rest - rest
    assert rmse == pytest.approx(errors.square().mean().sqrt().item(), rel=1e-5)


@asks(
    'quickest[0][0], quickest[0.75][0], '
    'home[-1].tolist(), *best_momentum(*curvatures[[0, 3]].tolist())',
    10,
)
def momentum_reaches_the_bias(plain, fitted, home, lr, beta):
    for found_so, beta_of in ((plain, 0), (fitted, 0.75)):
        steps = [steps_to_stay_below_1(k * 1e-5, beta_of) for k in range(1, 25)]
        assert found_so == min(steps)
    for row, expected in zip(home, least_squares()[0].tolist(), strict=True):
        assert row == pytest.approx(expected, abs=1e-4)
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
        reshuffled = floors[f'reshuffled {size}']
        assert np.all(np.less(reshuffled, floors[f'independent {size}']))
        assert 70 < reshuffled[-1] / reshuffled[0] < 140


def trial():
    """The field trial as an array (block, treatment, crop), in tons/ha."""
    path = ROOT / 'helpers' / 'cowpea_maize.csv'
    table = np.loadtxt(path, delimiter=',', skiprows=1)
    rows = sorted(table.tolist(), key=lambda row: row[1:5])
    return np.array(rows)[:, 5:].reshape(3, 24, 2) / 1000


# Effects of nitrogen, cowpea variety and maize varieties 2 and 3, with a bias.
EFFECTS = np.array(
    [[1, n, c, m == 1, m == 2] for n in range(4) for c in range(2) for m in range(3)]
)
# Least squares in a balanced table: what fits the mean of each treatment.
SMALL, LARGE = EFFECTS @ np.linalg.pinv(EFFECTS), np.eye(24)


def held_out(test, fit):
    """Squared errors of a block, and those of the mean of the others: (2,) each."""
    block, others = trial()[test], np.delete(trial(), test, axis=0)
    errors = ((block - fit @ others.mean(axis=0)) ** 2).mean(axis=0)
    return errors, ((block - others.mean(axis=(0, 1))) ** 2).mean(axis=0)


@asks(
    'noise.tolist(), model.coef_.tolist(), errors[1:].T.tolist(), '
    '[one.tolist() for one in gains]',
    11,
)
def noise_and_weights_of_the_field_trial(noise, weights, sure, gains):
    fields = trial()
    # An analysis of variance: total less blocks less treatments.
    total, block, treatment = (
        ((mean - fields.mean(axis=(0, 1))) ** 2 * count).sum(axis=(0, 1))
        for mean, count in (
            (fields, 1),
            (fields.mean(axis=1, keepdims=True), 24),
            (fields.mean(axis=0, keepdims=True), 3),
        )
    )
    variance = (total - block - treatment) / 46
    assert noise == pytest.approx((variance**0.5).tolist(), rel=1e-6)
    assert noise == pytest.approx([0.11415, 0.58795], abs=1e-5)
    x, y = np.tile(EFFECTS, (2, 1)), fields[:2].reshape(48, 2)
    best, squares, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.allclose(weights, best[1:].T, rtol=1e-5)
    inverse = np.linalg.pinv(x) @ np.linalg.pinv(x).T
    assert np.allclose(sure, np.outer(squares / 43, inverse.diagonal()[1:]) ** 0.5)
    cowpea = fields.reshape(3, 4, 2, 3, 2).mean(axis=(1, 3))
    assert np.allclose(gains, cowpea[:, 1] - cowpea[:, 0])


@asks('(error ** 2 / baseline ** 2).tolist(), large_error.tolist(), [*held_out]', 11)
def every_block_of_the_field_trial_once(left, large, maize):
    errors, around_mean = held_out(2, SMALL)
    assert left == pytest.approx((errors / around_mean).tolist(), rel=1e-6)
    assert large == pytest.approx((held_out(2, LARGE)[0] ** 0.5).tolist())
    both = [held_out(test, fit)[0] for test in range(3) for fit in (SMALL, LARGE)]
    assert maize == pytest.approx([of_maize for _, of_maize in both])


def patients():
    """Diabetes: inputs, targets, and the rows for test, validation and training."""
    from sklearn.datasets import load_diabetes  # it takes two seconds

    table = load_diabetes(scaled=False)
    order = torch.randperm(442, generator=torch.Generator().manual_seed(0))
    return table.data, table.target, *np.split(order.numpy(), [90, 180])


def standardised(x, rows):
    return (x - x[rows].mean(axis=0)) / x[rows].std(axis=0)


@asks('alphas, by_alpha.tolist(), by_epoch[:, 1:].tolist(), int(best_epoch)', 12)
def penalties_and_epochs_of_the_patients(alphas, by_alpha, by_epoch, best_epoch):
    from sklearn.linear_model import Ridge

    x, y, _, valid, train = patients()
    few = train[:20]
    x = standardised(x, few)
    for alpha, seen, unseen in zip(alphas, *by_alpha, strict=True):
        preds = Ridge(alpha).fit(x[few], y[few]).predict(x)
        assert [seen, unseen] == pytest.approx(of_rows(preds - y, few, valid), rel=1e-5)
    assert min(by_alpha[1]) == pytest.approx(59.359, abs=0.001)
    # In the directions of the singular vectors each epoch shrinks what is missing.
    u, sizes, vt = np.linalg.svd(x[few], full_matrices=False)
    goal = u.T @ (y[few] - y[few].mean()) / sizes
    for epoch in (1, 16, 100, 3000):
        w = vt.T @ (goal * (1 - (1 - 0.01 * 2 / 20 * sizes**2) ** epoch))
        missed = of_rows(y[few].mean() + x @ w - y, few, valid)
        assert [part[epoch - 1] for part in by_epoch] == pytest.approx(missed, rel=1e-5)
    assert best_epoch == 16


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
    """The made-up rows of 13 and 14, in float64: ones with inputs, and targets."""
    torch.manual_seed(137143)
    inputs = torch.randint(-16, 17, (count, 3), dtype=torch.int8).double() / 8
    errors = torch.randint(-8, 9, (count, 2), dtype=torch.int8).double()
    apples = inputs @ torch.tensor([-5.0, 26, 9]).double() + 76
    oranges = inputs @ torch.tensor([-3.0, 24, 12]).double() + 92
    targets = torch.stack([apples, oranges], dim=1) + errors
    return with_ones(inputs).roll(1, dims=1), targets


@asks('w_all.tolist(), best.tolist(), best_loss.item(), whole[0, 0].item()', 13)
def two_million_rows_lead_to_these_weights(w_all, best, best_loss, count):
    x, y = made_up(2_000_000)
    updates = [(rows, 0.1) for rows in torch.arange(len(x)).split(1000)]
    *_, w = descent(x, y, torch.zeros(4, 2).double(), updates)
    assert torch.allclose(torch.tensor(w_all).double(), w.T, atol=5e-3)
    exact = torch.linalg.lstsq(x, y).solution
    assert torch.allclose(torch.tensor(best).double(), exact.T, atol=1e-3)
    assert best_loss == pytest.approx(F.mse_loss(x @ exact, y).item(), abs=0.05)
    assert count == 10_000_000


@asks('sums(few).tolist()', 13)
def one_query_finds_the_sums(found):
    """The SQL of the remark, asked of SQLite."""
    x, y = (table[:20_000] for table in made_up(2_000_000))
    names = ['one', 'x1', 'x2', 'x3', 'y1', 'y2']
    database = sqlite3.connect(':memory:')
    database.execute(f'CREATE TABLE regions ({", ".join(names)})')
    rows = torch.cat([x, y], dim=1).tolist()
    database.executemany('INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?)', rows)
    wanted = ', '.join(f'sum({a} * {b})' for a in names for b in names)
    (answer,) = database.execute(f'SELECT {wanted} FROM regions')
    assert [each for row in found for each in row] == pytest.approx(answer)


@asks('tsqr(pieces)[0].tolist()', 13)
def the_trend_is_found_in_spite_of_its_condition(found):
    assert found[1] == pytest.approx(0.002, abs=1e-6)
    assert found[2:] == pytest.approx([0, 0], abs=0.02)


def after_updates(x, y, batch, epochs):
    """The weights after each update of scale_out.py, the bias first as in x: (4, 2)."""
    shuffles = (torch.Generator().manual_seed(epoch) for epoch in range(epochs))
    orders = [torch.randperm(len(x), generator=shuffle) for shuffle in shuffles]
    updates = [(rows, 0.02) for order in orders for rows in order.split(batch)]
    return [*descent(x, y, layer().roll(1, 0), updates, 0.9)][1:]


@asks('one["first"], two["last"], resumed["last"], unbroken["last"]', 14)
def one_process_two_and_a_resumed_run_agree(*found):
    x, y = (table[:20_000] for table in made_up(2_000_000))
    many, few = after_updates(x, y, 1000, 4), after_updates(x, y, 40, 2)
    for weights, w in zip(found, [many[0], many[-1], few[-1], few[-1]], strict=True):
        assert torch.allclose(torch.tensor(weights).double(), w.T, atol=1e-2)
