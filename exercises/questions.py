"""What each exercise asks: its cases, a right answer, mistakes and their hints."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from exercises.checking import TAUGHT, Exercise, returned
from exercises.comparing import Failure, difference, kind
from helpers.data import REGIONS_CSV, read_csv


def random(*shapes):
    """Random inputs of these shapes, the same ones in every run."""
    generator = torch.Generator().manual_seed(sum(map(sum, shapes)))
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


FEATURES = ['temp_F', 'rainfall_mm', 'humidity_pct']
YIELDS = ['apples_ton', 'oranges_ton']
REGIONS = read_csv(REGIONS_CSV, label='region', inputs=FEATURES, targets=YIELDS)
INPUTS, TARGETS = map(torch.from_numpy, REGIONS[1:])
TAUGHT['inputs'] = INPUTS
SIZES = [(5, 3, 2), (4, 6, 3), (1, 2, 5), (3, 3, 3)]  # rows, inputs, targets
MODELS = [random((n, k), (m, k), (m,)) for n, k, m in SIZES]  # x, w, b


# 01 Prepare the training data


def look_at_memory(answer, array):
    tensor = returned(answer, array)
    if not isinstance(tensor, torch.Tensor):
        raise Failure(f'expected a tensor, found {kind(tensor)}.')
    if tensor.dtype != torch.float32:
        raise Failure(f'the dtype is {tensor.dtype}, expected torch.float32.')
    before = tensor.clone()
    array += 1
    if difference(tensor, before, tolerance=0):
        raise Failure('the tensor changes with the array: they share their memory.')
    return tensor


check_tensor = Exercise(
    right="""
def answer(array):
    return torch.tensor(array, dtype=torch.float32)
""",
    look=look_at_memory,
    means='It is float32 and keeps its numbers, whatever happens to the array.',
    cases=[(np.arange(3.0).astype(name),) for name in ('float32', 'int64', 'float64')],
    hints={
        'whole numbers stay int64; ask for float32.': 'torch.tensor(array)',
        'from_numpy keeps the dtype, and shares the memory.': 'torch.from_numpy(array)',
        'right for whole numbers. Does .float() always make a copy? .float() copies '
        'only to change the dtype, '
        'so float32 shares its memory.': 'torch.from_numpy(array).float()',
    },
)


def correlations(feature, target):
    """Of an input and a target without region 0, without region 1, ..."""
    pair = torch.stack([INPUTS[:, feature], TARGETS[:, target]])
    kept = [[row for row in range(5) if row != left_out] for left_out in range(5)]
    return tuple(torch.corrcoef(pair[:, rows])[0, 1].item() for rows in kept)


check_without_one = Exercise(
    right=correlations(0, 0),
    tolerance=1e-3,
    means='Without Sinnoh the sign turns: one region makes apples fall with warmth.',
    hints={
        'these are the oranges.': correlations(0, 1),
        'this is the rainfall.': correlations(1, 0),
        'all five regions take part each time; leave one out.': (-0.478829,) * 5,
    },
    first='For each region, list the other rows and index with that list.',
)


# 02 Build a linear model from scratch

check_model = Exercise(
    right="""
def answer(x, w, b):
    return x @ w + b.t()
""",
    means='Their weights stand in columns already; their biases have to become a row.',
    cases=[(x, w.t(), b.reshape(-1, 1)) for x, w, b in MODELS],
    hints={
        'their w is (k, m): it meets the k columns of x as it is.': 'x @ w.t() + b.t()',
        'b is a column, (m, 1). Along which axis is a column repeated? '
        'a column is repeated to the right, where each row needs all m biases: '
        'turn it into a row, (1, m).': 'x @ w + b',
        'the bias is missing.': 'x @ w',
        'the bias is added, not subtracted.': 'x @ w - b.t()',
        'this adds the first bias to every target.': 'x @ w + b[0]',
        'this is (m, n), a row for each target: turn it around.': 'w.t() @ x.t() + b',
        'x and w changed places: the arguments are x, w, b.': 'w @ x + b.t()',
    },
)

check_shapes = Exercise(
    right=((3, 4), (3,), (7, 3)),
    means='Three targets: three rows of `w`, three biases, three columns of `preds`.',
    hints={
        'w has one row for each target.': ((4, 3), (3,), (7, 3)),
        'b is stored once; broadcasting repeats it.': ((3, 4), (7, 3), (7, 3)),
        'preds has one row for each observation.': ((3, 4), (3,), (3, 7)),
        'a comma is missing: (3) is a number, (3,) a shape.': ((3, 4), 3, (7, 3)),
    },
)

check_celsius = Exercise(
    right="""
