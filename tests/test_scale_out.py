"""scale_out.py fits what one process fits, and says why it ends when one is lost."""

import ast
import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from conftest import ROOT, Notebook, numbered, statements

SCRIPT = ROOT / 'notebooks' / 'scale_out.py'
TORCHRUN = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node']
ENVIRONMENT = {**os.environ, 'OMP_NUM_THREADS': '1', 'USE_LIBUV': '0'}


@pytest.fixture
def rows(tmp_path):
    """A file of 1002 rows, and its path."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1002, 3, generator=generator)
    y = x @ torch.tensor([[3.0, 1], [2, -1], [0, 5]]) + torch.tensor([7.0, 8])
    y += torch.randn(y.shape, generator=generator)
    path = tmp_path / 'rows.bin'
    path.write_bytes(torch.cat([x, y], dim=1).numpy().tobytes())
    return path


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def expected(path):
    table = np.fromfile(path, 'float32').reshape(-1, 5).astype(float)
    x = np.column_stack([table[:, :3], np.ones(len(table))])
    return np.linalg.lstsq(x, table[:, 3:], rcond=None)[0]


def test_two_processes_find_what_one_finds(rows):
    code, out, err = finish(start(*TORCHRUN, 2, SCRIPT, rows, '--epochs', 200))
    assert code == 0, err
    two = json.loads(out)
    code, out, err = finish(start(SCRIPT, rows, '--epochs', 200))
    assert code == 0, err
    one = json.loads(out)
    assert (one['processes'], two['processes']) == (1, 2)
    for way in ('sums', 'descent'):
        assert np.allclose(one[way], expected(rows), atol=2e-3)
        assert np.allclose(two[way], expected(rows), atol=2e-3)


def contents(path, count):
    path.write_bytes(bytes(count))
    return path


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (lambda folder: [contents(folder / 'none.bin', 0)], '0 rows'),
        (lambda folder: [contents(folder / 'torn.bin', 50)], 'rows of five float32'),
        (lambda folder: [folder / 'missing.bin'], 'missing.bin is no file'),
        (lambda folder: [contents(folder / 'a', 20), '--epochs', 'x'], '--epochs'),
        (lambda folder: [], 'required: file'),
    ],
)
def test_wrong_arguments_get_a_sentence(
    arguments, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sys, 'argv', ['scale_out.py', *map(str, arguments(tmp_path))])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPT), run_name='__main__')
    out, err = capsys.readouterr()
    assert words in f'{err}{end.value}'
    assert out == ''


def test_unequal_shares_are_refused(tmp_path):
    path = contents(tmp_path / 'odd.bin', 20 * 7)
    code, _, err = finish(start(*TORCHRUN, 2, SCRIPT, path))
    assert code != 0
    assert '7 rows of five float32 cannot be shared by 2' in err


@pytest.mark.skipif(os.name == 'nt', reason='there is no SIGKILL on Windows')
@pytest.mark.parametrize(
    'victim',
    ['a process', pytest.param('torchrun itself', marks=pytest.mark.slow)],
)
def test_a_killed_process_ends_the_others(victim, rows):
    launcher = start(*TORCHRUN, 2, SCRIPT, rows, '--epochs', 10**8)
    workers = []
    try:
        workers = wait_for_workers(launcher)
        killed = workers[1] if victim == 'a process' else psutil.Process(launcher.pid)
        killed.send_signal(signal.SIGKILL)
        code, out, err = finish(launcher)
        assert code != 0
        assert out == ''
        assert 'Process 0 of 2 ends early: ' in err
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive, 'An orphan is left.'
    finally:
        for process in [launcher, *workers]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        launcher.wait()


def wait_for_workers(launcher):
    """The two workers, as soon as they are connected and had a second to train."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert launcher.poll() is None, launcher.stderr.read()
        found = psutil.Process(launcher.pid).children()
        if len(found) == 2 and all(is_connected(worker) for worker in found):
            time.sleep(1)
            return found
        time.sleep(0.2)
    raise AssertionError('the workers did not begin')


def is_connected(worker):
    """Whether a worker is connected to torchrun's store and to the other worker."""
    try:
        peers = [c for c in worker.net_connections('tcp') if c.status == 'ESTABLISHED']
    except psutil.Error:
        return False
    return len(peers) >= 2


def test_the_notebook_teaches_the_sums_of_the_script():
    taught = {ast.dump(s) for s in statements(Notebook(numbered(11)).cells)}
    body = ast.parse(SCRIPT.read_text(encoding='utf-8')).body
    (function,) = [s for s in body if getattr(s, 'name', '') == 'sums']
    assert ast.dump(function) in taught
