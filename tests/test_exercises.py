"""The exercises judge rightly: solutions, known mistakes, and whatever else comes.

Most of it is derived from the tables in `exercises/questions.py` and from the folds.
"""

import ast
import random
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from series import Exercise, Notebook, defined, names, paths, printed, statements

import exercises
from exercises import checking
from exercises.comparing import Failure, difference

CHECKS = {name: check for name, check in vars(exercises).items() if 'check_' in name}
CASES = [
    pytest.param(notebook, exercise, CHECKS[exercise.check], id=exercise.check)
    for notebook in map(Notebook, paths())
    for exercise in notebook.exercises()
]
MISTAKES = [
    pytest.param(check, said, mistake, id=f'{name}: {said}')
    for name, check in CHECKS.items()
    for said, mistake in check.mistakes()
]
PYTHON = {*dir(list), *dir(dict), *dir(str)}  # a reader knows these
# One edit of a solution that is a value, and what its check says to it.
SPOILT = {
    'check_without_one': ('targets[others, 0]', 'targets[others, 1]', 'the oranges'),
    'check_shapes': ('(3,)', '(3)', 'a comma is missing'),
    'check_constants': ('median(dim=0).values', 'mean(dim=0)', 'best for the MSE'),
    'check_noise': (', torch.ones(5, 1)', '', 'the bias is missing'),
    'check_lowest_alone': ('w13 -', 'w13 +', 'against it'),
    'check_best_rate': ('2 * a', 'a', 'twice too far'),
    'check_epochs': ('answer = 0', 'answer = 1', 'count from 0'),
    'check_sum_rate': ('/', '*', 'must be smaller'),
    'check_twins': ('60_000', '600', 'between 0 and 1'),
    'check_updates': ('13', '12', 'smaller batch'),
    'check_random_plots': ('[1])', '[0])', 'this is cowpea'),
    'check_blocks': ('1.05', '1.05 ** 0.5', 'not of the squared error'),
    'check_best_machines': ('1e6', '8', 'only the messages'),
}


def above(notebook, exercise):
    return notebook.cells[: notebook.cells.index(exercise.opened)]


def answered(notebook, exercise, check, solution):
    """The verdict on a solution that is run with what it needs of the lesson above.

    A function gets modules and functions only, so one that needs a global tensor fails.
    """
    tree = ast.parse(solution)
    wanted = {*names(tree, ast.Load)} - {*names(tree, ast.Store)}
    for statement in reversed([*statements(above(notebook, exercise))]):
        seeds = ast.unparse(statement).startswith('torch.manual_seed')
        if seeds or wanted.intersection(defined(statement)):
            wanted.update(names(statement, ast.Load))
            if not (check.cases and isinstance(statement, ast.Assign)):
                tree.body.insert(0, statement)
    namespace = {'torch': torch}
    exec(compile(tree, notebook.path.name, 'exec'), namespace)
    return check(namespace['answer'])


@pytest.mark.parametrize(('notebook', 'exercise', 'check'), CASES)
def test_a_solution_is_right(notebook, exercise, check, capsys):
    solution = exercise.solution
    verdict = answered(notebook, exercise, check, solution)
    assert verdict == f'Right. {check.means}'
    assert not capsys.readouterr().out, 'A solution prints nothing.'
    if check.cases:
        assert solution == check.right.strip(), 'It stands in its table, too.'
        assert Failure not in map(type, check.results(check.solution))
    else:
        old, new, words = SPOILT[exercise.check]
        spoilt = solution.replace(old, new)
        assert words in answered(notebook, exercise, check, spoilt)


@pytest.mark.parametrize(('notebook', 'exercise', 'check'), CASES)
def test_a_solution_needs_only_what_was_taught(series, notebook, exercise, check):
    earlier = series[: notebook.number - 1]
    cells = sum((each.cells for each in earlier), above(notebook, exercise))
    read = '\n'.join(cell.source for cell in cells)
    nodes = ast.walk(ast.parse(exercise.solution))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    new = {name for name in used - PYTHON if not re.search(rf'\b{name}\b', read)}
    assert not new, f'Teach or name it before the exercise: {new}'


