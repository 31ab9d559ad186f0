"""Every exercise accepts its own solution and has a fitting hint for typical mistakes.

A notebook is executed once for each kind of answer, as a reader would run it: with the
folded solutions put into its cells. Wrong answers are tried in the same kernel.
"""

import json
import shutil

import nbformat
import pytest
from conftest import NOTEBOOKS, Notebook, exercises_of, printed
from execute import execute

from helpers import exercises

# A right answer of exercise 06.1, to be spoilt in several ways.
TRAIN = """
def answer(x, y, epochs, lr):
    w = torch.zeros(y.shape[1], x.shape[1], requires_grad=True)
    b = torch.zeros(y.shape[1], requires_grad=True)
    history = []
    for epoch in range(epochs + 1):
        loss = mse(x @ w.t() + b, y)
        history.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= lr * p.grad
                p.grad.zero_()
    return history
"""
# Right answers of other exercises, to be spoilt too.
PREDICT = """
def answer(file, region):
    saved = torch.load(file, weights_only=True)
    model = nn.Linear(len(saved["inputs"]), len(saved["targets"]))
    model.load_state_dict(saved["weights"])
    row = torch.tensor([[float(region[name]) for name in saved["inputs"]]])
    return dict(zip(saved["targets"], model(row)[0].tolist()))
"""
SAFE = """
def answer(file):
    try:
        torch.load(file, weights_only=True)
    except pickle.UnpicklingError:
        return False
    return True
"""
FOLD = """
def answer(w, b, low, high):
    w_raw = w / (high - low)
    return w_raw, b - w_raw @ low
"""
SCALE = """
def answer(x, train):
    mean, std = x[train].mean(dim=0), x[train].std(dim=0, unbiased=False)
    return (x - mean) / std
"""
SQUARED = """
def answer(preds, targets, baseline):
    errors = ((preds - targets) ** 2).mean()
    return 1 - errors / ((baseline - targets) ** 2).mean()
"""
LEFT_OUT = """
def answer(x, y):
    errors = []
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        reference = LinearRegression().fit(x[others], y[others])
        errors.append(reference.predict(x[[row]])[0] - y[row])
    return (np.array(errors) ** 2).mean() ** 0.5
"""
# The wrong answers of each check: the code, and words that its hint must hold.
WRONG = {
    'check_counts': [
        ('answer = torch.from_numpy(counts)', 'int64'),
        ('answer = torch.from_numpy(counts * 1.0)', 'float64'),
        ('answer = counts', 'expected a tensor, found a ndarray'),
        ('answer = torch.from_numpy(counts).float().t()', 'one row for each'),
        ('answer = torch.from_numpy(counts).float()[0]', 'shape is (2,)'),
        ('answer = [[3, 5], [2, 8], [4, 4]]', 'expected a tensor, found 3 in a list'),
        ('answer = torch.tensor(counts.T.reshape(3, 2)).float()', 'values are not'),
        ('answer = torch.full((3, 2), float("nan"))', 'NaN'),
        ('answer = torch.ones(3, 2, requires_grad=True)', 'detach'),
    ],
    'check_copy': [
        ('answer = torch.from_numpy', 'share their memory'),
        ('answer = torch.as_tensor', 'share their memory'),
        ('def answer(array): return array.copy()', 'expected a tensor'),
        ('def answer(array): return torch.tensor(array).double()', 'float64'),
        ('def answer(): return 1', '1 argument'),
        ('answer = torch.ones(3)', 'expected a function, found a Tensor'),
        ('def answer(array): return array.no_such_thing', 'AttributeError'),
    ],
    'check_model': [
        ('def answer(x, w, b): return x @ w + b', 'must be transposed'),
        ('def answer(x, w, b): return x @ w.t()', 'bias is missing'),
        ('def answer(x, w, b): return x @ w.t() - b', 'added, not subtracted'),
        ('answer = model', '3 argument'),
        ('answer = model(inputs)', 'expected a function'),
        ('def answer(x, w, b): pass', 'found None'),
        ('def answer(x, w, b): return (x @ w.t() + b).requires_grad_()', 'detach'),
    ],
    'check_shapes': [
        ('answer = ((4, 3), (3,), (7, 3))', 'one row for each target'),
        ('answer = ((3, 4), (7, 3), (7, 3))', 'stored once'),
        ('answer = ((3, 4), (3,), (3, 7))', 'one row for each observation'),
        ('answer = ((3, 4), (3,))', 'expected 3 values'),
        ('answer = "7 and 3"', 'expected 3 values, found a str'),
    ],
    'check_rmse': [
        ('answer = mse', 'without its root'),
        ('def answer(preds, targets): return (preds - targets).abs().mean()', 'MAE'),
        ('def answer(p, t): return ((p - t) ** 2).sum().sqrt()', 'average them'),
        (
            'def answer(p, t): return (((p - t) ** 2).sum() / len(p)) ** 0.5',
            'not of rows',
        ),
        (
            'def answer(p, t): return ((p - t) ** 2).mean(dim=0).sqrt()',
            'expected a number',
        ),
        ('def answer(p, t): return float("nan")', 'the result is nan'),
        ('def answer(p, t): return -mse(p, t).sqrt()', 'not the number'),
    ],
    'check_constants': [
        ('answer = targets.mean(dim=1)', 'means of regions'),
        ('answer = targets.mean()', 'one for each target'),
        ('answer = targets.median(dim=0).values', 'median'),
        ('answer = [76.2, 92.0]', 'expected a tensor, found 2 in a list'),
        ('answer = targets.sum(dim=0)', 'values are not'),
        ('answer = targets.double().mean(dim=0)', 'float64'),
    ],
    'check_gradients': [
        (
            'def answer(x, targets, w, b):\n'
            '    n, m = targets.shape\n'
            '    diff = targets - x @ w.t() - b\n'
            '    return 2 / (n * m) * diff.t() @ x, 2 / (n * m) * diff.sum(dim=0)',
            'sign is wrong',
        ),
        (
            'def answer(x, targets, w, b):\n'
            '    n, m = targets.shape\n'
            '    diff = x @ w.t() + b - targets\n'
            '    return 2 / n * diff.t() @ x, 2 / n * diff.sum(dim=0)',
            'all elements, not by the rows',
        ),
        (
            'def answer(x, targets, w, b):\n'
            '    diff = x @ w.t() + b - targets\n'
            '    return 2 * diff.t() @ x, 2 * diff.sum(dim=0)',
            'gradient of the sum',
        ),
        (
            'def answer(x, targets, w, b):\n'
            '    n, m = targets.shape\n'
            '    diff = x @ w.t() + b - targets\n'
            '    return diff.t() @ x / (n * m), diff.sum(dim=0) / (n * m)',
            'factor 2',
        ),
        (
            'def answer(x, targets, w, b):\n'
            '    return (x @ w.t() + b - targets).t() @ x',
            'expected 2 values',
        ),
        (
            'def answer(x, targets, w, b):\n'
            '    diff = x @ w.t() + b - targets\n'
            '    return x.t() @ diff, diff.sum(dim=0)',
            'the shape is',
        ),
        ('answer = w.grad, b.grad', 'expected a function'),
    ],
    'check_central_difference': [
        ('def answer(f, x, h): return (f(x + h) - f(x)) / h', 'one side'),
        ('def answer(f, x, h): return (f(x + h) - f(x - h)) / h', '2 h apart'),
        ('def answer(f, x, h): return (f(x - h) - f(x + h)) / (2 * h)', 'sign'),
        ('def answer(f, x): return f(x)', '3 argument'),
        ('def answer(f, x, h): return 1 / 0', 'ZeroDivisionError'),
    ],
    'check_step': [
        ('def answer(w, lr): w -= lr * w.grad', 'no_grad'),
        (
            'def answer(w, lr):\n    with torch.no_grad():\n        w -= lr * w.grad',
            'set the gradient back to zero',
        ),
        (
            'def answer(w, lr):\n'
            '    with torch.no_grad():\n        w = w - lr * w.grad',
            'in place',
        ),
        (
            'def answer(w, lr):\n'
            '    with torch.no_grad():\n        w += lr * w.grad\n    w.grad.zero_()',
            'against it',
        ),
        (
            'def answer(w, lr):\n'
            '    w.grad.zero_()\n    with torch.no_grad():\n        w -= lr * w.grad',
            'cleared too early',
        ),
        ('def answer(w): pass', '2 argument'),
        ('answer = w - lr * w.grad', 'expected a function'),
    ],
    'check_best_rate': [
        ('answer = 5.6e-5', 'go on between them'),
        ('answer = 1.1171e-4', 'twice the best'),
        ('answer = 1e-5', 'a larger one'),
        ('answer = best', 'go on between them'),
        ('answer = "small"', 'expected a number, found a str'),
        ('answer = rates', 'expected a number, found a Tensor'),
    ],
    'check_train': [
        (TRAIN.replace('epochs + 1', 'epochs'), 'after the last epoch is missing'),
        (TRAIN.replace('return history', 'return history[-1]'), 'return all losses'),
        (TRAIN.replace('p.grad.zero_()', 'pass'), 'gradients add up'),
        ('def answer(x, y, epochs, lr): return losses', 'expected 11 values'),
        ('def answer(x, y): return [1.0]', '4 argument'),
    ],
    'check_epochs': [
        ('answer = 2112', 'count from 0'),
        ('answer = 2110', 'off by one'),
        ('answer = 100', 'far above 1'),
        ('answer = losses', 'expected a number, found 101 in a list'),
        ('answer = None', 'expected a number, found None'),
    ],
    'check_epoch_mean': [
        (
            'def answer(losses, sizes): return sum(losses) / len(losses)',
            'mind the sizes',
        ),
        ('def answer(losses, sizes): return losses[-1]', 'last batch only'),
        (
            'def answer(losses, sizes):\n'
            '    return sum(x * n for x, n in zip(losses, sizes))',
            'number of all rows',
        ),
        ('def answer(losses): return 1', '2 argument'),
        ('answer = 4.0', 'expected a function'),
    ],
    'check_updates': [
        ('answer = 60', 'smaller batch'),
        ('answer = 62.5', 'round up'),
        ('answer = 13', 'one epoch'),
        ('answer = 500', 'for each batch'),
        ('answer = True', 'expected a number, found a bool'),
    ],
    'check_file_predictions': [
        (
            PREDICT.replace(
                'float(region[name]) for name in saved["inputs"]',
                'float(n) for n in region.values()',
            ),
            'order of the names',
        ),
        (
            PREDICT.replace('model.load_state_dict(saved["weights"])', 'pass'),
            'is not the number',
        ),
        (
            PREDICT.replace(
                'dict(zip(saved["targets"], model(row)[0].tolist()))', 'model(row)'
            ),
            "keys ['figs', 'nuts', 'plums']",
        ),
        (PREDICT.replace('saved["targets"], model', '"abc", model'), "['a', 'b', 'c']"),
        (PREDICT.replace('float(region[name])', 'float(name)'), 'ValueError'),
        ('def answer(file, region): return loaded(region)', 'gives the number of'),
        ('def answer(file): return {}', '2 argument'),
    ],
    'check_is_safe': [
        (SAFE.replace('return False', 'return True'), 'names a function to call'),
        (SAFE.replace('weights_only=True', 'weights_only=False'), 'names a function'),
        (
            'def answer(file):\n    return torch.load(file, weights_only=True)',
            'catch it',
        ),
        ('def answer(file): return False', 'tensors and names only'),
        ('def answer(file): return "module" in str(file)', 'other way round'),
        ('def answer(file): pass', 'expected True, found None'),
    ],
    'check_limit_for_apples': [
        ('answer = limit', 'limit for both fruits'),
        ('answer = limit / 4', 'this is 1/L'),
        ('answer = 2 / torch.linalg.eigvalsh(2 / 5 * x.t() @ x)[0]', 'not the small'),
        ('answer = 2 * largest', 'L itself'),
        ('answer = 1.0', 'not the number'),
        ('answer = eigenvalues', 'expected a number, found a Tensor'),
    ],
    'check_remaining_error': [
        ('def answer(curvature, lr, k): return 1 - k * lr * curvature', 'multiplies'),
        (
            'def answer(curvature, lr, k): return (1 - 2 * lr * curvature) ** k',
            'has the 2',
        ),
        (
            'def answer(curvature, lr, k): return torch.exp(-k * lr * curvature)',
            'small',
        ),
        ('def answer(curvature, lr, k): return 1 - (1 - lr * curvature) ** k', 'gone'),
        ('def answer(curvature, lr, k): return 0.5', 'expected a tensor'),
        ('def answer(curvature, lr): return 1 - lr * curvature', '3 argument'),
    ],
    'check_folding': [
        ('def answer(w, b, low, high): return w / (high - low), b', 'bias changes too'),
        (FOLD.replace('w_raw @ low', 'w @ low'), 'not with the old'),
        (FOLD.replace('/', '*'), 'divided too'),
        (FOLD.replace('b -', 'b +'), 'subtracted from the bias'),
        (FOLD.replace('w_raw, ', ''), 'expected 2 values'),
        ('answer = w_raw, b_raw', 'expected a function'),
    ],
    'check_scaler': [
        (
            'def answer(x, train): return (x - x.mean(0)) / x.std(0, unbiased=False)',
            'test rows included',
        ),
        (SCALE.replace(', unbiased=False', ''), 'divide by n'),
        (SCALE.replace('x[train]', 'x[~train]'), 'of the test rows'),
        (SCALE.replace('return (x -', 'return (x[train] -'), 'the shape is'),
        (
            SCALE
            + """
known = answer
def answer(x, train):
    return torch.where(train[:, None], known(x, train), known(x, ~train))
""",
            'the numbers of the training rows',
        ),
        ('def answer(x, train): return scaled', 'the shape is'),
    ],
    'check_r_squared': [
        (SQUARED.replace('1 - ', ''), 'the part that is left'),
        (SQUARED.replace('1 - ', '-1 + '), 'sign is wrong'),
        (SQUARED.replace('mean()', 'mean() ** 0.5'), 'not RMSEs'),
        (SQUARED.replace('(baseline', '(targets.mean()'), 'that was given'),
        (SQUARED.replace('1 - errors /', 'errors #'), "divide by the baseline's"),
        ('def answer(preds, targets): return 1.0', '3 argument'),
    ],
    'check_leave_one_out': [
        (LEFT_OUT.replace('!= row', '>= 0'), 'was trained on'),
        (
            LEFT_OUT.replace(
                '(np.array(errors) ** 2).mean() ** 0.5', 'np.abs(errors).mean()'
            ),
            'square first',
        ),
        (LEFT_OUT.replace(' ** 0.5', ''), 'without its root'),
        (LEFT_OUT.replace('Regression()', 'Regression(fit_intercept=False)'), 'bias'),
        (LEFT_OUT.replace('!= row', '== row'), 'not the number'),
        (LEFT_OUT.replace('return (', 'return errors #'), 'expected a number'),
    ],
    'check_shuffled_batches': [
        (
            'def answer(x, y, size): return list(zip(x.split(size), y.split(size)))',
            'old order',
        ),
        (
            'def answer(x, y, size):\n'
            '    a, b = torch.randperm(len(x)), torch.randperm(len(x))\n'
            '    return list(zip(x[a].split(size), y[b].split(size)))',
            'same order for both',
        ),
        (
            'def answer(x, y, size):\n'
            '    rows = torch.randint(len(x), (len(x),)).split(size)\n'
            '    return [(x[k], y[k]) for k in rows]',
            'twice',
        ),
        (
            'def answer(x, y, size):\n'
            '    rows = torch.randperm(len(x)).split(size)[:-1]\n'
            '    return [(x[k], y[k]) for k in rows]',
            'found 20',
        ),
        (
            'order = torch.randperm(23)\n'
            'def answer(x, y, size): return [(x[k], y[k]) for k in order.split(size)]',
            'shuffle at each call',
        ),
        (
            'def answer(x, y, size):\n'
            '    rows = torch.randperm(len(x)).chunk(size)\n'
            '    return [(x[k], y[k]) for k in rows]',
            'the batches have',
        ),
        ('def answer(x, y, size): return []', 'a list of pairs'),
        ('def answer(x, y, size): return x[size:0.5]', 'TypeError'),
        ('def answer(x, y): return x, y', '3 argument'),
        ('answer = torch.randperm(23)', 'expected a function'),
    ],
    'check_accumulated': [
        (
            'def answer(linear, x, y, size):\n'
            '    for xb, yb in zip(x.split(size), y.split(size)):\n'
            '        F.mse_loss(linear(xb), yb).backward()',
            'sums of means',
        ),
        (
            'def answer(linear, x, y, size):\n'
            '    parts = list(zip(x.split(size), y.split(size)))\n'
            '    for xb, yb in parts:\n'
            '        (F.mse_loss(linear(xb), yb) / len(parts)).backward()',
            'weigh by rows',
        ),
        (
            'def answer(linear, x, y, size):\n'
            '    for xb, yb in zip(x.split(size), y.split(size)):\n'
            '        linear.zero_grad()\n'
            '        F.mse_loss(linear(xb), yb).backward()',
            'do not clear',
        ),
        (
            'def answer(linear, x, y, size): F.mse_loss(linear(x), y).backward()',
            'more than `size` rows',
        ),
        ('def answer(linear, x, y, size): return linear(x[:size])', 'call backward()'),
        ('def answer(linear, x, y): pass', '4 argument'),
        ('answer = 3', 'expected a function'),
    ],
    'check_merged': [
        (
            'solve = lambda s: torch.linalg.solve(s[:4, :4], s[:4, 4:])\n'
            'def answer(a, b): return (solve(a) + solve(b)) / 2',
            'counts both machines alike',
        ),
        (
            'def answer(a, b):\n'
            '    n, m = a[3, 3], b[3, 3]\n'
            '    return (n * solve(a) + m * solve(b)) / (n + m)',
            'weighing by rows',
        ),
        ('def answer(a, b): return solve(a)', 'first machine only'),
        ('def answer(a, b): return (a + b)[:4, 4:]', 'XᵀX W = XᵀY'),
        ('def answer(a, b): return solve(a + b).t()', 'shape is (2, 4)'),
        ('def answer(a, b): return a + b', 'shape is (6, 6)'),
        ('def answer(a): return solve(a)', '2 argument'),
        ('answer = solve', '2 argument'),
    ],
}
TRY = """
import json
def verdicts(check, codes):
    for code in codes:
        exec(code, globals())
        yield str(check(globals()['answer']))
tried = json.loads(%r).items()
print(json.dumps({name: list(verdicts(globals()[name], it)) for name, it in tried}))
"""


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def worked(request, tmp_path_factory):
    """A notebook with exercises, and its copy with the solutions put in, executed."""
    notebook = Notebook(request.param)
    solved = Notebook(request.param)
    for exercise in exercises_of(solved):
        exercise.opened.source = exercise.solution
    path = tmp_path_factory.mktemp('solved') / request.param.name
    nbformat.write(solved.node, path)
    for script in request.param.parent.glob('*.py'):
        shutil.copy(script, path.parent)
    wrong = {
        exercise.check: [code for code, _ in WRONG[exercise.check]]
        for exercise in exercises_of(notebook)
    }
    node, tried = execute(path, probe=TRY % json.dumps(wrong))
    return notebook, node, json.loads(tried.splitlines()[-1])


