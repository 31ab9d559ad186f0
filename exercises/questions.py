"""What each exercise asks: its cases, a right answer, mistakes and their hints."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from exercises.checking import TAUGHT, AnyOf, Exercise, NotYet, returned
from exercises.comparing import difference, kind
from helpers.data import COWPEA_MAIZE_CSV, REGIONS_CSV, read_csv


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
        raise NotYet(f'expected a tensor, found {kind(tensor)}.')
    if tensor.dtype != torch.float32:
        raise NotYet(f'the dtype is {tensor.dtype}, expected torch.float32.')
    before = tensor.clone()
    array += 1
    if difference(tensor, before, tolerance=0):
        raise NotYet('the tensor changes with the array: they share their memory.')
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
        (
            'right for whole numbers. Does .float() always make a copy?',
            '.float() copies only to change the dtype, so float32 shares its memory.',
        ): 'torch.from_numpy(array).float()',
    },
)


def correlations(feature, target):
    """Of an input and a target without region 0, without region 1, ..."""
    pair = torch.stack([INPUTS[:, feature], TARGETS[:, target]])
    kept = [[row for row in range(5) if row != left_out] for left_out in range(5)]
    return [torch.corrcoef(pair[:, rows])[0, 1].item() for rows in kept]


check_without_one = Exercise(
    right=correlations(0, 0),
    tolerance=1e-3,
    means='Without Sinnoh the sign turns: one region makes apples fall with warmth.',
    hints={
        'these are the oranges.': correlations(0, 1),
        'this is the rainfall.': correlations(1, 0),
        'all five regions take part each time; leave one out.': [-0.478829] * 5,
    },
    first='For each region, list the other rows and index with that list.',
)


# 02 Build a linear model from scratch

check_model = Exercise(
    right="""
def answer(x, w, b):
    return x @ w.t() + b
""",
    means='It uses no global names, so it serves any number of inputs and targets.',
    cases=MODELS,
    hints={
        'the bias is missing.': 'x @ w.t()',
        'the bias is added, not subtracted.': 'x @ w.t() - b',
        (
            'the inner sizes of @ differ. Which matrix has the shape (k, m)?',
            'w is (m, k): its transpose, w.t(), meets the k columns of x.',
        ): 'x @ w + b',
        'x and w changed places: the arguments are x, w, b.': 'w @ x.t() + b',
        '(n, m) + (m,) adds b to every row.': 'x @ w.t() + b.reshape(-1, 1)',
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
        (
            'the weight went the wrong way. Which is larger, a degree Celsius or °F?',
            'a degree Celsius is 1.8 °F, so its weight is 1.8 times as large.',
        ): ('* 1.8', '/ 1.8'),
        'what becomes of the 32?': AnyOf('w_celsius, b', 'w_celsius, b + 32'),
        'the 32 meets the old weight: w * (1.8 * c + 32).': ('* w[', '* w_celsius['),
        'the 32 is added, so its part is added to the bias.': ('b + 32', 'b - 32'),
        'only column 0, the temperature, changes.': ('[:, 0] = w[:, 0]', '[:] = w'),
    },
    first='Put 1.8 * c + 32 in the place of the temperature and multiply out.',
)


# 03 Measure the error with a loss

check_rmse = Exercise(
    right="""
def answer(preds, targets):
    return mse(preds, targets).sqrt()