def answer(w, b):
    w_celsius = w.clone()
    w_celsius[:, 0] = w[:, 0] * 1.8
    return w_celsius, b + 32 * w[:, 0]
""",
    means='A degree Celsius is 1.8 °F, so it weighs more; the 32 goes to the bias.',
    cases=[(w, b) for _, w, b in MODELS],
    hints={
        'the weight went the wrong way. Which is larger, a degree Celsius or °F? '
        'a degree Celsius is 1.8 °F, '
        'so its weight is 1.8 times as large.': '* 1.8 → / 1.8',
        'what becomes of the 32?': ['w_celsius, b', 'w_celsius, b + 32'],
        'the 32 meets the old weight: w * (1.8 * c + 32).': '* w[ → * w_celsius[',
        'the 32 is added, so its part is added to the bias.': 'b + 32 → b - 32',
        'only column 0, the temperature, changes.': '[:, 0] = w[:, 0] → [:] = w',
    },
    first='Put 1.8 * c + 32 in the place of the temperature and multiply out.',
)


# 03 Measure the error with a loss

check_relative_rmse = Exercise(
    right="""
def answer(preds, targets):
    squares = ((preds - targets) ** 2).mean(dim=0)
    around_mean = ((targets.mean(dim=0) - targets) ** 2).mean(dim=0)
    return (squares / around_mean).sqrt()
""",
    means='Each target is measured by its own spread, so its unit has no say.',
    cases=[random(shape, shape) for shape in [(5, 2), (7, 3), (4, 4)]],
    hints={
        'this divides the MSEs: take the root.': 'squares / around_mean',
        'these are the RMSEs; now divide by those of the baseline.': 'squares.sqrt()',
        'it is the other way round.': '(around_mean / squares).sqrt()',
        'keep the targets apart: '
        'one number for each.': '(squares.mean() / around_mean.mean()).sqrt()',
        'each target has a baseline of its own.': 'around_mean) → around_mean.mean())',
        'average down the rows: dim=0.': '2).mean(dim=0) → 2).mean(dim=1)',
        'the baseline predicts the mean of each column, '
        'not of the table.': 'targets.mean(dim=0) - → targets.mean() -',
        'the baseline predicts the mean of the targets, '
        'not of the predictions.': 'targets.mean(dim=0) - → preds.mean(dim=0) -',
        'nearly. What does .std divide by? .std divides by n − 1, '
        'and the RMSE of the baseline by n.': 'squares.sqrt() / targets.std(dim=0)',
        'these are MAEs; take squares.': ') ** 2) → ).abs()); .sqrt() →',
    },
)

check_constants = Exercise(
    right=TARGETS.median(dim=0).values,
    means='The medians: as many regions above as below. The means win for the MSE.',
    hints={
        'these are the means, which are best for the MSE. Are they for the MAE? '
        'raise a constant by 1: you come nearer to those above, farther from those '
        'below, each time by 1. So how many should be above?': TARGETS.mean(dim=0),
        'take one for each target, not for each region.': TARGETS.median(dim=1).values,
        'take one for each target.': [TARGETS.median(), TARGETS.mean()],
    },
    first='Does the MAE of the apples fall when you raise their constant by 1?',
)

BASE = TARGETS.var(dim=0, unbiased=False).mean().item()
PART = (TARGETS**2).mean().item() / 5

check_noise = Exercise(
    right=torch.tensor([BASE / 2, 0]),
    tolerance=0.1,
    means='Half of the baseline, then nothing: five coefficients, the bias among them, '
    'fit any five rows. Only new rows show what a model knows.',
    hints={
        'the first is the baseline. Can least squares do no better with noise? '
        'it has three coefficients for five rows of noise: run it.': [
            torch.tensor([BASE, end]) for end in (0, BASE / 4, BASE)
        ],
        'the first is that of three columns; take two.': torch.tensor([BASE / 4, 0]),
        'the bias is missing: add the column of ones.': torch.tensor([3 * PART, PART]),
        'that for two columns first.': torch.tensor([0, BASE / 2]),
    },
    first='Each column takes a share of the baseline. Put torch.randn(5, 2) in the '
    'place of inputs many times, and average.',
)


# 04 Compute the gradients

# Some of these predictions, x with w = 1 and b = 0, are their targets.
EXACT = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]])
PARTLY = torch.tensor([[1.0, 5.0], [2.0, 4.0], [3.0, 1.0]])

check_mae_gradients = Exercise(
    right="""
