"""What distinguishes a result from the right one, in words."""

import inspect
import math
import numbers

import numpy as np
import torch


class Failure(Exception):
    """Why a call gave no result that counts: one sentence."""


def difference(found, right, tolerance=1e-4):
    """What distinguishes a result from the right one, '' if nothing does.

    Lists, arrays and tensors of the same numbers are alike.
    """
    if isinstance(found, Failure):
        same = isinstance(right, Failure) and str(found) == str(right)
        return '' if same else str(found)
    if isinstance(right, Failure):
        return 'it works.'
    if isinstance(right, torch.Tensor | np.ndarray) and right.ndim:
        return _tensor(found, torch.as_tensor(right), tolerance)
    if isinstance(right, tuple | list | dict):
        if isinstance(found, torch.Tensor | np.ndarray) and found.ndim:
            found = found.tolist()
        if _parts(found).keys() != _parts(right).keys():
            return f'expected {count(len(right), "value")}, found {kind(found)}.'
        for name, each in _parts(right).items():
            if problem := difference(_parts(found)[name], each, tolerance):
                return f'{name}: {problem}'
        return ''
    is_number = isinstance(right, numbers.Real | torch.Tensor | np.ndarray)
    if is_number and not isinstance(right, bool):
        right = right.item() if hasattr(right, 'item') else right
        return _number(found, float(right), tolerance)
    same = type(found) is type(right) and found == right
    return '' if same else f'expected {kind(right)}, found {kind(found)}.'


def _parts(value):
    """The elements of a list, tuple or dictionary, each with its name."""
    if isinstance(value, tuple | list):
        return {f'element [{position}]': each for position, each in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _number(found, right, tolerance):
    if isinstance(found, torch.Tensor | np.ndarray) and math.prod(found.shape) == 1:
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, numbers.Real):
        return f'expected a number, found {kind(found)}.'
    found = float(found)
    if not math.isfinite(found):
        return f'the result is {found}.'
    if math.isclose(found, right, rel_tol=tolerance):
        return ''
    if not found.is_integer() and any(found == round(right, n) for n in range(1, 6)):
        return f'{found:.6g} is rounded: give all digits.'
    return f'{found:.6g} is not right.'


def _tensor(found, right, tolerance):
    try:
        found = torch.as_tensor(found)
    except (TypeError, ValueError, RuntimeError):
        return f'expected a tensor, found {kind(found)}.'
    if found.shape != right.shape:
        return f'the shape is {tuple(found.shape)}, expected {tuple(right.shape)}.'
    if found.is_complex() or not found.isfinite().all():
        return 'not all elements are finite real numbers.'
    found, right = found.double(), right.double()
    slack = tolerance * right.abs().max()
    wrong = ((found - right).abs() > slack).nonzero().tolist()
    if not wrong:
        return ''
    value = found[tuple(wrong[0])].item()
    return (
        f'the shape is right, but {len(wrong)} of {count(right.numel(), "element")} '
        f'differ, first {wrong[0]}, which is {value:.6g}.'
    )


def kind(value):
    """What sort of thing a value is, such as "an int" or "a list of 3"."""
    if value is None or isinstance(value, bool):
        return str(value)
    name = 'function' if inspect.isroutine(value) else type(value).__name__
    article = 'an' if name[0].lower() in 'aeiou' else 'a'
    length = f' of {len(value)}' if isinstance(value, tuple | list) else ''
    return f'{article} {name}{length}'


def count(number, noun):
    """A number and its noun, such as "1 value" or "3 values"."""
    return f'{number} {noun}{"s" * (number != 1)}'