""",
    means='Square, average over all elements, take the root: tons again.',
    cases=[random(shape, shape) for shape in [(5, 2), (7, 3), (4,)]],
    hints={
        'this is the MSE, without its root.': 'mse(preds, targets)',
        'this is the MAE.': '(preds - targets).abs().mean()',
        'this adds the squares; average them.': '((preds - targets) ** 2).sum().sqrt()',
        'divide by all elements, not by the rows.': ('mse(', 'preds[0].numel() * mse('),
        'not every table has 10 elements.': ('mse(', 'preds.numel() / 10 * mse('),
    },
)

check_constants = Exercise(
    right=TARGETS.median(dim=0).values,
    means='The medians: as many regions above as below. The means win for the MSE.',
    hints={
        (
            'these are the means, which are best for the MSE. Are they for the MAE?',
            'raise a constant by 1: you come nearer to those above, farther from those '
            'below, each time by 1. So how many should be above?',
        ): TARGETS.mean(dim=0),
        'take one for each target, not for each region.': TARGETS.median(dim=1).values,
        'take one for each target.': AnyOf(TARGETS.median(), TARGETS.mean()),
    },
    first='Does the MAE of the apples fall when you raise their constant by 1?',
)

BASELINE = TARGETS.var(dim=0, unbiased=False).mean().item()
SQUARES = (TARGETS**2).mean().item()

check_noise = Exercise(
    right=torch.tensor([BASELINE / 2, 0]),
    tolerance=0.1,
    means='Half of the baseline, then nothing: five coefficients, the bias among them, '
    'fit any five rows. Only new rows show what a model knows.',
    hints={
        (
            'the first is the baseline. Can least squares do no better with noise?',
            'it has three coefficients for five rows of noise: run it.',
        ): AnyOf(
            *(torch.tensor([BASELINE, end]) for end in (0, BASELINE / 4, BASELINE))
        ),
        'the first is that of three columns; take two.': (
            torch.tensor([BASELINE / 4, 0])
        ),
        'the bias is missing: add the column of ones.': (
            torch.tensor([3 * SQUARES / 5, SQUARES / 5])
        ),
        'that for two columns first.': torch.tensor([0, BASELINE / 2]),
    },
    first='Each column takes a share of the baseline. Put torch.randn(5, 2) in the '
    'place of inputs many times, and average.',
)


# 04 Compute the gradients

check_gradients = Exercise(
    right="""
def answer(x, targets, w, b):
    n, m = targets.shape
    diff = x @ w.t() + b - targets
    return 2 / (n * m) * diff.t() @ x, 2 / (n * m) * diff.sum(dim=0)
""",
    look=torch.no_grad()(returned),
    means='These lines serve every table, and need no autograd.',
    cases=[(x, *random((len(x), len(w))), w, b) for x, w, b in MODELS],
    hints={
        'the sign is wrong: the difference is preds - targets.': ('2 /', '-2 /'),
        'the factor 2 of the square is missing.': ('2 /', '1 /'),
        'divide by all elements, not by the rows.': ('(n * m)', 'n'),
        'this is the gradient of the sum; divide by n times m.': (' / (n * m)', ''),
        'not every table has ten elements.': ('(n * m)', '10'),
        'divide that of b by n times m, too.': (
            '2 / (n * m) * diff.s',
            '2 / n * diff.s',
        ),
        'give that of w first.': (
            '2 / (n * m) * diff.sum(dim=0), 2 / (n * m) * diff.t() @ x'
        ),
        'write the formula: nothing is recorded here for backward().': (
            '(diff ** 2).mean().backward()'
        ),
        'use x in the place of the global name inputs.': ('@ x,', '@ inputs,'),
    },
)

check_lowest_alone = Exercise(
    right=-4.34028,
    tolerance=5e-3,
    means='Alone it would fall to −4.34. Together with the other seven it rises to '
    '0.70: the best value of a weight depends on the others.',
    hints={
        (
            'there w13 ends when all eight numbers move. What if seven stay?',
            'keep the other seven as they are, and look for the lowest loss.',
        ): AnyOf(0.698194, 0.7),
        'there it stands, and the loss still has a slope.': AnyOf(0.152697, 0.15),
        'this is how far it moves; add it to w13.': -4.49298,
        'this goes with the slope; the loss falls against it.': 4.64567,
        'this is w21, which the text has already moved alone.': AnyOf(1.88408, 1.88),
    },
    first='Try values in loss_if(0, 2, value), or put a parabola through three points.',
)


# 05 Take one gradient-descent step


def look_at_step(answer, w, lr):
    before, version = w.detach().clone(), w._version
    answer(w, lr)
    return {
        'w': w.detach(),
        'w is changed in place': w._version > version or not torch.equal(w, before),
        'the gradient is zero': w.grad is None or not w.grad.any().item(),
        'w requires gradients': w.requires_grad,
    }


def with_gradient(shape):
    (w,) = random(shape)
    (w.requires_grad_() ** 2).sum().backward()
    return w


CLEAR = '    w.grad.zero_()\n'

check_step = Exercise(
    right="""