def answer(x, targets, w, b):
    n, m = targets.shape
    side = (x @ w.t() + b - targets).sign()
    return side.t() @ x / (n * m), side.sum(dim=0) / (n * m)
""",
    look=torch.no_grad()(returned),
    means='Only the side of a difference counts, so a target that is wildly off has no '
    'more say than any other.',
    cases=[(x, *random((len(x), len(w))), w, b) for x, w, b in MODELS]
    + [(EXACT, PARTLY, torch.eye(2), torch.zeros(2))],
    hints={
        'this is the gradient of the MSE. How fast does |d| change with d? '
        'its slope is 1 right of 0 and −1 left of it, '
        'however large d is.': '.sign() → * 2',
        'the factor 2 comes from a square, and here is none.': '.sign() → .sign() * 2',
        'the size of a difference has no say, only its sign.': [
            '.sign() →',
            '.sign() → .abs()',
        ],
        'the sign is wrong: '
        'the difference is preds - targets.': '.sign() → .sign() * -1',
        'nearly. What does a prediction count that is exact? '
        'where the difference is 0, so is the slope.': [
            '- targets).sign() → > targets) * 2.0 - 1',
            '- targets).sign() → >= targets) * 2.0 - 1',
        ],
        'divide by all elements, not by the rows.': '(n * m) → n',
        'this is the gradient of the sum; divide by n times m.': '/ (n * m) →',
        'not every table has ten elements.': '(n * m) → 10',
        'divide that of b by n times m, too.': '0) / (n * m) → 0) / n',
        'give that of w first.': 'side.sum(dim=0) / (n * m), side.t() @ x / (n * m)',
        'write a formula: '
        'nothing is recorded here for backward().': 'side.mean().backward()',
        'use x in the place of the global name inputs.': '@ x / → @ inputs /',
    },
    first='Which slope has the graph of |d| left of 0, which one right of it?',
)

check_lowest_alone = Exercise(
    right=-4.34028,
    tolerance=5e-3,
    means='Alone it would fall to −4.34. Together with the other seven it rises to '
    '0.70: the best value of a weight depends on the others.',
    hints={
        'there w13 ends when all eight numbers move. What if seven stay? '
        'keep the other seven as they are, '
        'and look for the lowest loss.': [0.698194, 0.7],
        'there it stands, and the loss still has a slope.': [0.152697, 0.15],
        'this is how far it moves; add it to w13.': -4.49298,
        'this goes with the slope; the loss falls against it.': 4.64567,
        'this is w21, which the text has already moved alone.': [1.88408, 1.88],
    },
    first='Try values in loss_if(0, 2, value), or put a parabola through three points.',
)


# 05 Take one gradient-descent step


def look_at_step(answer, w, b, lr, longest):
    before = [(each._version, each.tolist()) for each in (w, b)]
    answer(w, b, lr, longest)
    found = {}
    for name, each, old in zip('wb', (w, b), before, strict=True):
        found[name] = each.detach()
        found[f'{name} changed in place'] = (each._version, each.tolist()) != old
        found[f'{name}.grad is zero'] = each.grad is None or not each.grad.any().item()
        found[f'{name} requires gradients'] = each.requires_grad
    return found


def with_gradients(*shapes):
    tensors = random(*shapes)
    for each in tensors:
        (each.requires_grad_() ** 2).sum().backward()
    return tensors


NOT_CLEARED = ['.grad.zero_() →', 'w.grad.zero_() →', 'b.grad.zero_() →']

check_bounded_step = Exercise(
    right="""
def answer(w, b, lr, longest):
    length = lr * ((w.grad ** 2).sum() + (b.grad ** 2).sum()).sqrt()
    if length > longest:
        lr = lr * longest / length
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
    w.grad.zero_()
    b.grad.zero_()
