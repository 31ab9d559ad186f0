"""The loop of notebook 06, taken out of it and run under other conditions."""

import pytest
import torch
from oracles import INPUTS, falls
from series import Notebook, numbered


def train_like_notebook_06(old, new):
    """Run 06's cells up to its loop, with one text changed, and return its losses."""
    cells = [cell.source for cell in Notebook(numbered(6)).code]
    loop = next(k for k, cell in enumerate(cells) if 'losses.append(loss' in cell)
    source = '\n'.join(cells[: loop + 1])
    assert old in source
    space = {}
    exec(source.replace(old, new), space)
    return space['losses']


@pytest.mark.parametrize('seed', range(20))
def test_the_loss_falls_from_other_random_starts(seed):
    losses = train_like_notebook_06('137143', str(seed))
    assert len(losses) == 100
    assert falls(losses)


def test_the_loss_falls_from_zeros():
    losses = train_like_notebook_06('torch.randn(', 'torch.zeros(')
    assert falls(losses)
    assert losses[0] == pytest.approx(5768.00, abs=0.01)
    assert losses[-1] == pytest.approx(153.937, abs=0.01)


def test_the_loss_falls_up_to_the_largest_stable_rate_and_not_beyond():
    data = torch.column_stack([INPUTS, torch.ones(5)])
    limit = 2 / torch.linalg.eigvalsh(data.T @ data / 5)[-1].item()
    assert limit == pytest.approx(1.1167e-4, rel=1e-4)
    assert falls(train_like_notebook_06('lr = 1e-5', f'lr = {0.99 * limit}'))
    assert not falls(train_like_notebook_06('lr = 1e-5', f'lr = {1.01 * limit}'))