def answer(w, lr):
    with torch.no_grad():
        w -= lr * w.grad
    w.grad.zero_()
""",
    look=look_at_step,
    means='`w` is the same tensor as before, a little lower, and ready for `backward`.',
    cases=[(with_gradient((2, 3)), 0.1), (with_gradient((4,)), 0.03)],
    hints={
        'w is as before: -= changes it in place, w = w - … makes a new tensor.': AnyOf(
            ('w -=', 'w = w -'), ('w -=', 'v = w -'), ('w -=', 'v = w -', CLEAR, '')
        ),
        'step first, then clear the gradient.': ('    with', f'{CLEAR}    with'),
        'move against the gradient.': AnyOf(('-=', '+='), ('-=', '+=', CLEAR, '')),
        'the step is right; now set the gradient back to zero.': (CLEAR, ''),
        'change w inside no_grad().': ('with torch.no_grad()', 'if True'),
        'w lost its requires_grad; inside no_grad() it can keep it.': (
            ('    with', '    w.requires_grad_(False)\n    with')
        ),
        'w.grad is there already: no backward.': (
            '    with',
            '    w.backward()\n    with',
        ),
    },
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
        'this is the loss; give the rate.': AnyOf(581.65, 582),
    },
    first='Three points fix a parabola. Where is its lowest point?',
)


# 06 Train for 100 epochs


def look_at_losses(answer, x, y, epochs, lr):
    found = returned(answer, x, y, epochs, lr)
    listed = isinstance(found, list | tuple | torch.Tensor | np.ndarray) and len(found)
    if listed and difference(found[0], (y**2).mean().item()):
        raise NotYet('losses[0] is not the loss of zero weights, before any step.')
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
    return [*history, mse(x @ w.t() + b, y).item()]
""",
    look=look_at_losses,
    means='n epochs have n + 1 losses: one before each, and one at the end.',
    cases=[(*random((5, 3), (5, 2)), 10, 0.05), (*random((8, 2), (8, 1)), 5, 0.1)],
    hints={
        'the loss after the last epoch is missing.': 'history',
        'return all losses, not only the last.': 'mse(x @ w.t() + b, y).item()',
        'the gradients add up: set them to zero in every epoch.': AnyOf(
            ('.grad.zero_()', ''), ('w.grad.zero_()', ''), ('b.grad.zero_()', '')
        ),
        'the bias stays zero: does it take part, and move?': ('b -=', 'b_new ='),
        'no loss changes: make the weights before the loop.': (' -=', '_new ='),
        'the loss rises: move against the gradient.': ('-=', '+='),
        'the last loss is of the old weights.': '[*history, loss.item()]',
        'the shape of w depends on y and x.': ('y.shape[1], x.shape[1]', '2, 3'),
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
        'this is from our random start; begin at zero.': AnyOf(3268, 3269, 3270),
    },
)

check_sum_rate = Exercise(
    right=1e-6,
    means='The sum is ten times the mean, and so is its gradient: a learning rate '
    'belongs to its loss.',
    hints={
        (
            'with the same rate the steps differ. How large is the gradient now?',
            'it is ten times as large, for the mean divides by ten elements.',
        ): 1e-5,
        'the gradient is larger, so the rate must be smaller.': 1e-4,
        'the mean divides by rows times targets.': AnyOf(2e-6, 5e-6, 2e-5, 5e-5),
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
        'every epoch has its smaller batch: round up, then times 5.': AnyOf(62, 63),
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
        (
            'nearly. Can a region be missing among the other twelve?',
            'it is, when all three of its rows are drawn for the test.',
        ): 1.0,
    },
    first='Draw often, and count: rows r, r + 5 and r + 10 are the same region.',
)