""",
    look=look_at_step,
    means='One factor shortens all moves, so the direction stays; no gradient takes '
    'the model farther than `longest`.',
    cases=[
        (*with_gradients((2, 3), (2,)), 0.03, 5.0),
        (*with_gradients((3, 2), (3,)), 0.2, 0.3),
        (*with_gradients((1, 4), (1,)), 3.0, 2.0),
    ],
    hints={
        'this step can be longer than `longest`.': 'if length > → if 0 >',
        'a step that is short enough stays as it is.': 'length > longest → True',
        'measure the step, which is lr times the gradient.': 'lr * (( → ((',
        'take the root of the sum of squares.': ').sqrt() → )',
        'the longest step is too long or too short. What does lr become? '
        'lr times longest / length: '
        'the length contains the old lr already.': 'lr = lr * → lr =',
        'w and b are bounded apart. Does the step keep its direction? '
        'measure w and b together, and shorten both by one factor.': (
            'lr = → rate =; w -= lr → w -= min(lr, longest / w.grad.norm()); '
            'b -= lr → b -= min(lr, longest / b.grad.norm())'
        ),
        'the moves of b belong to the length, too.': '+ (b.grad ** 2).sum() →',
        'this cuts single moves, which turns the step: shorten all by one factor.': (
            'lr = → rate =; lr * w.grad → (lr * w.grad).clip(-longest, longest); '
            'lr * b.grad → (lr * b.grad).clip(-longest, longest)'
        ),
        'w is as before: -= changes it in place, w = w - … makes a new tensor.': [
            'w -= → w = w -; b -= → b = b -',
            '-= → -',
            '-= → -; .grad.zero_() →',
        ],
        'b takes part in the step as w does.': 'b -= → b -',
        'step first, then clear the gradients.': 'grad ** 2 → grad.zero_() ** 2',
        'move against the gradient.': '-= → +=',
        'the step is right; now set both gradients back to zero.': NOT_CLEARED,
        'change w and b inside no_grad().': 'with torch.no_grad() → if True',
        'the gradients are there already: '
        'no backward.': 'if length → if w.backward() or length',
    },
    first='How far does the step with `lr` go? Which rate goes as far as `longest`?',
)

check_best_rate = Exercise(
    right=5.5855e-5,
    tolerance=1e-3,
    means='It is half of the rate that leads back to the old loss: parabolas are '
    'symmetric.',
    hints={
        'this is the best of the rates that we tried; go on between them.': 5.6e-5,
        'here the loss is as before the step: twice too far.': 1.1171e-4,
        'this is the rate that we used; a larger one is better.': 1e-5,
        'this is the loss; give the rate.': [581.65, 582],
    },
    first='Three points fix a parabola. Where is its lowest point?',
)


# 06 Train for 100 epochs


def look_at_losses(answer, x, y, epochs, lr):
    found = returned(answer, x, y, epochs, lr)
    listed = isinstance(found, list | tuple | torch.Tensor | np.ndarray) and len(found)
    if listed and difference(found[0], (y**2).mean().item()):
        raise Failure('losses[0] is not the loss of zero weights, before any step.')
    return found


check_train = Exercise(
    right="""
def answer(x, y, epochs, lr):
    w = torch.zeros(y.shape[1], x.shape[1], requires_grad=True)
    b = torch.zeros(y.shape[1], requires_grad=True)
    history = []
    for epoch in range(epochs):
        loss = mse(x @ w.t() + b, y)
        history.append(loss.item())
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
    return history + [mse(x @ w.t() + b, y).item()]
""",
    look=look_at_losses,
    means='n epochs have n + 1 losses: one before each, and one at the end.',
    cases=[(*random((5, 3), (5, 2)), 10, 0.05), (*random((8, 2), (8, 1)), 5, 0.1)],
    hints={
        'the loss after the last epoch is missing.': 'history',
        'return all losses, not only the last.': 'mse(x @ w.t() + b, y).item()',
        'the gradients add up: set them to zero in every epoch.': NOT_CLEARED,
        'the bias stays zero: does it take part, and move?': 'b -= → b -',
        'no loss changes: make the weights before the loop.': '-= → -',
        'the loss rises: move against the gradient.': '-= → +=',
        'the last loss is of the old weights.': 'history + [loss.item()]',
        'the shape of w depends on y and x.': 'y.shape[1], x.shape[1] → 2, 3',
    },
)

check_epochs = Exercise(
    right=2111,
    tolerance=1e-6,
    means='A hundred epochs are only the beginning.',
    hints={
        'losses[0] is the loss after no epoch, so count from 0.': 2112,
        'off by one: after these epochs the loss is still above 1.': 2110,
        'after 100 epochs the loss is far above 1.': 100,
        'this is from our random start; begin at zero.': [3268, 3269, 3270],
    },
)

check_sum_rate = Exercise(
    right=1e-6,
    means='The sum is ten times the mean, and so is its gradient: a learning rate '
    'belongs to its loss.',
    hints={
        'with the same rate the steps differ. How large is the gradient now? '
        'it is ten times as large, for the mean divides by ten elements.': 1e-5,
        'the gradient is larger, so the rate must be smaller.': 1e-4,
        'the mean divides by rows times targets.': [2e-6, 5e-6, 2e-5, 5e-5],
    },
)


# 07 Rebuild it with PyTorch's built-ins

check_updates = Exercise(
    right=65,
    tolerance=1e-6,
    means='12 full batches and one with the last 4 rows make 13 updates an epoch.',
    hints={
        'the last, smaller batch of an epoch is used too.': 60,
        'an epoch has a whole number of batches: round up.': 62.5,
        'every epoch has its smaller batch: round up, then times 5.': [62, 63],
        'this is one epoch.': 13,
        'one update for each batch, not for each row.': 500,
    },
)

check_twins = Exercise(
    right=1 - 1 / 91,
    tolerance=5e-3,
    means='98.9 %: a test on repeated rows tests memory, not the model.',
    hints={
        'a part lies between 0 and 1.': 100 - 100 / 91,
        'two other rows are twins, and one of them is enough.': 12 / 14,
        'this is the part of the rows that are trained on.': 12 / 15,
        'nearly. Can a region be missing among the other twelve? '
        'it is, when all three of its rows are drawn for the test.': 1.0,
    },
    first='Draw often, and count: rows r, r + 5 and r + 10 are the same region.',
)


# 08 Save and share


def saved(content):
    """What `torch.save` writes into a file."""
    file = BytesIO()
    torch.save(content, file)
    return file.getvalue()


def look_with_file(answer, content, *more):
    with TemporaryDirectory() as folder:
        file = Path(folder) / 'model.pt'
        file.write_bytes(content)
        return returned(answer, file, *more)


def scaled_model(k, m):
    """The content of a file, and raw inputs for its model."""
    w, b, means, spreads, x = random((m, k), (m,), (k,), (k,), (4, k))
    means, spreads = 50 + 10 * means, 5 + spreads.abs()
    names = {'inputs': [*'abcdef'[:k]], 'targets': [*'uvwxyz'[:m]]}
    scaling = {'means': means, 'spreads': spreads}
    return saved({'weights': {'weight': w, 'bias': b}} | names | scaling), 50 + 9 * x


check_scaled_model = Exercise(
    right="""
