"""How an answer is judged: is it right, is it a known mistake, else what is different?

A function is tried on several cases, beside the right answer and the known mistakes.
What counts is what it does: an answer that does the same as a mistake gets its hint.
"""

import copy
import inspect
import pickle
from dataclasses import dataclass

import torch
from torch import nn

from exercises.comparing import Failure, count, difference, kind
from exercises.guarding import SECONDS, TooLong, guarded

TAUGHT = {'torch': torch, 'nn': nn, 'pickle': pickle}
TAUGHT['mse'] = lambda preds, targets: ((preds - targets) ** 2).mean()
OPEN = (
    'Not answered yet: replace the dots in the cell above, run it, then run this one.'
)
MORE = ' (`hint=True` after the answer says more.)'


class Verdict(str):
    """What a check says. A notebook shows it as a plain sentence."""

    __repr__ = str.__str__


def returned(answer, *case):
    """What a function returns. It fails if it changes its arguments."""
    before = copy.deepcopy(case)
    result = answer(*case)
    if difference(case, before, tolerance=0):
        raise Failure('the function changes its arguments: work with new tensors.')
    return result


@dataclass
class Exercise:
    """What an exercise asks for. Call it with an answer to get a `Verdict`.

    Attributes:
        right: a right answer: a value, or the source of a function.
        means: what is said after "Right."
        hints: what to say to a wrong answer, and that answer, or a list of several.
            What follows a question is said with `hint=True`, in place of the question.
            How a wrong function is written is said in `spoilt`.
        cases: arguments to try a function on. None: the answer is a value.
        look: called with the answer and a case, returns what counts. Raises `Failure`
            to say something else.
        first: what to think of first. It is said with `hint=True` to an open answer,
            and to a wrong one that makes no known mistake.
        tolerance: how far a number may be off, relative to the right one.
    """

    right: object
    means: str
    hints: dict
    cases: list = None
    look: object = returned
    first: str = ''
    tolerance: float = 1e-4

    def __post_init__(self):
        self.solution = defined(self.right) if self.cases else self.right
        self.solved = False

    def __call__(self, answer, hint=False):
        """Judge an answer. Nothing that it does comes out as an error."""
        self.solved, more = False, ''
        if answer is ...:
            return Verdict(f'{OPEN} {self.first}'.rstrip() if hint else OPEN)
        try:
            with guarded(SECONDS):
                problem, more = self.judge(answer)
        except TooLong:
            problem = f'stopped after {count(SECONDS, "second")}: an endless loop?'
        except Exception as error:
            problem = f'this cannot be compared ({type(error).__name__}).'
        self.solved = not problem
        if self.solved:
            return Verdict(f'Right. {self.means}')
        if hint:
            return Verdict(f'Not yet: {more or problem}')
        return Verdict(f'Not yet: {problem}{MORE if more else ""}')

    def judge(self, answer):
        """What is wrong with an answer, '' if nothing is, and what `hint` says."""
        results = self.results(answer)
        problem = self.differs(results, self.solution)
        if not problem:
            return '', ''
        for said, mistake in self.mistakes():
            if not self.differs(results, mistake):
                question, mark, more = said.partition('? ')
                return question + mark.strip(), more
        problem = (self.cases and self.misuse(answer)) or problem
        return problem, self.first and f'{problem} {self.first}'

    def mistakes(self):
        """What is said to each known mistake, and the mistake."""
        for said, wrong in self.hints.items():
            for one in wrong if isinstance(wrong, list) else [wrong]:
                yield said, spoilt(self.right, one) if self.cases else one

    def results(self, answer):
        """A value itself, or what a function gives in each case."""
        if not self.cases:
            return [answer]
        return [self.attempt(answer, case) for case in self.cases]

    def attempt(self, answer, case):
        """What counts of a call with copies of these arguments, or a `Failure`."""
        try:
            return self.look(answer, *copy.deepcopy(case))
        except (TooLong, KeyboardInterrupt):
            raise
        except Failure as failure:
            return failure
        except BaseException as error:
            message = ' '.join(str(error).split())[:200]
            return Failure(f'it raised {type(error).__name__}: {message}')

    def differs(self, results, answer):
        """What distinguishes these results from those of another answer, in words."""
        pairs = zip(results, self.results(answer), strict=True)
        found = (difference(*pair, self.tolerance) for pair in pairs)
        return next(filter(None, found), '')

    def misuse(self, answer):
        """Why a function cannot be called, or which argument it ignores, in words."""
        if not callable(answer):
            return f'expected a function, found {kind(answer)}.'
        names = [*inspect.signature(self.solution).parameters]
        try:
            inspect.signature(answer).bind(*names)
        except TypeError:
            expected = count(len(names), 'argument')
            return f'the function has to take {expected}: {", ".join(names)}.'
        except ValueError:
            pass  # some built-in functions have no signature to look at
        for position, name in enumerate(names):
            ignored = [self.ignores(each, position) for each in (answer, self.solution)]
            if ignored == [True, False]:
                return (
                    f'the result is the same for another `{name}`: '
                    'use the argument, no global name and no fixed number.'
                )
        return ''

    def ignores(self, function, position):
        """Whether a function gives the same when a number in this place is another."""
        other = [*self.cases[0]]
        if not isinstance(other[position], torch.Tensor | int | float):
            return False
        other[position] = other[position] + 1
        results = [self.attempt(function, case) for case in (self.cases[0], other)]
        return Failure not in map(type, results) and not difference(*results)


def defined(source):
    """The function `answer` that a source defines, with the names that are taught."""
    namespace = dict(TAUGHT)
    exec(source, namespace)
    return namespace['answer']


def spoilt(source, wrong):
    """A function that returns something else, or with edits: `old → new; old → new`."""
    if '→' not in wrong:
        return defined(f'{source.rpartition("return ")[0]}return {wrong}')
    for edit in wrong.split(';'):
        source = source.replace(*map(str.strip, edit.split('→')))
    return defined(source)


def progress(*checks):
    """How many of these exercises are right so far, in this kernel."""
    solved = sum(check.solved for check in checks)
    return Verdict(
        f'{solved} of {count(len(checks), "exercise")} right in this kernel.'
    )