# 08 Save and share


def look_with_file(answer, make, *more):
    with TemporaryDirectory() as folder:
        file = Path(folder) / 'model.pt'
        content = make()
        if isinstance(content, str):
            file.write_text(content)
        else:
            torch.save(content, file)
        return returned(answer, file, *more)


def model_file(inputs, targets):
    w, b = random((len(targets), len(inputs)), (len(targets),))
    names = {'inputs': inputs, 'targets': targets}
    return lambda: {'weights': {'weight': w, 'bias': b}, **names}


check_file_predictions = Exercise(
    right="""
def answer(file, region):
    saved = torch.load(file, weights_only=True)
    model = nn.Linear(len(saved['inputs']), len(saved['targets']))
    model.load_state_dict(saved['weights'])
    row = torch.tensor([[float(region[name]) for name in saved['inputs']]])
    return dict(zip(saved['targets'], model(row)[0].tolist()))
""",
    look=look_with_file,
    means='The names in the file decide the order, so the dictionary may have any.',
    cases=[
        (model_file(['rain', 'sun'], [*'xyz']), {'sun': 5, 'rain': 7}),
        (model_file(['low', 'mid', 'high'], ['d']), {'high': 3, 'low': 1, 'mid': 2}),
    ],
    hints={
        'take the numbers in the order of the names in the file.': AnyOf(
            (
                "region[name]) for name in saved['inputs']",
                'v) for v in region.values()',
            ),
            ("for name in saved['inputs']", 'for name in sorted(region)'),
        ),
        'name the predictions after the targets.': ("zip(saved['t", "zip(saved['inpu"),
        'the file knows how many inputs and targets: it need not be (3, 2).': (
            ("len(saved['inputs']), len(saved['targets'])", '3, 2')
        ),
    },
)

CODE_RAN = []


def run_code():
    CODE_RAN.append(True)


class RunsCode:
    def __reduce__(self):
        return run_code, ()


def look_at_safety(answer, make):
    CODE_RAN.clear()
    found = look_with_file(answer, make)
    if CODE_RAN:
        raise NotYet('code from the file ran: ask with weights_only=True.')
    return found


CAUGHT = 'except Exception'

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
        (lambda: {'weight': torch.ones(2), 'names': ['a', 'b']},),
        (lambda: [1.5, 'a'],),
        (lambda: {'weight': torch.ones(2), 'more': RunsCode()},),
        (torch.nn.Identity,),
        (lambda: 'no model',),
        (str,),
    ],
    hints={
        'some of these files name a function to call.': ('return False', 'return True'),
        'some of these files hold nothing but data.': 'False',
        'it is the other way round.': (
            'return False',
            'return 1 > 0',
            'True\n',
            'False',
        ),
        'torch.load refuses with an error: catch it.': AnyOf(
            (CAUGHT, 'except ZeroDivisionError'),
            (CAUGHT, 'except ZeroDivisionError', 'torch.load', 'return torch.load'),
        ),
        'a file that is no model raises other errors; catch them, too.': (
            ('Exception', 'pickle.UnpicklingError')
        ),
        'a safe file need not hold a dictionary.': (
            ('torch.load(', 'return isinstance(torch.load(', '=True)', '=True), dict)')
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
        (
            'the columns went the opposite way. Which list says what comes next?',
            'go through our names, and ask for the place of each among theirs.',
        ): 'w[:, [ours.index(name) for name in theirs]]',
        'the columns are as they were.': 'w',
    },
)


# 09 Scale the inputs