def answer(file, x):
    saved = torch.load(file, weights_only=True)
    model = nn.Linear(len(saved['inputs']), len(saved['targets']))
    model.load_state_dict(saved['weights'])
    with torch.no_grad():
        return model((x - saved['means']) / saved['spreads'])
""",
    look=look_with_file,
    means='The scaling travels with the weights: without it they predict nonsense.',
    cases=[scaled_model(2, 3), scaled_model(3, 1), scaled_model(4, 4)],
    hints={
        'these weights belong to scaled inputs: scale x first.': 'model(x)',
        'x is scaled with its own numbers. Which ones do the weights know? '
        'those in the file: with others the same region gets another prediction.': [
            'model((x - x.mean(dim=0)) / x.std(dim=0))',
            'model((x - x.mean(dim=0)) / x.std(dim=0, correction=0))',
        ],
        'this is the way back: subtract the means, '
        'then divide.': "model(x * saved['spreads'] + saved['means'])",
        'subtract the means first, '
        'then divide.': "model(x / saved['spreads'] - saved['means'])",
        'brackets: the difference is divided, '
        'not only the means.': "model(x - saved['means'] / saved['spreads'])",
        'divide by the spreads, too.': "model(x - saved['means'])",
        'divide by the spreads; do not multiply.': ') / saved → ) * saved',
        'the file knows how many inputs and targets: '
        'it need not be (3, 2).': "len(saved['inputs']), len(saved['targets']) → 3, 2",
    },
)


class RunsCode:
    """A file that holds it sets `ran` as soon as its code is run."""

    ran = False

    def __reduce__(self):
        return setattr, (RunsCode, 'ran', True)


def look_at_safety(answer, content):
    RunsCode.ran = False
    found = look_with_file(answer, content)
    if RunsCode.ran:
        raise Failure('code from the file ran: ask with weights_only=True.')
    return found


check_is_safe = Exercise(
    right="""
def answer(file):
    try:
        torch.load(file, weights_only=True)
    except Exception:
        return False
    return True
""",
    look=look_at_safety,
    means='Tensors, numbers and names pass; a file that names a function does not.',
    cases=[
        (saved({'weight': torch.ones(2), 'names': ['a', 'b']}),),
        (saved([1.5, 'a']),),
        (saved({'weight': torch.ones(2), 'more': RunsCode()}),),
        (saved(torch.nn.Identity()),),
        (b'no model',),
        (b'',),
    ],
    hints={
        'some of these files name a function to call.': 'return False → return True',
        'some of these files hold nothing but data.': 'False',
        'it is the other way round.': 'False → 1 > 0; return True → return False',
        'torch.load refuses with an error: catch it.': [
            'Exception → ZeroDivisionError',
            'Exception → ZeroDivisionError; torch.load → return torch.load',
        ],
        'a file that is no model raises other errors; '
        'catch them, too.': 'Exception → pickle.UnpicklingError',
        'a safe file need not hold a dictionary.': (
            'torch.load → return isinstance(torch.load; =True) → =True), dict)'
        ),
    },
)

check_reorder = Exercise(
    right="""
