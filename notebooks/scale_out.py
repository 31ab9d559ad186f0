"""Train one linear model with several processes, each on its own share of the rows.

    torchrun --nproc-per-node 2 scale_out.py ROWS SAVED

ROWS is a file of float32 numbers: three inputs and two targets a row. After each epoch
process 0 saves the state in SAVED, and a run that finds SAVED goes on from there.
"""

import argparse
import gc
import json
import os
import time

import torch
import torch.distributed as dist
import torch.distributed.nn  # loaded later, it would keep the group alive
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def read(path):
    """The rows of a file, mapped into memory that the processes of a machine share."""
    count = os.path.getsize(path) // 4
    table = torch.from_file(str(path), size=count).reshape(-1, 5)
    return TensorDataset(table[:, :3], table[:, 3:])


def train(dataset, batch, epochs, saved=None, crash=None):
    """The weights after the first and the last update, and the time of an epoch."""
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(137143)
    model = DistributedDataParallel(nn.Linear(3, 2))  # the start of process 0 for all
    opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    stored, resumed = [None], 0
    if saved and rank == 0 and os.path.exists(saved):
        stored = [torch.load(saved, weights_only=True)]
    dist.broadcast_object_list(stored)  # all go on from what process 0 read
    if stored[0]:
        model.module.load_state_dict(stored[0]['model'])
        opt.load_state_dict(stored[0]['opt'])
        resumed = stored[0]['epochs']
    found = {'resumed': resumed, 'seconds': float('inf')}
    sampler = DistributedSampler(dataset)  # other rows for each rank
    loader = DataLoader(dataset, batch // world, sampler=sampler)
    gc.freeze()  # spares the garbage collector what exists already
    for epoch in range(resumed, epochs):
        start = time.perf_counter()
        sampler.set_epoch(epoch)  # another order in every epoch
        for xb, yb in loader:
            if crash == epoch and rank == 1 and not resumed:
                os._exit(1)  # an accident, for the lesson
            loss = F.mse_loss(model(xb), yb)
            loss.backward()  # averages the gradients of all processes
            opt.step()
            opt.zero_grad()
            if 'first' not in found:
                found['first'] = weights(model.module)
        found['seconds'] = min(found['seconds'], time.perf_counter() - start)
        if saved and rank == 0:
            state = {'model': model.module.state_dict(), 'opt': opt.state_dict()}
            torch.save(state | {'epochs': epoch + 1}, f'{saved}.new')
            os.replace(f'{saved}.new', saved)  # never half a file
        dist.barrier()
    return found | {'last': weights(model.module)}


def weights(linear):
    """The weights as a list, the bias first in each row: (2, 4)."""
    return torch.cat([linear.bias[:, None], linear.weight], dim=1).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('rows')
    parser.add_argument('saved')
    parser.add_argument('--batch', type=int, default=1000, help='of all processes')
    parser.add_argument('--epochs', type=int, default=4)
    parser.add_argument('--crash', type=int, help='an epoch in which process 1 dies')
    options = vars(parser.parse_args())
    dist.init_process_group('gloo')  # 'nccl' between GPUs
    found = train(read(options.pop('rows')), **options)
    if dist.get_rank() == 0:
        print(json.dumps(found))
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