def limit_for(inputs, targets, unit):
    """The largest rate for a line over the rain, for so many targets in one loss."""
    x = torch.cat([inputs[:, [1]] / unit, torch.ones(5, 1)], dim=1).double()
    return 2 / torch.linalg.eigvalsh(2 / (5 * targets) * x.t() @ x)[-1].item()


check_new_limit = Exercise(
    right=limit_for(INPUTS, 2, 10),
    tolerance=1e-3,
    means='The unit, the bias and the number of targets all have a say.',
    hints={
        (
            'half of it is missing. What does the second fruit do?',
            'the factor of the gradient is 2/(n·m), and the limit is 2/L, not 1/L.',
        ): limit_for(INPUTS, 1, 10),
        'this is the limit for millimetres.': limit_for(INPUTS, 2, 1),
        'this is our own limit: what do unit and second fruit change?': (
            limit_for(INPUTS, 1, 1)
        ),
        (
            'nearly. Does everything shrink a hundredfold?',
            'the ones of the bias do not: compute the curvatures anew.',
        ): AnyOf(100 * limit_for(INPUTS, 2, 1), 200 * limit_for(INPUTS, 1, 1)),
        'this is the largest curvature: the limit is 2 over it.': (
            2 / limit_for(INPUTS, 2, 10)
        ),
    },
)

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
        'the factor is the later distance over the earlier one.': (
            'second / first',
            'first / second',
        ),
        'mind the sign: a negative distance is on the other side.': (
            '2 * lr / (1 - abs(second / first))'
        ),
        'second / first is 1 − lr × curvature, not lr × curvature.': (
            '2 * lr / (second / first)'
        ),
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
        'what was divided needs a divided weight.': ('w / (', 'w * ('),
        'low is subtracted from x, and its part from the bias.': ('b -', 'b +'),
    },
)


# 10 Find out why it converges

WITH_ONES = torch.cat([INPUTS, torch.ones(5, 1)], dim=1).double()
LARGEST = torch.linalg.eigvalsh(WITH_ONES.t() @ WITH_ONES / 5)[-1].item()

check_nesterov_limit = Exercise(
    right=3.8 / 2.8 / LARGEST,
    tolerance=1e-3,
    means='Looking ahead lowers the limit below 2/L, to 2(1 + β) / (1 + 2β) / L.',
    hints={
        (
            'this is the limit of plain momentum. Is a glance ahead the same?',
            'follow one number, the steepest direction, and try rates around 1/L.',
        ): 3.8 / LARGEST,
        (
            'this is the limit without any momentum.',
            'follow one number, the steepest direction, and try rates around 1/L.',
        ): 2 / LARGEST,
        'steps add up in one direction, not in a zig-zag.': 0.2 / LARGEST,
        'still higher: the loss falls with this rate.': 1 / LARGEST,
    },
)

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
        'the steep direction diverges.': AnyOf('1 / low', '2 / low'),
        'close: the factors are 1 − rate × low and 1 − rate × high.': (
            '1 / (low + high)'
        ),
        'compare the sizes of both factors, not the rates.': (
            '(1 / low + 1 / high) / 2'
        ),
    },
)


# 11 Work with real data

TRIAL = read_csv(
    COWPEA_MAIZE_CSV,
    label='plot',
    inputs=['block', 'nitrogen_kg_ha', 'cowpea_variety', 'maize_variety'],
    targets=['cowpea_kg_ha', 'maize_kg_ha'],
)
NOISE = 0.114147, 0.587952  # cowpea and maize, in tons/ha: tests/oracles.py


def limit(away, crop=1, power=2):
    """The R² on a block that noise alone allows, around the mean of other blocks."""
    block, y = TRIAL.inputs[:, 0], TRIAL.targets[:, 1].astype(float) / 1000
    error = ((y[block == away] - y[block != away].mean()) ** 2).mean() ** 0.5
    return 1 - (NOISE[crop] / error) ** power