def answer(w, theirs, ours):
    return w[:, [theirs.index(name) for name in ours]]
""",
    means='For each of our names: where do they keep it? That column comes next.',
    cases=[
        (random((2, 3))[0], ['humidity', 'temp', 'rain'], ['temp', 'rain', 'humidity']),
        (random((1, 4))[0], [*'abcd'], [*'bdac']),
    ],
    hints={
        'the columns went the opposite way. Which list says what comes next? '
        'go through our names, and ask for the place of each '
        'among theirs.': 'w[:, [ours.index(name) for name in theirs]]',
        'the columns are as they were.': 'w',
    },
)


# 09 Scale the inputs

check_limit_seen = Exercise(
    right="""
def answer(lr, first, second):
    return 2 * lr / (1 - second / first)
""",
    means='Two distances are enough to know the curvature, and with it the limit.',
    cases=[(1e-5, 4.0, 3.0), (0.1, 2.0, -1.0), (0.02, -5.0, -1.0)],
    hints={
        'this is the curvature; the limit is 2 over it.': '(1 - second / first) / lr',
        'the limit is 2 over the curvature, not 1.': 'lr / (1 - second / first)',
        'the factor is '
        'the later distance over the earlier one.': 'second / first → first / second',
        'mind the sign: a negative distance '
        'is on the other side.': 'second / first → abs(second / first)',
        'second / first is 1 − lr × curvature, '
        'not lr × curvature.': '2 * lr / (second / first)',
    },
)

check_folding = Exercise(
    right="""
def answer(w, b, low, high):
    w_raw = w / (high - low)
    return w_raw, b - w_raw @ low
""",
    means='It predicts the same from raw inputs, and needs no scaler any more.',
    cases=[(w, b, low := x[0], low + 1 + x[-1].abs()) for x, w, b in MODELS],
    hints={
        'the bias changes too.': 'w_raw, b',
        'correct the bias with the new weights, not the old.': 'w_raw, b - w @ low',
        'what was divided needs a divided weight.': 'w / ( → w * (',
        'low is subtracted from x, and its part from the bias.': 'b - → b +',
    },
)


# 10 Find out why it converges

check_best_rate_of_two = Exercise(
    right="""
def answer(low, high):
    return 2 / (low + high)
""",
    means='Both factors are then equally far from 0, one of them negative.',
    cases=[(1.0, 4.0), (0.3, 2.0), (59.0, 1023.0)],
    hints={
        'the steep direction arrives at once; the flat one can go faster.': '1 / high',
        'at the limit the steep direction never comes to rest.': '2 / high',
        'the steep direction diverges.': ['1 / low', '2 / low'],
        'close: the factors are '
        '1 − rate × low and 1 − rate × high.': '1 / (low + high)',
        'compare the sizes of both factors, not the rates.': '(1 / low + 1 / high) / 2',
    },
)

check_rate_for_floor = Exercise(
    right="""
def answer(lr, share, reshuffle):
    return lr * share ** 0.5 if reshuffle else lr * share
""",
    means='The floor goes with the rate, with its square where rows are reshuffled.',
    cases=[
        (0.1, 0.01, True),
        (0.02, 0.25, True),
        (0.1, 0.01, False),
        (0.2, 0.5, False),
    ],
    hints={
        'with reshuffling this goes too far down. What does the floor go with? '
        'there the floor goes with the square of the rate.': 'lr * share',
        'without reshuffling this is not far enough. What does the floor go with? '
        'there the floor is proportional to the rate.': 'lr * share ** 0.5',
        'you changed the two ways of drawing '
        'for each other.': 'if reshuffle → if not reshuffle',
        'this is what a rate does to the floor. How do you get from there to a rate? '
        'which number, squared, gives the share?': 'share ** 0.5 → share ** 2',
        'this is the new rate as a share of the old.': 'lr * →',
        'a lower floor needs a smaller rate.': 'lr * → lr /',
    },
)


# 11 Work with real data

check_random_plots = Exercise(
    right=0.588,
    tolerance=0.03,  # 200 deals leave less than a hundredth to chance
    means='Random plots promise less than the 0.63 of the blocks.',
    hints={
        'this is what the blocks say: deal the plots at random.': [0.6345, 0.6437],
        'this is what one block says, on which no deal depends.': [0.729, 0.482, 0.692],
        'the large model: take the columns `plots`.': 0.7836,
        'this is cowpea.': 0.1327,
        'this is the MSE, without its root.': 0.35,
        'these rows were trained on.': 0.5277,
    },
    first='`part = rng.permutation(block)` takes the place of `block` in the lesson.',
)

check_blocks = Exercise(
    right=10,
    means='9 blocks add 5.4 %, 10 add 4.9 %; the two of the trial add 22 %.',
    hints={
        '5 % of the RMSE, not of the squared error.': [20, 21],
        'these are plots: a block has 24.': [240, 234, 235],
        'with that many, it is still more than 5 %.': [9, 9.75609756],
    },
    first='With b blocks 24 numbers are fitted to 24 b rows.',
)


# 12 Choose and stop

GAPPED = random((8, 3))[0] + 10 * torch.arange(8.0)[:, None]
GAPPED[torch.arange(24).reshape(8, 3) % 5 == 1] = -999

check_gaps = Exercise(
    right="""