@pytest.mark.parametrize(('check', 'said', 'mistake'), MISTAKES)
def test_a_known_mistake_gets_its_own_hint(check, said, mistake):
    question, _, more = said.partition('? ')
    assert check(mistake).startswith(f'Not yet: {question}')
    assert check(mistake, hint=True) == f'Not yet: {more or said}'


def test_the_form_of_exercises(notebook):
    found = notebook.exercises()
    assert 2 <= len(found) <= 4
    for number, exercise in enumerate(found, start=1):
        assert printed(exercise.checking) == checking.OPEN, 'Leave it unanswered.'
        assert re.fullmatch(
            rf'<details>\n<summary>Solution of exercise {number}</summary>\n\n'
            rf'```python\n{re.escape(exercise.solution)}\n```\n\n'
            r'[A-Z`].{40,}\.\n\n</details>',
            exercise.fold.source,
            re.S,
        ), 'Code, empty lines, and why.'
    last = notebook.section('Check yourself')[-1]
    checks = ', '.join(exercise.check for exercise in found)
    assert last.source.endswith(f'\nprogress({checks})')
    assert printed(last) == f'0 of {len(found)} exercises right in this kernel.'


@pytest.mark.filterwarnings('error')
def test_a_right_result_may_carry_a_gradient():
    torch.set_warn_always(True)  # or a second warning of a process is silent
    try:
        assert not difference(1.0, torch.tensor(1.0, requires_grad=True))
    finally:
        torch.set_warn_always(False)


def test_a_draft_says_what_it_lacks():
    cells = new_code_cell('answer = ...  # tons'), new_code_cell(), new_markdown_cell()
    with pytest.raises(ValueError, match='Below this belong .*:\nanswer = ... '):
        Exercise(*cells)


def test_every_check_belongs_to_one_exercise(series):
    used = [exercise.check for notebook in series for exercise in notebook.exercises()]
    assert sorted(used) == sorted(CHECKS)
    values = [name for name, check in CHECKS.items() if check.cases is None]
    assert sorted(SPOILT) == sorted(values)


# What no table can hold: an answer as it is written, and words of what is said to it.

w = torch.ones(2, 3)


def clipped_first(w, b, lr, longest):
    torch.nn.utils.clip_grad_norm_([w, b], longest / lr)
    with torch.no_grad():
        for each in (w, b):
            each -= lr * each.grad
            each.grad = None


@pytest.mark.parametrize(
    ('name', 'answer', 'words'),
    [
        ('tensor', lambda array: array.fill(0), 'changes its arguments'),
        ('tensor', np.copy, 'expected a tensor, found a ndarray'),
        ('without_one', np.array(exercises.check_without_one.right), 'Right.'),
        ('without_one', [-0.73, -0.52, -0.7, 0.23, 0], 'element [0]: -0.73 is rounded'),
        ('model', lambda x, w_, b: x @ w.t() + b.t(), 'same for another `w`'),
        ('model', lambda x, w: x @ w, '3 arguments: x, w, b'),
        ('model', lambda x, w, b: x @ w.double(), 'it raised RuntimeError: expected'),
        ('model', w, 'expected a function, found a Tensor'),
        ('model', torch.stack, 'it raised TypeError: stack()'),  # it has no signature
        ('shapes', 5, 'expected 3 values, found an int'),
        ('shapes', (torch.Size([3, 4]), [3], (7, 3)), 'Right.'),
        ('relative_rmse', lambda preds, targets: preds[0] / 0, 'are finite'),
        ('constants', (81, 101.0), 'Right.'),
        ('constants', [81, 100], 'first [1], which is 100'),
        ('constants', torch.tensor([81, 101 + 1j]), 'finite real numbers'),
        ('best_rate', True, 'expected a number, found True'),
        ('best_rate', float('nan'), 'the result is nan'),
        ('bounded_step', clipped_first, 'Right.'),
        ('bounded_step', lambda w, b, lr, _: w.data.sub_(lr * w.grad), 'w.grad is'),
        ('train', lambda x, y, epochs, lr: [9.9] * (epochs + 1), 'of zero weights'),
        ('epochs', lambda: 2111, 'expected a number, found a function'),
        ('epochs', np.complex64(2111 + 5j), 'expected a number, found a complex64'),
        ('sum_rate', 0, '0 is not right'),
        ('best_rate_of_two', lambda low, high: 0.3, 'same for another `low`'),
        ('is_safe', lambda file: 1, 'expected True, found an int'),
        ('is_safe', lambda file: bool(torch.load(file, weights_only=False)), 'ran'),
    ],
)
def test_what_is_said_to(name, answer, words):
    verdict = CHECKS[f'check_{name}'](answer)
    assert verdict.startswith(('Right. ', 'Not yet: ')), verdict
    assert words in verdict


