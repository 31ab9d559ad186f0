"""Checks for the exercises. Each takes an answer and returns a `Verdict` on it.

An answer that was left open, is wrong, has the wrong type or raises an error gets a
sentence that helps; a check itself never raises. Functions are tried on random inputs
of several shapes. Nothing here touches PyTorch's own random numbers.
"""

import inspect
import math
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory

import numpy as np
import torch

from helpers.data import REGIONS_CSV, read_csv


class Verdict(str):
    """What a check says. A notebook shows it as a plain sentence."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


OPEN = Verdict(
    'Not answered yet: replace the dots in the cell above, run it, then run this one.'
)
RIGHT = Verdict('Right.')


def _wrong(hint):
    return Verdict(f'Not yet: {hint}')


def _value(answer, right, wrong=(), tolerance=1e-4):
    """Compare a value with the right one, then with (wrong value, hint) pairs."""
    if answer is ...:
        return OPEN
    problem = _problem(answer, right, tolerance)
    hints = (hint for value, hint in wrong if not _problem(answer, value, tolerance))
    return _wrong(next(hints, problem)) if problem else RIGHT


def _function(answer, cases, right, wrong=(), raises=None, through=None):
    """Try a function on every case, beside the right one and (wrong one, hint) pairs.

    `raises` maps the type of an error to a hint; `through` takes the function and
    returns the one to call in its place.
    """
    results = _results(answer, cases, raises, through)
    if isinstance(results, Verdict):
        return results

    def problems(function):
        for case, result in zip(cases, results, strict=True):
            yield _problem(result, function(*_copies(case)))

    problem = next(filter(None, problems(right)), '')
    hints = (hint for function, hint in wrong if not any(problems(function)))
    return _wrong(next(hints, problem)) if problem else RIGHT


def _results(answer, cases, raises=None, through=None):
    """What a function gives for each case, or a verdict if it cannot give that."""
    if answer is ...:
        return OPEN
    if not callable(answer):
        return _wrong(f'expected a function, found {_kind(answer)}.')
    function, results = through(answer) if through else answer, []
    for case in cases:
        if not _takes(answer, len(case)):
            return _wrong(f'the function has to take {len(case)} argument(s).')
        try:
            results.append(function(*_copies(case)))
        except Exception as error:
            first_line = str(error).partition('\n')[0]
            reason = f'it raised {type(error).__name__}: {first_line}'
            return _wrong((raises or {}).get(type(error), reason))
    return results


def _takes(function, count):
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        pass  # some built-in functions have no signature to look at
    return True


def _copies(case):
    return [value.clone() if hasattr(value, 'clone') else value for value in case]


def _problem(found, right, tolerance=1e-4):
    """What is wrong with a value, '' if it equals the right one."""
    if isinstance(right, torch.Tensor) and right.ndim:
        return _tensor_problem(found, right, tolerance)
    if isinstance(right, tuple | list):
        if not isinstance(found, tuple | list) or len(found) != len(right):
            return f'expected {len(right)} values, found {_kind(found)}.'
        pairs = zip(found, right, strict=True)
        return next(filter(None, (_problem(*pair, tolerance) for pair in pairs)), '')
    if isinstance(right, dict):
        if not isinstance(found, dict) or found.keys() != right.keys():
            keys = f' with the keys {[*found]}' if isinstance(found, dict) else ''
            return f'expected the keys {[*right]}, found {_kind(found)}{keys}.'
        return _problem([found[key] for key in right], [*right.values()], tolerance)
    if isinstance(right, bool):
        return '' if found is right else f'expected {right}, found {found!r}.'
    if isinstance(found, torch.Tensor) and found.numel() == 1:
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, int | float | np.number):
        return f'expected a number, found {_kind(found)}.'
    if not math.isfinite(found):
        return f'the result is {found}.'
    same = math.isclose(found, right, rel_tol=tolerance)
    return '' if same else f'{found:.6g} is not the number.'


def _tensor_problem(found, right, tolerance):
    if not isinstance(found, torch.Tensor):
        return f'expected a tensor, found {_kind(found)}.'
    if found.requires_grad:
        return 'the tensor still requires gradients; .detach() gives it without.'
    if found.dtype != right.dtype:
        return f'the dtype is {found.dtype}, expected {right.dtype}.'
    if found.shape != right.shape:
        return f'the shape is {tuple(found.shape)}, expected {tuple(right.shape)}.'
    if not found.isfinite().all():
        return 'the tensor holds NaN or infinite values.'
    slack = tolerance * right.abs().max().item()
    close = torch.allclose(found, right, rtol=tolerance, atol=slack)
    return '' if close else 'the shape is right, the values are not.'


def _kind(value):
    if isinstance(value, tuple | list):
        return f'{len(value)} in a {type(value).__name__}'
    return 'None' if value is None else f'a {type(value).__name__}'


def _random(*shapes):
    """Random inputs of these shapes, the same ones in every run."""
    random = torch.Generator().manual_seed(sum(map(sum, shapes)))
    return tuple(torch.randn(shape, generator=random) for shape in shapes)


_INPUTS, _TARGETS = (
    torch.from_numpy(matrix)
    for matrix in read_csv(
        REGIONS_CSV,
        label='region',
        inputs=['temp_F', 'rainfall_mm', 'humidity_pct'],
        targets=['apples_ton', 'oranges_ton'],
    )[1:]
)
_BEST_RATE = 5.5855e-5


# 01 Prepare the training data


def check_counts(answer):
    """01.1: the whole numbers of the exercise as a tensor for a model, (3, 2)."""
    right = torch.tensor([[3.0, 5.0], [2.0, 8.0], [4.0, 4.0]])
    turned = right.t().contiguous()
    return _value(answer, right, [(turned, 'keep one row for each observation.')])


def check_copy(answer):
    """01.2: a function of an array that returns a tensor with its own memory."""
    arrays = [np.arange(3, dtype='float32'), np.ones((2, 4), dtype='float32')]
    verdict = _function(answer, [(array,) for array in arrays], torch.tensor)
    if verdict != RIGHT:
        return verdict
    tensors = [answer(array) for array in arrays]
    for array, tensor in zip(arrays, tensors, strict=True):
        array += 1
        if torch.equal(tensor, torch.tensor(array)):
            return _wrong('the tensor changes with the array: they share their memory.')
    return RIGHT


# 02 Build a linear model from scratch

_SIZES = [(5, 3, 2), (4, 6, 3), (1, 2, 5), (3, 3, 3)]  # rows, inputs, targets
_MODELS = [_random((n, k), (m, k), (m,)) for n, k, m in _SIZES]


def check_model(answer):
    """02.1: the model as a function of x (n, k), w (m, k) and b (m,)."""
    wrong = [
        (lambda x, w, b: x @ w.t(), 'the bias is missing.'),
        (lambda x, w, b: x @ w.t() - b, 'the bias is added, not subtracted.'),
    ]
    shapes = 'the shapes do not meet: w is (m, k), so it must be transposed.'
    return _function(
        answer, _MODELS, lambda x, w, b: x @ w.t() + b, wrong, {RuntimeError: shapes}
    )


def check_shapes(answer):
    """02.2: the shapes of w, b and preds for 7 rows, 4 inputs and 3 targets."""
    wrong = [
        (((4, 3), (3,), (7, 3)), 'w has one row for each target.'),
        (((3, 4), (7, 3), (7, 3)), 'b is stored once; broadcasting repeats it.'),
        (((3, 4), (3,), (3, 7)), 'preds has one row for each observation.'),
    ]
    return _value(answer, ((3, 4), (3,), (7, 3)), wrong)


# 03 Measure the error with a loss

_PAIRS = [_random(shape, shape) for shape in [(5, 2), (7, 3), (4,)]]


def check_rmse(answer):
    """03.1: the root mean squared error of preds and targets of one shape."""

    def root_of_sum_over(count):
        return lambda p, t: (((p - t) ** 2).sum() / count(p)).item() ** 0.5

    wrong = [
        (
            lambda p, t: ((p - t) ** 2).mean().item(),
            'this is the MSE, without its root.',
        ),
        (lambda p, t: (p - t).abs().mean().item(), 'this is the MAE.'),
        (root_of_sum_over(lambda p: 1), 'this adds the squares; average them.'),
        (root_of_sum_over(len), 'divide by the number of elements, not of rows.'),
    ]
    return _function(answer, _PAIRS, root_of_sum_over(torch.numel), wrong)


def check_constants(answer):
    """03.2: the best constant predictions for apples and oranges, (2,), in tons."""
    wrong = [
        (
            _TARGETS.mean(dim=1),
            'these are means of regions; take those of the targets.',
        ),
        (_TARGETS.mean(), 'this is one number; take one for each target.'),
        (_TARGETS.median(dim=0).values, 'the median is best for the MAE, not the MSE.'),
    ]
    return _value(answer, _TARGETS.mean(dim=0), wrong)


# 04 Compute the gradients


def _gradients(x, targets, w, b):
    diff = x @ w.t() + b - targets
    return 2 * diff.t() @ x / diff.numel(), 2 * diff.sum(dim=0) / diff.numel()


def _scaled(factor):
    return lambda *case: [factor(case[1]) * part for part in _gradients(*case)]


def check_gradients(answer):
    """04.1: the gradients of the MSE by w and b, from x, targets, w and b."""
    cases = [(x, *_random((len(x), len(w))), w, b) for x, w, b in _MODELS]
    wrong = [
        (
            _scaled(lambda y: -1),
            'the sign is wrong: the difference is preds - targets.',
        ),
        (_scaled(lambda y: 0.5), 'the factor 2 of the square is missing.'),
        (_scaled(lambda y: y.shape[1]), 'divide by all elements, not by the rows.'),
        (_scaled(torch.numel), 'this is the gradient of the sum; divide by n times m.'),
    ]
    return _function(answer, cases, _gradients, wrong)


def check_central_difference(answer):
    """04.2: the central difference of f at x with the distance h."""
    cases = [(lambda x: x**3, 2.0, 0.5), (lambda x: 2 * x * x - x, -1.0, 0.25)]
    wrong = [
        (lambda f, x, h: (f(x + h) - f(x)) / h, 'this looks to one side only.'),
        (lambda f, x, h: (f(x + h) - f(x - h)) / h, 'the two points are 2 h apart.'),
        (lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), 'the sign is wrong.'),
    ]
    return _function(
        answer, cases, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), wrong
    )


# 05 Take one gradient-descent step


def check_step(answer):
    """05.1: a function of w, which has a gradient, and lr: a step in place."""

    def moved(step):
        def after(start, lr):
            w = start.requires_grad_()
            (w**2).sum().backward()
            step(w, lr)
            cleared = w.grad is None or not w.grad.any()
            return w.detach(), torch.tensor([float(cleared)])

        return after

    def expected(factor, cleared=1.0):
        return lambda start, lr: (start + factor * lr * start, torch.tensor([cleared]))

    wrong = [
        (expected(0, 0.0), 'w is as before: change it in place, with -=.'),
        (expected(0, 1.0), 'w is as before, and its gradient is cleared too early.'),
        (expected(2), 'w moves with the gradient; move against it.'),
        (expected(-2, 0.0), 'the step is right; now set the gradient back to zero.'),
    ]
    refused = 'PyTorch refuses this: put the change of w inside no_grad().'
    cases = [(*_random(shape), 0.1) for shape in ((2, 3), (4,))]
    raises = {RuntimeError: refused}
    return _function(answer, cases, expected(-2), wrong, raises, moved)


def check_best_rate(answer):
    """05.2: the learning rate with the lowest loss after the first step."""
    wrong = [
        (5.6e-5, 'this is the best of the rates that we tried; go on between them.'),
        (
            2 * _BEST_RATE,
            'this is twice the best rate: the loss is as before the step.',
        ),
        (1e-5, 'this is the rate that we used; a larger one is better.'),
    ]
    return _value(answer, _BEST_RATE, wrong, tolerance=1e-3)


# 06 Train for 100 epochs


def _losses(x, y, epochs, lr, keep=0):
    """The losses of training from zeros; `keep` times the old gradient is added."""
    w, b = torch.zeros(y.shape[1], x.shape[1]), torch.zeros(y.shape[1])
    w_sum, b_sum, losses = 0, 0, []
    for _ in range(epochs + 1):
        losses.append(((x @ w.t() + b - y) ** 2).mean().item())
        w_grad, b_grad = _gradients(x, y, w, b)
        w_sum, b_sum = w_grad + keep * w_sum, b_grad + keep * b_sum
        w, b = w - lr * w_sum, b - lr * b_sum
    return losses


def check_train(answer):
    """06.1: train from zeros; the losses before each epoch, and the one at the end."""
    sizes = [(5, 3, 2, 10), (8, 2, 1, 5)]  # rows, inputs, targets, epochs
    cases = [(*_random((n, k), (n, m)), epochs, 0.05) for n, k, m, epochs in sizes]
    adding = 'the gradients add up: set them to zero in every epoch.'
    wrong = [
        (
            lambda *case: _losses(*case)[:-1],
            'the loss after the last epoch is missing.',
        ),
        (lambda *case: _losses(*case)[-1], 'return all losses, not only the last.'),
        (lambda *case: _losses(*case, keep=1), adding),
        (lambda *case: _losses(*case, keep=1)[:-1], adding),
    ]
    return _function(
        answer, cases, lambda x, y, epochs, lr: _losses(x, y, epochs, lr), wrong
    )


def check_epochs(answer):
    """06.2: how many epochs from zeros, with lr 1e-5, bring the loss below 1."""
    losses = _losses(_INPUTS, _TARGETS, 3000, 1e-5)
    epochs = next(k for k, loss in enumerate(losses) if loss < 1)
    wrong = [
        (epochs + 1, 'losses[0] is the loss after no epoch, so count from 0.'),
        (epochs - 1, 'off by one: after these epochs the loss is still above 1.'),
        (100, 'after 100 epochs the loss is far above 1.'),
    ]
    return _value(answer, epochs, wrong, tolerance=1e-6)


# 07 Rebuild it with PyTorch's built-ins


def check_epoch_mean(answer):
    """07.1: the mean loss of an epoch, from the losses and the sizes of its batches."""

    def mean(losses, sizes):
        return sum(x * n for x, n in zip(losses, sizes, strict=True)) / sum(sizes)

    wrong = [
        (lambda x, n: sum(x) / len(x), 'each batch counts alike here; mind the sizes.'),
        (lambda x, n: x[-1], 'this is the last batch only.'),
        (lambda x, n: mean(x, n) * sum(n), 'divide by the number of all rows.'),
    ]
    return _function(
        answer, [([4.0, 2.0, 9.0], [5, 5, 2]), ([1.0, 7.0], [8, 1])], mean, wrong
    )


def check_updates(answer):
    """07.2: the number of updates in 5 epochs of 100 rows in batches of 8."""
    wrong = [
        (60, 'the last, smaller batch of an epoch is used too.'),
        (62.5, 'an epoch has a whole number of batches: round up.'),
        (13, 'this is one epoch.'),
        (500, 'one update for each batch, not for each row.'),
    ]
    return _value(answer, 65, wrong)


# 08 Save and share


def _predictions(order):
    """A function of a file and a region; `order` picks the region's numbers."""

    def predictions(file, region):
        saved = torch.load(file, weights_only=True)
        row = torch.tensor([float(number) for number in order(saved, region)])
        preds = saved['weights']['weight'] @ row + saved['weights']['bias']
        return dict(zip(saved['targets'], preds.tolist(), strict=True))

    return predictions