def answer(x, train):
    gaps = x == -999
    there = ~gaps[train]
    means = (x[train] * there).sum(dim=0) / there.sum(dim=0)
    return torch.where(gaps, means, x)
""",
    means='Gaps in the other rows are filled as well, with nothing learned from them.',
    cases=[(GAPPED, torch.tensor(rows)) for rows in ([0, 2, 3, 6], [7, 1, 4, 5, 2])],
    hints={
        'the other rows have a say in the means.': '[train] →',
        'the -999 take part in the means.': 'x[train] * there → x[train]',
        '-999 is no value: leave the gaps '
        'out of the means.': 'torch.where(gaps, x[train].mean(dim=0), x)',
        'divide by how many values are there, '
        'not by the rows.': 'there.sum(dim=0) → len(train)',
        'each column has its own mean: dim=0.': 'torch.where(gaps, means.mean(), x)',
        'these are medians.': (
            'torch.where(gaps, x[train].where(there, torch.nan).nanmedian(0)[0], x)'
        ),
        'a gap becomes a mean here, not 0.': 'torch.where(gaps, 0.0, x)',
        'a gap in any row is filled, not only in those '
        'of the training.': 'x.index_put((train,), torch.where(gaps, means, x)[train])',
    },
    first='A mask times the values makes the gaps 0; how many are not gaps?',
)

check_patience = Exercise(
    right="""
def answer(errors, patience):
    best = 0
    for epoch, error in enumerate(errors):
        if error < errors[best]:
            best = epoch
        if epoch - best == patience:
            break
    return epoch + 1, best + 1
""",
    means='It knows only what was known when it stopped.',
    cases=[
        ([9.0, 7.0, 8.0, 6.0, 6.5, 6.2, 6.4, 6.3, 5.0], 3),
        ([9.0, 7.0, 8.0, 6.0, 6.5, 6.2, 6.4, 6.3, 5.0], 1),
        ([3.0, 2.0, 2.0, 2.0, 1.0, 4.0], 2),
        ([5.0, 4.0, 3.0, 3.5, 2.0], 2),
    ],
    hints={
        'count the epochs from 1.': 'epoch, best',
        'an epoch after the stop '
        'was never seen.': 'epoch + 1, errors.index(min(errors)) + 1',
        'the other way round: first where it stops.': 'best + 1, epoch + 1',
        'this stops an epoch late.': 'best == patience → best > patience',
        'this stops an epoch early.': 'best == patience → best == patience - 1',
        'the same error again is no new lowest one.': 'error < → error <=',
        'compare with the best one so far, '
        'not with the one before.': 'errors[best]: → errors[epoch - 1] or epoch == 0:',
        'these are the errors, not the epochs.': 'error, errors[best]',
    },
    first='Remember the best epoch so far; how far behind it are you?',
)

# 13 Scale up to millions of rows


def sums(rows):
    """The (6, 6) sums over so many random rows, and these rows."""
    x, y = random((rows, 3), (rows, 2))
    table = torch.cat([torch.ones(rows, 1), x, y], dim=1).double()
    return table.t() @ table, table


check_forgotten = Exercise(
    right="""
def answer(total, rows):
    rest = total - rows.t() @ rows
    return torch.linalg.solve(rest[:4, :4], rest[:4, 4:]).t()
