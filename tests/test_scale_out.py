"""scale_out.py resumes, with two processes, what one process began."""

import json
import os
import subprocess
import sys

import torch
from oracles import after_updates, with_ones
from series import NOTEBOOKS

# One process is a group of its own. Threads that it left behind would abort the
# process now and then.
ALONE = """
import gc, json, sys, weakref, scale_out, torch.distributed as dist
dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
group = weakref.ref(dist.group.WORLD)
file, saved = sys.argv[1:]
print(json.dumps(scale_out.train(scale_out.read(file), 50, 2, saved)))
dist.destroy_process_group()
gc.collect()
assert group() is None, 'the group and its threads live on'
"""
# As on two machines: process 1 has a disk of its own, where nothing is saved.
APART = """
import os, sys, scale_out
sys.argv[2] += '.elsewhere' * (os.environ['RANK'] != '0')
scale_out.main()
"""


def trained(*command):
    """What a training in processes of its own prints."""
    settings = {'OMP_NUM_THREADS': '1', 'USE_LIBUV': '0', 'PYTHONPATH': str(NOTEBOOKS)}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_processes_go_on_where_one_stopped(tmp_path):
    random = torch.Generator().manual_seed(1)
    rows = 3 * torch.randn(400, 5, generator=random) + torch.arange(5.0)
    file, saved = tmp_path / 'rows.bin', tmp_path / 'saved'
    file.write_bytes(rows.numpy().tobytes())
    first = trained('-c', ALONE, file, saved)
    torchrun = '-m torch.distributed.run --standalone --nproc-per-node 2 --no-python'
    again = sys.executable, '-c', APART, file, saved, '--batch', 50, '--epochs', 3
    second = trained(*torchrun.split(), *again)
    assert (first['resumed'], second['resumed']) == (0, 2)
    assert torch.load(saved, weights_only=True)['epochs'] == 3
    x, y = rows.double().split([3, 2], dim=1)
    after = after_updates(with_ones(x).roll(1, dims=1), y, 50, 3)
    moments = {0: first['first'], 15: first['last'], 16: second['first']}
    for update, weights in (moments | {23: second['last']}).items():
        apart = (after[update] - torch.tensor(weights).T).abs().max()
        assert apart < 1e-4, f'after update {update + 1}'
        assert (after[update] - after[update - 1]).abs().max() > 1e-2