def check_file_predictions(answer):
    """08.1: predict a region by name, from a file and a dictionary of its inputs."""
    right = _predictions(lambda saved, region: map(region.get, saved['inputs']))
    wrong = [
        (
            _predictions(lambda saved, region: region.values()),
            'take the numbers in the order of the names in the file.',
        )
    ]
    raises = {TypeError: 'float(region[name]) gives the number of a name.'}
    names = [(['rain', 'sun'], ['figs', 'nuts', 'plums']), (['a', 'b', 'c'], ['d'])]
    with TemporaryDirectory() as folder:
        cases = []
        for inputs, targets in names:
            size = len(targets), len(inputs)
            weights = dict(
                zip(['weight', 'bias'], _random(size, size[:1]), strict=True)
            )
            file = Path(folder) / f'{len(cases)}.pt'
            torch.save({'weights': weights, 'inputs': inputs, 'targets': targets}, file)
            cases.append((file, {name: ord(name[0]) for name in reversed(inputs)}))
        return _function(answer, cases, right, wrong, raises)


def check_is_safe(answer):
    """08.2: whether a file can be read without running code from it."""
    wrong = [
        (lambda file: True, 'one of these files names a function to call.'),
        (lambda file: file.stem == 'module', 'it is the other way round.'),
        (lambda file: False, 'one of these files holds tensors and names only.'),
    ]
    raises = {UnpicklingError: 'torch.load refuses with an error: catch it.'}
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ('weights.pt', 'module.pt')]
        torch.save({'weight': torch.ones(2), 'names': ['a', 'b']}, files[0])
        torch.save(torch.nn.Identity(), files[1])
        cases = [(file,) for file in files]
        return _function(
            answer, cases, lambda file: file.stem == 'weights', wrong, raises
        )


