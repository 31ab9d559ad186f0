"""The same training by other trainers, for tools/bench.py to compare.

Each takes inputs, targets and epochs, trains the linear model from zeros, in batches of
5, the rows as they lie, with a rate of 1e-5, and returns what predicts.
"""

import logging

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Zero(nn.Linear):
    """The linear model, three inputs and two targets, with zeros to start from."""

    def __init__(self):
        super().__init__(3, 2)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def by_scikit_learn(x, y, epochs):
    from sklearn.linear_model import SGDRegressor

    # One row an update and half the square: a fifth of the rate goes the same way.
    options = {'penalty': None, 'learning_rate': 'constant', 'eta0': 1e-5 / 5}
    options |= {'max_iter': epochs, 'tol': None, 'shuffle': False}
    columns = y.numpy().T
    models = [SGDRegressor(**options).fit(x.numpy(), column) for column in columns]
    return lambda x: torch.tensor([model.predict(x.numpy()) for model in models]).T


def by_skorch(x, y, epochs):
    from skorch import NeuralNetRegressor

    options = {'lr': 1e-5, 'max_epochs': epochs, 'batch_size': 5, 'verbose': 0}
    options |= {'train_split': None}
    return NeuralNetRegressor(Zero, **options).fit(x, y).module_  # MSE and SGD


def by_lightning(x, y, epochs):
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.linear = Zero()

        def training_step(self, batch):
            return F.mse_loss(self.linear(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=1e-5)

    logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)
    loader = DataLoader(TensorDataset(x, y), 5)
    module = Module()
    options = {'barebones': True, 'max_epochs': epochs, 'accelerator': 'cpu'}
    lightning.Trainer(**options).fit(module, loader)
    return module.linear