def test_an_open_answer_may_ask_for_a_first_hint():
    assert exercises.check_noise(...) == checking.OPEN
    assert exercises.check_noise(50).endswith('says more.)')
    for answer in (..., 50):
        verdict = exercises.check_noise(answer, hint=True)
        assert verdict.endswith('many times, and average.')


def test_progress_counts_what_is_right_now():
    checks = exercises.check_shapes, exercises.check_epochs
    checks[0](...)
    for answer, count in [(2111, 1), (..., 0), (2112, 0), (2111, 1)]:
        checks[1](answer)
        assert exercises.progress(*checks).startswith(f'{count} of 2 exercises')


def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(checking, 'SECONDS', 1)

    def endless(array):
        while True:
            pass

    assert 'stopped after 1 second:' in exercises.check_tensor(endless)


def test_the_readers_kernel_stays_as_it_was():
    def drawn(*arguments):
        return random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002

    def seeded():
        torch.manual_seed(1), random.seed(1), np.random.seed(1)  # noqa: NPY002

    def reckless(*arguments):
        torch.set_grad_enabled(False)
        for argument in arguments:
            if isinstance(argument, torch.Tensor):
                argument.data.zero_()
        return drawn()

    seeded()
    expected = drawn()
    seeded()
    for check in CHECKS.values():
        check(reckless)
    assert torch.is_grad_enabled()
    assert drawn() == expected
    check = exercises.check_mae_gradients
    assert check(check.solution).startswith('Right.')


class Hostile:
    def __getattr__(self, name):
        raise ZeroDivisionError

    def __eq__(self, other):
        raise MemoryError

    __hash__ = __bool__ = __len__ = __float__ = __iter__ = __eq__


def raising(error):
    def answer(*arguments):
        raise error

    return answer


ODD = [None, True, -1, 10**400, 2**63, float('nan'), float('-inf'), 1e308, 1j, '']
ODD += [b'\0', object(), Hostile, print, slice(None), range(10**9), np.array(None)]
ODD += [np.ones(3, 'U3'), torch.nn.Linear(3, 2), w.to_sparse(), w.to('meta')]
ODD += [torch.ones(2, requires_grad=True)]
TENSORS = st.builds(
    torch.ones,
    st.lists(st.integers(0, 4), max_size=4),
    dtype=st.sampled_from([torch.float32, torch.int64, torch.bool, torch.complex64]),
)
VALUES = st.recursive(
    st.sampled_from(ODD) | st.builds(Hostile) | TENSORS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(['w', 1]), inner)
    ),
    max_leaves=6,
)
ERRORS = [SystemExit(), KeyError(), StopIteration(), GeneratorExit(), MemoryError()]
ERRORS += [type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()]
ANSWERS = (
    VALUES
    | VALUES.map(lambda value: lambda *arguments: value)
    | st.sampled_from(ERRORS).map(raising)
    | st.sampled_from([Hostile, dict, zip, torch.stack, lambda *a: a, len])
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(CHECKS)), ANSWERS, st.booleans())
def test_a_wild_answer_is_never_right_and_never_an_error(name, answer, hint):
    verdict = CHECKS[name](answer, hint=hint)
    assert type(verdict) is checking.Verdict
    assert verdict.startswith('Not yet: '), verdict


def test_who_presses_stop_is_obeyed():
    with pytest.raises(KeyboardInterrupt):
        exercises.check_folding(raising(KeyboardInterrupt()))