# 09 Find out why it converges


def check_limit_for_apples(answer):
    """09.1: the learning rate above which the loss of the apples alone grows."""
    x = torch.cat([_INPUTS, torch.ones(5, 1)], dim=1).double()
    curvatures = torch.linalg.eigvalsh(2 / 5 * x.t() @ x).tolist()
    right = 2 / curvatures[-1]
    wrong = [
        (2 * right, 'this is the limit for both fruits; the mean is now over 5.'),
        (right / 2, 'this is 1/L, half of the limit.'),
        (2 / curvatures[0], 'the largest curvature sets the limit, not the smallest.'),
        (curvatures[-1], 'this is L itself.'),
    ]
    return _value(answer, right, wrong, tolerance=1e-3)


def check_remaining_error(answer):
    """09.2: the part of the error that remains, from curvature, lr and steps."""
    curvatures = torch.tensor([0.5, 1.0, 3.0, 6.5]).double()
    wrong = [
        (lambda c, lr, k: 1 - lr * c * k, 'each step multiplies; this subtracts.'),
        (lambda c, lr, k: (1 - 2 * lr * c) ** k, 'the curvature has the 2 in it.'),
        (lambda c, lr, k: torch.exp(-lr * c * k), 'this holds for small rates only.'),
        (lambda c, lr, k: 1 - (1 - lr * c) ** k, 'this is the part that is gone.'),
    ]
    cases = [(curvatures, 0.3, 5), (curvatures, 0.01, 40)]
    return _function(answer, cases, lambda c, lr, k: (1 - lr * c) ** k, wrong)


