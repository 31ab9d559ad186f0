"""What a model must not have seen does not reach it."""

from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from series import Notebook, numbered


def other_harvest(read_csv, *arguments, **named):
    """The field trial with other harvests in block 3."""
    table = read_csv(*arguments, **named)
    table.targets[table.inputs[:, 0] == 3] *= 7
    return table


def field_trial(read_csv, *arguments, **named):
    """The field trial with other harvests and other treatments in block 3."""
    table = other_harvest(read_csv, *arguments, **named)
    away = table.inputs[:, 0] == 3
    table.inputs[away, 1] = 120 - table.inputs[away, 1]
    return table


def diabetes(load_diabetes, **named):
    """The diabetes table with other numbers in the rows of the test."""
    table = load_diabetes(**named)
    generator = torch.Generator().manual_seed(0)
    test = torch.randperm(442, generator=generator)[:90].numpy()
    table.data[test] += 1000
    table.target[test] *= 7
    return table


def ends_with(number, last):
    """What a notebook defines, without figures, up to the cell that holds `last`."""
    space = {}
    for cell in Notebook(numbered(number)).code:
        if 'show(' not in cell.source:
            exec(cell.source, space)
        if last in cell.source:
            return space
    raise AssertionError(f'No cell of notebook {number} holds {last!r}.')


# A notebook, up to which cell it is run, what takes the place of its data; what this
# must change, and what not.
HELD_OUT = {
    'test plots reach no model': (
        (11, 'error, baseline =', 'helpers.data', 'read_csv', field_trial),
        'error',
        ['mean', 'model.coef_'],
    ),
    'a block left out does not reach its own prediction': (
        (11, 'seen.append(', 'helpers.data', 'read_csv', other_harvest),
        'yields[block == 3]',
        ['model.predict(plots[block == 3])', 'fitted.predict(one_hot[block == 3])'],
    ),
    'test patients reach neither scaling nor choice nor model': (
        (12, 'luckiest =', 'sklearn.datasets', 'load_diabetes', diabetes),
        'y',
        ['best_alpha', 'best_epoch', 'history']
        + [f'model.state_dict()["{name}"]' for name in ('mean', 'std')]
        + [f'model.state_dict()["linear.{name}"]' for name in ('weight', 'bias')],
    ),
}


@pytest.mark.parametrize(('run', 'changed', 'same'), HELD_OUT.values(), ids=HELD_OUT)
def test_what_is_held_out_stays_out(run, changed, same, monkeypatch):
    number, last, module, name, other = run
    before, module = ends_with(number, last), import_module(module)
    monkeypatch.setattr(module, name, partial(other, getattr(module, name)))
    after = ends_with(number, last)

    def equal(expression):
        return np.array_equal(eval(expression, before), eval(expression, after))

    assert not equal(changed)
    assert [expression for expression in same if not equal(expression)] == []
