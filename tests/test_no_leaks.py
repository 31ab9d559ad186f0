"""What a model must not have seen does not reach it."""

import numpy as np
import pytest
import torch
from series import Notebook, numbered
from sklearn import datasets

from helpers import data

read_csv, load_diabetes = data.read_csv, datasets.load_diabetes


def other_harvest(*arguments, **named):
    """The field trial with other harvests in block 3."""
    table = read_csv(*arguments, **named)
    table.targets[table.inputs[:, 0] == 3] *= 7
    return table


def field_trial(*arguments, **named):
    """The field trial with other harvests and other treatments in block 3."""
    table = other_harvest(*arguments, **named)
    away = table.inputs[:, 0] == 3
    table.inputs[away, 1] = 120 - table.inputs[away, 1]
    return table


def diabetes(**named):
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


@pytest.fixture
def before_and_after(monkeypatch):
    """A function that runs a notebook up to a cell, as it is and with other data."""

    def run(number, last, *place_and_other):
        before = ends_with(number, last)
        monkeypatch.setattr(*place_and_other)
        return before, ends_with(number, last)

    return run


def test_test_plots_do_not_reach_the_model(before_and_after):
    other = data, 'read_csv', field_trial
    before, after = before_and_after(11, 'error, baseline =', *other)
    assert not np.array_equal(before['error'], after['error'])
    assert np.array_equal(before['mean'], after['mean'])
    assert np.array_equal(before['model'].coef_, after['model'].coef_)


def test_test_patients_reach_neither_scaling_nor_choice_nor_model(before_and_after):
    other = datasets, 'load_diabetes', diabetes
    before, after = before_and_after(12, 'luckiest =', *other)
    assert not torch.equal(before['y'], after['y'])
    for name in ('best_alpha', 'best_epoch', 'history'):
        assert before[name] == after[name], name
    for name in ('mean', 'std', 'linear.weight', 'linear.bias'):
        old, new = (s['model'].state_dict()[name] for s in (before, after))
        assert torch.equal(old, new), name


def test_a_left_out_block_does_not_reach_its_own_prediction(before_and_after):
    other = data, 'read_csv', other_harvest
    before, after = before_and_after(11, 'seen.append(', *other)
    away = before['block'] == 3
    assert not np.array_equal(before['yields'][away], after['yields'][away])
    for model, columns in (('model', 'plots'), ('fitted', 'one_hot')):
        old, new = (s[model].predict(s[columns][away]) for s in (before, after))
        assert np.array_equal(old, new), columns