def test_solutions_are_right_and_mistakes_get_their_hint(worked):
    notebook, solved, tried = worked
    for exercise in exercises_of(notebook):
        (cell,) = [cell for cell in solved.cells if cell.id == exercise.checking.id]
        assert printed(cell) == str(exercises.RIGHT), exercise.check
        assert len(WRONG[exercise.check]) >= 3
        for (code, words), verdict in zip(
            WRONG[exercise.check], tried[exercise.check], strict=True
        ):
            assert verdict.startswith('Not yet: '), f'{code}\n{verdict}'
            assert words in verdict, f'{code}\n{verdict}'


def test_the_form_of_exercises(notebook):
    found = exercises_of(notebook)
    assert 2 <= len(found) <= 4
    for number, exercise in enumerate(found, start=1):
        assert printed(exercise.checking) == str(exercises.OPEN), 'Leave it unanswered.'
        assert exercise.fold.source == (
            f'<details>\n<summary>Solution of exercise {number}</summary>\n\n'
            f'```python\n{exercise.solution}\n```\n\n</details>'
        ), 'The empty lines make the code a code block on every page.'


def test_every_check_belongs_to_one_exercise(series):
    used = [
        exercise.check for notebook in series for exercise in exercises_of(notebook)
    ]
    defined = [name for name in vars(exercises) if name.startswith('check_')]
    assert sorted(used) == sorted(defined) == sorted(WRONG)


@pytest.mark.parametrize('name', WRONG)
def test_a_check_never_raises(name):
    check = getattr(exercises, name)

    def exploding(*arguments):
        raise SystemError('two\nlines')

    for strange in (
        None,
        0,
        'text',
        b'',
        [],
        {},
        object(),
        exploding,
        exercises,
        ...,
        print,
    ):
        assert isinstance(check(strange), exercises.Verdict)
    assert check(...) == exercises.OPEN


def test_checks_leave_the_random_numbers_alone():
    import torch

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    for name in WRONG:
        getattr(exercises, name)(lambda *arguments: None)
    assert torch.equal(torch.rand(1), expected)