check_groups = Exercise(
    right="""
from sklearn.linear_model import LinearRegression

def answer(x, y, groups):
    preds = np.zeros(len(y))
    for group in np.unique(groups):
        away = groups == group
        fitted = LinearRegression().fit(x[~away], y[~away])
        preds[away] = fitted.predict(x[away])
    return ((preds - y) ** 2).mean() ** 0.5
""",
    means='No row was predicted by a model that knew its group.',
    cases=[
        (*(part.double().numpy() + 1 for part in random((len(g), k), (len(g),))), g)
        for g, k in [
            (np.array([3, 3, 1, 1, 3, 7, 1, 7, 1, 1, 7]), 2),
            (np.array([0, 0, 0, 0, 5, 5, 5, 5, 5, 9, 9]), 1),
        ]
    ],
    hints={
        'these rows were trained on.': ('x[~away], y[~away]', 'x, y'),
        'its neighbours were trained on: leave out the whole group.': (
            'np.unique(groups)',
            'range(len(y))',
            'groups == group',
            'np.arange(len(y)) == group',
        ),
        'the groups differ in size: average the squares of all rows.': AnyOf(
            (
                'np.zeros(len(y))',
                '[]',
                'preds[away] = fitted.predict(x[away])',
                'preds.append(((fitted.predict(x[away]) - y[away])**2).mean()**.5)',
                '((preds - y) ** 2).mean() ** 0.5',
                'np.mean(preds)',
            ),
            (
                'np.zeros(len(y))',
                '[]',
                'preds[away] = fitted.predict(x[away])',
                'preds.append(((fitted.predict(x[away]) - y[away])**2).mean())',
                '((preds - y) ** 2).mean() ** 0.5',
                'np.mean(preds) ** 0.5',
            ),
        ),
        'the group that is left out trained the model.': ('[~away]', '[away]'),
        'square first, then the mean.': 'np.abs(preds - y).mean()',
        'this is the MSE, without its root.': '((preds - y) ** 2).mean()',
        'this model has no bias.': ('Regression()', 'Regression(fit_intercept=False)'),
    },
    first='Cross-validation in the lesson does this for the blocks.',
)

check_limit = Exercise(
    right=limit(1),
    tolerance=2e-3,
    means='The same noise, another baseline: R² depends on the rows it is taken on.',
    hints={
        'this is block 3.': limit(3),
        'this is block 2.': limit(2),
        'this is the noise of cowpea.': limit(1, crop=0),
        'R² compares squares.': limit(1, power=1),
        'this is the part that nobody can explain.': 1 - limit(1),
    },
    first='Which error does the baseline make on block 1, if 2 and 3 give its mean?',
)

check_blocks = Exercise(
    right=10,
    means='9 blocks add 5.4 %, 10 add 4.9 %; the two of the trial add 22 %.',
    hints={
        '5 % of the RMSE, not of the squared error.': AnyOf(20, 21),
        'these are plots: a block has 24.': AnyOf(240, 234, 235),
        'with that many, it is still more than 5 %.': AnyOf(9, 9.75609756),
    },
    first='With b blocks 24 numbers are fitted to 24 b rows.',
)


# 12 Choose and stop