def check_folding(answer):
    """09.3: fold (x - low) / (high - low) into w (m, k) and b (m,)."""

    def folded(w, b, low, high):
        return w / (high - low), b - w / (high - low) @ low

    wrong = [
        (lambda w, b, low, high: (w / (high - low), b), 'the bias changes too.'),
        (
            lambda w, b, low, high: (w / (high - low), b - w @ low),
            'correct the bias with the new weights, not with the old.',
        ),
        (
            lambda w, b, low, high: (w * (high - low), b - w * (high - low) @ low),
            'a feature that was divided needs a weight that is divided too.',
        ),
        (
            lambda w, b, low, high: (w / (high - low), b + w / (high - low) @ low),
            'low is subtracted from x, so its part is subtracted from the bias.',
        ),
    ]
    cases = [(w, b, low := x[0], low + 1 + x[-1].abs()) for x, w, b in _MODELS]
    return _function(answer, cases, folded, wrong)


# 10 Work with real data


def check_scaler(answer):
    """10.1: x (n, k) standardised by the mean and std of the rows in train (n,)."""

    def scaled_by(rows, unbiased=False):
        def scaled(x, train):
            part = x[rows(train)]
            return (x - part.mean(dim=0)) / part.std(dim=0, unbiased=unbiased)

        return scaled

    def separately(x, train):
        parts = [scaled_by(lambda train: train)(x, rows) for rows in (train, ~train)]
        return torch.where(train[:, None], *parts)

    wrong = [
        (
            scaled_by(lambda train: ...),
            'the mean and std come from all rows, test rows included.',
        ),
        (separately, 'scale the test rows with the numbers of the training rows.'),
        (scaled_by(lambda train: ~train), 'these are the numbers of the test rows.'),
        (scaled_by(lambda train: train, True), 'divide by n in std: unbiased=False.'),
    ]
    cases = []
    for n, k in [(8, 2), (6, 3)]:
        train = torch.arange(n) % 3 < 2
        (x,) = _random((n, k))
        cases.append((x + 100 * ~train[:, None], train))
    return _function(answer, cases, scaled_by(lambda train: train), wrong)


