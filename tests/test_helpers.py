"""`helpers` keeps its promise: it trains, seeds and prints nothing by itself."""

import ast
import subprocess
import sys

import pytest
from series import ROOT

FILES = sorted((ROOT / 'helpers').glob('*.py'))
FORBIDDEN = {'print', 'input', 'display', 'seed', 'manual_seed', 'default_rng'}
FORBIDDEN |= {'backward', 'grad', 'optim', 'step'}
WORLD = """
import os, random, sys, warnings
import matplotlib, numpy, socket, torch
from matplotlib import pyplot

def refuse(*_, **__):
    raise OSError('Importing helpers opens no connection.')

socket.socket.connect = refuse

def world():
    return [dict(matplotlib.rcParams), dict(os.environ), os.getcwd(), sys.path[:],
            random.getstate(), str(numpy.random.get_state()),
            torch.random.get_rng_state().tolist(), torch.get_num_threads(),
            torch.get_default_dtype(), repr(numpy.get_printoptions()),
            str(vars(torch._tensor_str.PRINT_OPTS)), warnings.filters[:],
            pyplot.get_fignums()]

before = world()
import helpers.data, helpers.explore, helpers.plots, helpers.sharing
for old, new in zip(before, world()):
    assert old == new, (old, new)
assert 'jovian' not in sys.modules
"""


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_no_helper_trains_seeds_or_prints(path):
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        called = getattr(node, 'func', None)
        used |= {getattr(node, 'attr', ''), getattr(called, 'id', '')}
    assert not used & FORBIDDEN


def test_importing_the_helpers_changes_nothing():
    done = subprocess.run(
        [sys.executable, '-c', WORLD], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
