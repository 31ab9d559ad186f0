"""scale_out.py resumes, with two processes, what one process began."""

import json
import os
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from oracles import descent, layer, with_ones
from series import NOTEBOOKS

SCRIPT = NOTEBOOKS / 'scale_out.py'
BATCH, RATE = 50, 0.02


@pytest.fixture
def one(monkeypatch):
    """The script as a module, in a group of this process alone."""
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    import scale_out

    dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
    yield scale_out
    dist.destroy_process_group()


def descended(rows, epochs):
    """The weights after each update, by the oracles' own loop, bias first: (4, 2)."""
    x, y = rows.double().split([3, 2], dim=1)
    shuffles = (torch.Generator().manual_seed(epoch) for epoch in range(epochs))
    orders = [torch.randperm(len(x), generator=shuffle) for shuffle in shuffles]
    parts = [(part, RATE) for order in orders for part in order.split(BATCH)]
    path = descent(with_ones(x), y, layer(), parts, beta=0.9)
    return [w.roll(1, 0) for w in path][1:]


# As on two machines: process 1 has a disk of its own, where nothing is saved.
APART = """
import os, sys, scale_out
sys.argv[2] += '.elsewhere' * (os.environ['RANK'] != '0')
scale_out.main()
"""


def test_two_processes_go_on_where_one_stopped(one, tmp_path):
    random = torch.Generator().manual_seed(1)
    rows = 3 * torch.randn(400, 5, generator=random) + torch.arange(5.0)
    file, saved = tmp_path / 'rows.bin', tmp_path / 'saved'
    file.write_bytes(rows.numpy().tobytes())
    first = one.train(one.read(file), BATCH, 2, saved)
    (tmp_path / 'apart.py').write_text(APART)
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    command += ['--nproc-per-node', '2', tmp_path / 'apart.py', file, saved]
    settings = {'OMP_NUM_THREADS': '1', 'USE_LIBUV': '0', 'PYTHONPATH': str(NOTEBOOKS)}
    done = subprocess.run(
        [*map(str, command), '--batch', str(BATCH), '--epochs', '3'],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    second = json.loads(done.stdout)
    assert (first['resumed'], second['resumed']) == (0, 2)
    assert torch.load(saved, weights_only=True)['epochs'] == 3
    after = descended(rows, 3)
    moments = {0: first['first'], 15: first['last'], 16: second['first']}
    for update, weights in (moments | {23: second['last']}).items():
        apart = (after[update] - torch.tensor(weights).T).abs().max()
        assert apart < 1e-4, f'after update {update + 1}'
        assert (after[update] - after[update - 1]).abs().max() > 1e-2


ENDS = """
import gc, torch, torch.distributed as dist, weakref, scale_out
dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
group = weakref.ref(dist.group.WORLD)
rows = torch.utils.data.TensorDataset(torch.ones(9, 3), torch.ones(9, 2))
scale_out.train(rows, 3, 1)
dist.destroy_process_group()
gc.collect()
assert group() is None, 'the group and its threads live on'
"""


def test_the_group_ends_before_the_process():
    """Threads that a group leaves behind abort its process now and then."""
    done = subprocess.run(
        [sys.executable, '-c', ENDS], cwd=NOTEBOOKS, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