def check_r_squared(answer):
    """10.2: R² of preds and targets of one shape, beside a constant baseline."""

    def ratio(power):
        return lambda p, t, base: (
            (((p - t) ** 2).mean() / ((base - t) ** 2).mean()).item() ** power
        )

    def right(p, t, base):
        return 1 - ratio(1)(p, t, base)

    wrong = [
        (ratio(1), 'this is the part that is left; R² is the part that is gone.'),
        (lambda *case: 1 - ratio(0.5)(*case), 'R² compares squared errors, not RMSEs.'),
        (
            lambda p, t, base: right(p, t, t.mean()),
            'use the baseline that was given, not the mean of these targets.',
        ),
        (lambda *case: -right(*case), 'the sign is wrong: a perfect model has 1.'),
        (lambda p, t, base: ((p - t) ** 2).mean().item(), "divide by the baseline's."),
    ]
    cases = [(t + p / 3, t, 0.5) for p, t in _PAIRS]
    return _function(answer, cases, right, wrong)


def check_leave_one_out(answer):
    """10.3: the RMSE of rows left out one by one, from arrays x (n, k) and y (n,).

    Checked without training again: the error of a row that was left out is its
    residual divided by 1 minus its leverage.
    """

    def errors(x, y, ones=1.0, out=True):
        x = np.column_stack([x, np.full(len(x), ones)])
        hat = x @ np.linalg.pinv(x)
        return (y - hat @ y) / (1 - out * np.diag(hat))

    def root_mean_square(values):
        return (values**2).mean() ** 0.5

    wrong = [
        (
            lambda x, y: root_mean_square(errors(x, y, out=False)),
            'this is the error on the rows that the model was trained on.',
        ),
        (lambda x, y: np.abs(errors(x, y)).mean(), 'square first, then the mean.'),
        (lambda x, y: (errors(x, y) ** 2).mean(), 'this is the MSE, without its root.'),
        (
            lambda x, y: root_mean_square(errors(x, y, ones=0.0)),
            'this model has no bias.',
        ),
    ]
    cases = []
    for n, k in [(7, 2), (9, 3)]:
        x, y = _random((n, k), (n,))
        cases.append((x.double().numpy(), y.double().numpy() + 1))
    return _function(answer, cases, lambda x, y: root_mean_square(errors(x, y)), wrong)


