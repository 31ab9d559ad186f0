"""How an answer is judged: is it right, is it a known mistake, else what is different?

A function is tried on several cases, beside the right answer and the known mistakes.
What counts is what it does: an answer that does the same as a mistake gets its hint.
"""

import copy
import inspect
import pickle
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from exercises.comparing import Failure, count, difference, kind
from exercises.guarding import SECONDS, TooLong, at_most, untouched

TAUGHT = {'np': np, 'torch': torch, 'nn': nn, 'F': F, 'pickle': pickle}
TAUGHT['mse'] = lambda preds, targets: ((preds - targets) ** 2).mean()


class Verdict(str):
    """What a check says. A notebook shows it as a plain sentence."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


class NotYet(Exception):
    """What a check itself noticed about an answer: one sentence."""


class AnyOf:
    """Several wrong answers that get the same hint."""

    def __init__(self, *answers):
        self.answers = answers


OPEN = Verdict(
    'Not answered yet: replace the dots in the cell above, run it, then run this one.'
)
MORE = ' (`hint=True` after the answer says more.)'
UNUSED = 'use the argument, no global name and no fixed number.'


def returned(answer, *case):
    """What a function returns. Raises `NotYet` if it changes its arguments."""
    before = copy.deepcopy(case)
    result = answer(*case)
    if difference(case, before, tolerance=0):
        raise NotYet('the function changes its arguments: work with new tensors.')
    return result


@dataclass
class Exercise:
    """What an exercise asks for. Call it with an answer to get a `Verdict`.

    Attributes:
        right: a right answer: a value, or the source of a function.
        means: what is said after "Right."
        hints: what to say to a wrong answer, and that answer, or `AnyOf` several. A
            pair of sentences is a question, and what is said with `hint=True`. A wrong
            function is the right one with another text after its last `return`, or
            with edits: (old, new), or (old, new, old, new).
        cases: arguments to try a function on. None: the answer is a value.
        look: called with the answer and a case, returns what counts. Raises `NotYet`
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
    solved: bool = field(default=False, init=False)

    def __call__(self, answer, hint=False):
        """Judge an answer. Nothing that it does comes out as an error."""
        try:
            with untouched(), at_most(SECONDS):
                said = self.judge(answer, hint)
        except TooLong:
            said = (
                f'Not yet: stopped after {count(SECONDS, "second")}: an endless loop?'
            )
        except Exception as error:
            said = f'Not yet: this cannot be compared ({type(error).__name__}).'
        self.solved = said.startswith('Right.')
        return Verdict(said)

    def judge(self, answer, hint):
        """What to say to an answer, with the second step of help if `hint` is true."""
        if answer is ...:
            return f'{OPEN} {self.first}'.rstrip() if hint else OPEN
        problem = self.wrong_kind(answer)
        if not problem:
            results = self.results(answer)
            problem = self.differs(results, self.right_answer())
            if not problem:
                return f'Right. {self.means}'
            for said, mistake in self.mistakes():
                if not self.differs(results, mistake):
                    return self.not_yet(said, hint)
            problem = self.unused(answer) or problem
        return self.not_yet((problem, f'{problem} {self.first}'), hint)

    def not_yet(self, said, hint):
        question, more = (said, said) if isinstance(said, str) else said
        if hint:
            return f'Not yet: {more}'.rstrip()
        return f'Not yet: {question}{MORE if more.strip() != question else ""}'

    def mistakes(self):
        """What is said to each known mistake, and the mistake."""
        for said, wrong in self.hints.items():
            for one in wrong.answers if isinstance(wrong, AnyOf) else [wrong]:
                yield said, one if self.cases is None else defined(self.spoilt(one))

    def spoilt(self, wrong):
        """The source of the right function with a mistake, as written in `hints`."""
        source = self.right
        if isinstance(wrong, str):
            return f'{source.rpartition("return ")[0]}return {wrong}'
        for old, new in zip(wrong[::2], wrong[1::2], strict=True):
            source = source.replace(old, new)
        return source

    def right_answer(self):
        return self.right if self.cases is None else defined(self.right)

    def wrong_kind(self, answer):
        """Why an answer cannot be tried, '' if it can."""
        if self.cases is None:
            return f'expected {kind(self.right)}, no function.' * callable(answer)
        if not callable(answer):
            return f'expected a function, found {kind(answer)}.'
        names = self.arguments()
        try:
            inspect.signature(answer).bind(*names)
        except TypeError:
            expected = count(len(names), 'argument')
            return f'the function has to take {expected}: {", ".join(names)}.'
        except ValueError:
            pass  # some built-in functions have no signature to look at
        return ''

    def arguments(self):
        return [*inspect.signature(self.right_answer()).parameters]

    def results(self, answer):
        """A value itself, or what a function gives in each case."""
        if self.cases is None:
            return [answer]
        return [self.attempt(answer, case) for case in self.cases]

    def attempt(self, answer, case):
        """What counts of a call with copies of these arguments, or a `Failure`."""
        try:
            return self.look(answer, *copy.deepcopy(case))
        except TooLong:
            raise
        except NotYet as noticed:
            return Failure(noticed)
        except BaseException as error:
            message = ' '.join(str(error).split())[:200]
            return Failure(f'it raised {type(error).__name__}: {message}')

    def differs(self, results, answer):
        """What distinguishes these results from those of another answer, in words."""
        pairs = zip(results, self.results(answer), strict=True)
        found = (difference(*pair, self.tolerance) for pair in pairs)
        return next(filter(None, found), '')

    def unused(self, answer):
        """That an argument should change the result but does not, '' if all do."""
        for position, name in enumerate(self.arguments() if self.cases else ()):
            case = list(self.cases[0])
            if isinstance(case[position], torch.Tensor | int | float):
                case[position] = copy.deepcopy(case[position]) + 1
                if self.same(answer, case) and not self.same(self.right_answer(), case):
                    return f'the result is the same for another `{name}`: {UNUSED}'
        return ''

    def same(self, function, case):
        """Whether a function gives for this case what it gives for the first one."""
        first, second = (self.attempt(function, each) for each in (self.cases[0], case))
        return not isinstance(first, Failure) and not difference(first, second)


def defined(source):
    """The function `answer` that a source defines, with the names that are taught."""
    namespace = dict(TAUGHT)
    exec(source, namespace)
    return namespace['answer']


def progress(*checks):
    """How many of these exercises are right so far, in this kernel."""
    solved = sum(check.solved for check in checks)
    return Verdict(
        f'{solved} of {count(len(checks), "exercise")} right in this kernel.'
    )