""",
    means='What adds up can be taken away: the rows that stay are never read.',
    cases=[(total, table[-5:]) for total, table in map(sums, (40, 25))],
    hints={
        'these are the weights with the customer.': '- rows.t() @ rows →',
        'this counts the customer twice: subtract.': '- rows → + rows',
        'these are the weights of the customer '
        'and of nobody else.': 'total - rows → rows',
        'weights do not subtract: take the sums away, then solve.': (
            '- rows.t() @ rows →; '
            'solve( → lstsq(rows[:, :4], -rows[:, 4:])[0].t() + torch.linalg.solve('
        ),
        'give them as (2, 4), one row for each target.': '4:]).t() → 4:])',
    },
    first='What do the rows of the customer add to the sums?',
)

check_mean_and_std = Exercise(
    right="""
def answer(total):
    count = total[0, 0]
    mean = total[0, 1:4] / count
    return mean, (total.diagonal()[1:4] / count - mean ** 2).sqrt()
""",
    means='It is the same for a thousand rows and for a billion: the sums hold it.',
    cases=[sums(40)[:1], sums(9)[:1]],
    hints={
        'this is the variance; take the root.': '.sqrt() →',
        'column 0 is the ones, the inputs are columns 1 to 3.': '1:4] → :3]',
        'this is the root of the mean square; '
        'take the mean off first.': '- mean ** 2 →',
        'square the mean before you subtract it.': 'mean ** 2 → mean',
        'divide the sums by the number of rows.': 'return mean → return mean * count',
        'divide the squares by the number of rows, not by one less.': [
            ').sqrt() → ).mul(count / (count - 1)).sqrt()',
            'diagonal()[1:4] / count → diagonal()[1:4] / (count - 1)',
        ],
    },
    first='Where do the sums of the inputs stand, where those of their squares?',
)


# 14 Train in many processes


def machine(rows):
    """The (4, 4) products of so many random rows and the optimal weights, (2, 4)."""
    total, _ = sums(rows)
    xx, xy = total[:4, :4], total[:4, 4:]
    return xx, torch.linalg.solve(xx, xy).t()


check_merged = Exercise(
    right="""
def answer(xx1, w1, xx2, w2):
    xy = xx1 @ w1.t() + xx2 @ w2.t()
    return torch.linalg.solve(xx1 + xx2, xy).t()
""",
    means='Each pair gives back the sums that were not sent, and sums add up.',
    cases=[(*machine(40), *machine(9)), (*machine(7), *machine(30))],
    hints={
        'this is the mean of the weights. Do both machines know as much? '
        'they do not. '
        'Sums add up where weights do not: which ones are missing?': '(w1 + w2) / 2',
        'this weighs by rows. Does a row always say as much about each weight? '
        'it does not if an input hardly varies: weigh by '
        'the whole matrices.': '(xx1[0, 0] * w1 + xx2[0, 0] * w2) / (xx1 + xx2)[0, 0]',
        'weigh by the matrices, not by their diagonals.': (
            '(w1 * xx1.diagonal() + w2 * xx2.diagonal()) / (xx1 + xx2).diagonal()'
        ),
        'weights do not add up.': 'w1 + w2',
        'this is one machine only.': ['w1', 'w2'],
        'these are the sums of YᵀX; the weights solve W XᵀX = YᵀX.': 'xy.t()',
        'give them as (2, 4), one row for each target.': 'xy).t() → xy)',
        'both machines have a matrix of their own.': [
            'xx2 @ → xx1 @',
            'xx1 @ → xx2 @',
            'xx1 + →',
            '+ xx2, → ,',
        ],
    },
    first='What is missing is XᵀY. What does XᵀX times the weights give?',
)

check_best_machines = Exercise(
    right=(20, 9 / 1.59),
    tolerance=0.02,
    means='Most of the step is talking, so more machines would only talk more.',
    hints={
        'the number is right. Is a step with it as many times as fast? '
        'computing is, but a step is computing and talking.': (20, 20),
        'the second is the time of a step; how many times as fast is that?': (20, 1.59),
        'the other way round: time of one machine over time of many.': (20, 1.59 / 9),
        'these are only the messages; what is in them takes time, too.': (21, 10.862),
        'that is for a step of 100 ms: here one machine needs 9.': [
            (70, 27.8),
            (70, 2.502),
        ],
        'with all of them a step is nearly all talk.': (1000, 9 / 20.7882),
        'more machines save computing, but each adds a message.': (1000, 1000),
        'a ring goes round twice, once to add and once to hand out.': (29, 9.2161),
        'each message holds an Nth of the gradient, not all of it.': (3, 1.9397),
    },
    first='Write the time of a step as a function of N and try all N.',
)

__all__ = [name for name in dir() if name.startswith('check_')]