# 11 Scale up to millions of rows


def check_shuffled_batches(answer):
    """11.1: all rows of x (n, k) and y (n, m) once, in batches and a random order."""
    x = torch.arange(46.0).reshape(23, 2)  # in batches of 4: the last one has 3
    y = -x[:, :1]
    firsts = []

    def judged(shuffled):
        return lambda *case: problem(shuffled(*case))

    def problem(batches):
        pairs = isinstance(batches, list | tuple) and all(map(_is_pair, batches))
        if not pairs or not batches:
            return 'return a list of pairs, each with inputs and targets.'
        xs, ys = (torch.cat(parts) for parts in zip(*batches, strict=True))
        if xs.shape != x.shape or ys.shape != y.shape:
            return f'expected {len(x)} rows in all, found {len(xs)}.'
        if not torch.equal(-xs[:, :1], ys):
            return 'a row got the targets of another: use the same order for both.'
        if not torch.equal(xs[xs[:, 0].argsort()], x):
            return 'some rows come twice and others never.'
        if torch.equal(xs, x):
            return 'the rows come in their old order: shuffle them.'
        sizes = [len(xb) for xb, _ in batches]
        if sizes != [4, 4, 4, 4, 4, 3]:
            return f'the batches have {sizes} rows.'
        firsts.append(batches[0][0])
        again = len(firsts) == 2 and torch.equal(*firsts)
        return 'two epochs have the same order: shuffle at each call.' if again else ''

    with torch.random.fork_rng(devices=[]):  # leave the reader's random numbers alone
        torch.manual_seed(0)
        found = _results(answer, [(x, y, 4), (x, y, 4)], through=judged)
    if isinstance(found, Verdict):
        return found
    hint = next(filter(None, found), '')
    return _wrong(hint) if hint else RIGHT