check_gaps = Exercise(
    right="""
def answer(x, train):
    gaps = x == -999
    there = ~gaps[train]
    means = (x[train] * there).sum(dim=0) / there.sum(dim=0)
    return torch.where(gaps, means, x)
""",
    means='Gaps in the other rows are filled as well, with nothing learned from them.',
    cases=[
        (torch.where(gaps, -999.0, values + 10 * torch.arange(8.0)[:, None]), train)
        for values, gaps, train in [
            (random((8, 3))[0], torch.arange(24).reshape(8, 3) % 5 == 1, train)
            for train in (torch.tensor([0, 2, 3, 6]), torch.tensor([7, 1, 4, 5, 2]))
        ]
    ],
    hints={
        'the other rows have a say in the means.': ('[train]', ''),
        'the -999 take part in the means.': ('x[train] * there', 'x[train]'),
        '-999 is no value: leave the gaps out of the means.': (
            '(x[train] * there).sum(dim=0) / there.sum(dim=0)',
            'x[train].mean(dim=0)',
        ),
        'divide by how many values are there, not by the rows.': (
            'there.sum(dim=0)',
            'len(train)',
        ),
        'each column has its own mean: dim=0.': 'torch.where(gaps, means.mean(), x)',
        'these are medians.': (
            '(x[train] * there).sum(dim=0) / there.sum(dim=0)',
            'torch.where(there, x[train], torch.nan).nanmedian(dim=0).values',
        ),
        'a gap becomes a mean here, not 0.': 'torch.where(gaps, 0.0, x)',
        'a gap in any row is filled, not only in those of the training.': (
            'torch.where(gaps, means, x)',
            'x.index_put((train,), torch.where(gaps, means, x)[train])',
        ),
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
        'an epoch after the stop was never seen.': (
            'epoch + 1, best',
            'epoch + 1, errors.index(min(errors))',
        ),
        'the other way round: first where it stops.': 'best + 1, epoch + 1',
        'this stops an epoch late.': ('best == patience', 'best > patience'),
        'this stops an epoch early.': ('best == patience', 'best == patience - 1'),
        'the same error again is no new lowest one.': ('error <', 'error <='),
        'compare with the best one so far, not with the one before.': (
            'error < errors[best]',
            'epoch == 0 or error < errors[epoch - 1]',
        ),
        'these are the errors, not the epochs.': 'error, errors[best]',
    },
    first='Remember the best epoch so far; how far behind it are you?',
)

check_without_validation = Exercise(
    right=78.023231,
    tolerance=5e-4,
    means='Every patient was new once, and α = 30 is chosen as before.',
    hints={
        'these rows were trained on.': 46.142,
        'this is the error on the validation rows.': 59.358829,
        'the row that is left out takes part in the scaling.': AnyOf(
            78.458959, 73.439089, 79.314574
        ),
        'square first, then the mean.': AnyOf(65.917874, 70.078856),
        'this is the MSE, without its root.': 78.023231**2,
        'this is almost no penalty: look for the lowest of the ten.': 107.615223,
    },
    first='Notebook 11 left out one region in turn; a row of `few` is left out here.',
)


# 13 Scale up to millions of rows


def random_sums(rows):
    x, y = random((rows, 3), (rows, 2))
    table = torch.cat([x, torch.ones(rows, 1), y], dim=1).double()
    return table.t() @ table


def with_some(rows, gone):
    """The sums of so many rows, and the last `gone` of the rows."""
    x, y = random((rows, 3), (rows, 2))
    table = torch.cat([x, torch.ones(rows, 1), y], dim=1).double()
    return table.t() @ table, table[rows - gone :]


check_forgotten = Exercise(
    right="""
def answer(total, rows):
    rest = total - rows.t() @ rows
    return torch.linalg.solve(rest[:4, :4], rest[:4, 4:]).t()
""",
    means='What adds up can be taken away: the rows that stay are never read.',
    cases=[with_some(40, 9), with_some(25, 4)],
    hints={
        'these are the weights with the customer.': ('- rows.t() @ rows', ''),
        'this counts the customer twice: subtract.': ('- rows', '+ rows'),
        'these are the weights of the customer and of nobody else.': (
            'total - rows',
            'rows',
        ),
        'weights do not subtract: take the sums away, then solve.': (
            'rest = total - rows.t() @ rows',
            'rest = total',
            ').t()',
            ').t() - torch.linalg.lstsq(rows[:, :4], rows[:, 4:]).solution.t()',
        ),
        'give them as (2, 4), one row for each target.': ('4:]).t()', '4:])'),
    },
    first='What do the rows of the customer add to the sums?',
)

