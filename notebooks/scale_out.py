"""Fit one linear model with several processes, each on its own part of the rows.

    python scale_out.py FILE                                 one process
    torchrun --nproc-per-node 2 scale_out.py FILE            two, on this machine
    torchrun --nnodes 4 --nproc-per-node 2 --rdzv-backend c10d \\
             --rdzv-endpoint FIRST_MACHINE:29400 scale_out.py FILE    eight, on four

FILE holds rows of five float32 numbers, three inputs and two targets. Every machine
needs it. Process 0 prints the (4, 2) weights of both ways, rounded, as one JSON line.
"""

import argparse
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

UNDER_TORCHRUN = 'RANK' in os.environ  # torchrun numbers its processes
PARENT = os.getppid()


def sums(rows):
    table = torch.cat([rows[:, :3], torch.ones(len(rows), 1), rows[:, 3:]], dim=1)
    table = table.double()
    return table.t() @ table


def my_part(path, rank, world):
    """The rows of process `rank`, mapped into memory: what is not used is not read."""
    if not Path(path).is_file():
        sys.exit(f'{path} is no file on this machine.')
    count, rest = divmod(Path(path).stat().st_size, 20)
    if rest or not count or count % world:
        sys.exit(f'{path}: {count} rows of five float32 cannot be shared by {world}.')
    return torch.from_file(path, size=5 * count).reshape(count, 5).chunk(world)[rank]


def solve(rows):
    """Least squares. The processes talk once, about a (6, 6) matrix."""
    total = sum(sums(chunk) for chunk in rows.split(100_000))
    dist.all_reduce(total)
    return torch.linalg.solve(total[:4, :4], total[:4, 4:])


def train(rows, epochs, device):
    """Gradient descent. The processes talk in every `backward`, about the gradients."""
    torch.manual_seed(137143)
    model = DistributedDataParallel(nn.Linear(3, 2).to(device))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = rows.to(device).split([3, 2], dim=1)
    for _ in range(epochs):
        loss = F.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad()
        if UNDER_TORCHRUN and os.getppid() != PARENT:
            sys.exit('torchrun itself is gone')
    return torch.cat([model.module.weight.t(), model.module.bias[None]])


def stopped(*_):
    sys.exit('torchrun ended it, because another process was lost')


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('file')
    parser.add_argument('--epochs', type=int, default=100)
    options = parser.parse_args()
    rank = int(os.environ.get('RANK', 0))
    world = int(os.environ.get('WORLD_SIZE', 1))
    rows = my_part(options.file, rank, world)
    gpu = torch.cuda.is_available()
    device = f'cuda:{os.environ.get("LOCAL_RANK", 0)}' if gpu else 'cpu'
    place = {'timeout': timedelta(seconds=60)}  # how long to wait for a lost process
    if not UNDER_TORCHRUN:
        place |= {'store': dist.HashStore(), 'rank': 0, 'world_size': 1}
    signal.signal(signal.SIGTERM, stopped)
    dist.init_process_group('cpu:gloo,cuda:nccl' if gpu else 'gloo', **place)
    try:
        found = {'sums': solve(rows), 'descent': train(rows, options.epochs, device)}
    except (RuntimeError, SystemExit) as error:
        why = str(error).partition('\n')[0]
        sys.exit(f'Process {rank} of {world} ends early: {why}')
    finally:
        dist.destroy_process_group()
    if rank == 0:
        found = {name: w.double().round(decimals=3) for name, w in found.items()}
        found = {name: w.tolist() for name, w in found.items()}
        print(json.dumps({'processes': world, **found}))


if __name__ == '__main__':
    main()