def _is_pair(batch):
    return (
        isinstance(batch, tuple | list)
        and len(batch) == 2
        and all(isinstance(part, torch.Tensor) and part.ndim == 2 for part in batch)
    )


def check_accumulated(answer):
    """11.2: leave the gradients of the mean loss, from at most `size` rows a time."""

    def accumulated(step):
        def gradients(start, x, y, size):
            w, b = start
            linear = torch.nn.Linear(*w.t().shape, device='meta')  # nothing random
            linear.weight, linear.bias = map(torch.nn.Parameter, _copies(start))
            seen = []
            linear.register_forward_pre_hook(
                lambda _, given: seen.append(len(given[0]))
            )
            step(linear, x, y, size)
            if linear.weight.grad is None or linear.bias.grad is None:
                raise NotImplementedError('no gradient')
            if max(seen, default=0) > size:
                raise MemoryError('too many rows')
            return linear.weight.grad, linear.bias.grad

        return gradients

    def in_parts(factor):
        def gradients(start, x, y, size):
            w, b = start
            w_sum, b_sum = torch.zeros_like(w), torch.zeros_like(b)
            parts = list(zip(x.split(size), y.split(size), strict=True))
            for xb, yb in parts:
                w_grad, b_grad = _gradients(xb, yb, w, b)
                share = factor(len(xb), len(x), len(parts))
                w_sum, b_sum = w_sum + share * w_grad, b_sum + share * b_grad
            return w_sum, b_sum

        return gradients

    def last_only(start, x, y, size):
        return _gradients(x.split(size)[-1], y.split(size)[-1], *start)

    cases = []
    for n, k, m, size in [(10, 3, 2, 4), (12, 2, 1, 5)]:
        x, y, w, b = _random((n, k), (n, m), (m, k), (m,))
        cases.append(((w, b), x, y, size))
    wrong = [
        (
            in_parts(lambda rows, n, parts: 1),
            'these are sums of means: weigh each part by its share of the rows.',
        ),
        (
            in_parts(lambda rows, n, parts: 1 / parts),
            'the last part is smaller, so it must count less: weigh by rows.',
        ),
        (last_only, 'only the last part is left: do not clear the gradients between.'),
    ]
    raises = {
        NotImplementedError: 'the parameters have no gradients: call backward().',
        MemoryError: 'the model was called with more than `size` rows.',
    }
    right = in_parts(lambda rows, n, parts: rows / n)
    return _function(answer, cases, right, wrong, raises, accumulated)


def check_merged(answer):
    """11.3: the least-squares weights (4, 2) from two sums (6, 6) of different rows."""

    def sums(rows):
        x, y = _random((rows, 3), (rows, 2))
        table = torch.cat([x, torch.ones(rows, 1), y], dim=1).double()
        return table.t() @ table

    def solve(total):
        return torch.linalg.solve(total[:4, :4], total[:4, 4:])

    wrong = [
        (
            lambda a, b: (solve(a) + solve(b)) / 2,
            'a mean of weights counts both machines alike: add the sums, then solve.',
        ),
        (lambda a, b: solve(a), 'this is the first machine only.'),
        (lambda a, b: solve(b), 'this is the second machine only.'),
        (
            lambda a, b: (a + b)[:4, 4:],
            'this is XᵀY; the weights solve XᵀX W = XᵀY.',
        ),
        (
            lambda a, b: (a[3, 3] * solve(a) + b[3, 3] * solve(b)) / (a + b)[3, 3],
            'weighing by rows is not enough for weights: add the sums, then solve.',
        ),
    ]
    return _function(
        answer,
        [(sums(40), sums(9)), (sums(7), sums(30))],
        lambda a, b: solve(a + b),
        wrong,
    )