check_mean_and_std = Exercise(
    right="""
def answer(total):
    count = total[3, 3]
    mean = total[3, :3] / count
    return mean, (total.diagonal()[:3] / count - mean ** 2).sqrt()
""",
    means='It is the same for a thousand rows and for a billion: the sums hold it.',
    cases=[(random_sums(40),), (random_sums(9),)],
    hints={
        'this is the variance; take the root.': ('.sqrt()', ''),
        'this is the root of the mean square; take the mean off first.': (
            ' - mean ** 2',
            '',
        ),
        'square the mean before you subtract it.': ('mean ** 2', 'mean'),
        'divide the sums by the number of rows.': (
            'return mean',
            'return mean * count',
        ),
        'divide the squares by the number of rows, not by one less.': AnyOf(
            (').sqrt()', ').mul(count / (count - 1)).sqrt()'),
            ('diagonal()[:3] / count', 'diagonal()[:3] / (count - 1)'),
        ),
    },
    first='Where do the sums of the inputs stand, where those of their squares?',
)


# 14 Train in many processes


def two_machines(first, second):
    """The (4, 4) products and the optimal weights, (2, 4), of each: so many rows."""
    pairs = []
    for total in map(random_sums, (first, second)):
        w = torch.linalg.solve(total[:4, :4], total[:4, 4:]).t()
        pairs += [total[:4, :4], w]
    return tuple(pairs)


check_merged = Exercise(
    right="""
def answer(xx1, w1, xx2, w2):
    xy = xx1 @ w1.t() + xx2 @ w2.t()
    return torch.linalg.solve(xx1 + xx2, xy).t()
""",
    means='Each pair gives back the sums that were not sent, and sums add up.',
    cases=[two_machines(40, 9), two_machines(7, 30)],
    hints={
        (
            'this is the mean of the weights. Do both machines know as much?',
            'they do not. Sums add up where weights do not: which ones are missing?',
        ): '(w1 + w2) / 2',
        (
            'this weighs by rows. Does a row always say as much about each weight?',
            'it does not if an input hardly varies: weigh by the whole matrices.',
        ): '(xx1[3, 3] * w1 + xx2[3, 3] * w2) / (xx1 + xx2)[3, 3]',
        'weigh by the matrices, not by their diagonals.': (
            '(w1 * xx1.diagonal() + w2 * xx2.diagonal()) / (xx1 + xx2).diagonal()'
        ),
        'weights do not add up.': 'w1 + w2',
        'this is one machine only.': AnyOf('w1', 'w2'),
        'these are the sums of YᵀX; the weights solve W XᵀX = YᵀX.': 'xy.t()',
        'give them as (2, 4), one row for each target.': ('xy).t()', 'xy)'),
        'both machines have a matrix of their own.': AnyOf(
            ('xx2 @', 'xx1 @'), ('xx1 @', 'xx2 @'), ('xx1 +', ''), ('+ xx2,', ',')
        ),
    },
    first='What is missing is XᵀY. What does XᵀX times the weights give?',
)

check_best_machines = Exercise(
    right=(20, 9 / 1.59),
    tolerance=0.02,
    means='Most of the step is talking, so more machines would only talk more.',
    hints={
        (
            'the number is right. Is a step with it as many times as fast?',
            'computing is, but a step is computing and talking.',
        ): (20, 20),
        'the second is the time of a step; how many times as fast is that?': (20, 1.59),
        'the other way round: the time of one machine over the time of many.': (
            (20, 1.59 / 9)
        ),
        'these are only the messages; what is in them takes time, too.': (21, 10.862),
        'that is for a step of 100 ms: here one machine needs 9.': AnyOf(
            (70, 27.8), (70, 2.502)
        ),
        'with all of them a step is nearly all talk.': (1000, 9 / 20.7882),
        'more machines save computing, but each adds a message.': (1000, 1000),
        'a ring goes round twice, once to add and once to hand out.': (29, 9.2161),
        'each message holds an Nth of the gradient, not all of it.': (3, 1.9397),
    },
    first='Write the time of a step as a function of N and try all N.',
)

__all__ = [name for name in dir() if name.startswith('check_')]
