"""A run that goes wrong says where and what to do, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from conftest import ROOT, printed, wait_until
from execute import MACHINE_FACT, NotebookFailed, execute, main, series
from test_series import differences, kernel_environment


@pytest.fixture
def write(tmp_path):
    def write_notebook(*cells, name='01-broken.ipynb'):
        path = tmp_path / name
        node = nbformat.v4.new_notebook()
        node.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(node, path)
        return path

    return write_notebook


def failure(path, **options):
    before = path.read_bytes()
    with pytest.raises(NotebookFailed) as caught:
        execute(path, **options)
    assert path.read_bytes() == before, 'The notebook was written.'
    assert os.listdir(path.parent) == [path.name], 'Something was left behind.'
    assert kernels_of(os.getpid()) == []
    return str(caught.value)


def kernels_of(pid):
    children = psutil.Process(pid).children(recursive=True)
    return [
        child for child in children if 'ipykernel_launcher' in ' '.join(cmdline(child))
    ]


def cmdline(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_cell_that_raises(write):
    text = failure(write('x = 1', 'x / 0', 'x'))
    assert '01-broken.ipynb: code cell 2 of 3 failed' in text
    assert '    x / 0' in text
    assert 'ZeroDivisionError: division by zero' in text
    assert 'make lab' in text


def test_a_cell_that_hangs(write):
    text = failure(write('import time', 'time.sleep(60)'), seconds=1)
    assert 'code cell 2 of 2 failed' in text
    assert 'still running after 1 seconds' in text


def test_a_kernel_that_dies(write):
    text = failure(write('import os', 'os._exit(1)'))
    assert 'code cell 2 of 2 failed' in text
    assert 'The kernel died' in text


def test_a_missing_dependency(write):
    text = failure(write('import a_package_that_nobody_has'))
    assert "No module named 'a_package_that_nobody_has'" in text
    assert 'pip install -r requirements.txt' in text


def test_a_network_that_is_not_there(write):
    path = write(
        'import socket',
        "socket.create_connection(('localhost', 9), timeout=1)",
    )
    assert 'ConnectionRefusedError' in failure(path, env=kernel_environment())
    path = write('import urllib.request', "urllib.request.urlopen('http://192.0.2.1')")
    assert 'networking is switched off' in failure(path, env=kernel_environment())
    path = write('import socket', "socket.create_connection(('example.org', 80))")
    assert 'networking is switched off' in failure(path, env=kernel_environment())


def test_the_message_of_make_run(write, monkeypatch, capsys):
    paths = [
        write('loss = __import__("torch").tensor(2.5)'),
        write('1 / 0', name='02.ipynb'),
    ]
    monkeypatch.setattr('execute.series', lambda: paths)
    with pytest.raises(SystemExit, match=r'02.ipynb: code cell 1 of 1 failed'):
        main(['run'])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith('01-broken.ipynb')
    assert line.endswith('2.50')


def test_a_failed_record_keeps_the_old_notebook(write, monkeypatch):
    path = write('1 / 0')
    before = path.read_bytes()
    monkeypatch.setattr('execute.series', lambda: [path])
    with pytest.raises(SystemExit):
        main(['record'])
    assert path.read_bytes() == before


def test_recording_twice_changes_no_byte(write, monkeypatch):
    path = write(
        'print(1)', 'import sys; print(2, file=sys.stderr); print(3)', '{"a": 1}'
    )
    monkeypatch.setattr('execute.series', lambda: [path])
    main(['record'])
    first = path.read_bytes()
    main(['record'])
    assert path.read_bytes() == first
    assert b'"execution_count": 3' in first


@pytest.fixture
def write_fact(write):
    def write_notebook(source, *more):
        path = write('1', source, *more)
        node = nbformat.read(path, as_version=4)
        node.cells[1].metadata.tags = [MACHINE_FACT]
        nbformat.write(node, path)
        return path

    return write_notebook


def recorded(path, monkeypatch, *options):
    """The outputs of a notebook's cells after `make record`."""
    monkeypatch.setattr('execute.series', lambda: [path])
    main(['record', *options])
    return [printed(cell) for cell in nbformat.read(path, as_version=4).cells]


A_FACT = 'import time; print(time.time_ns()); time.time_ns()'


def test_machine_facts_are_kept_when_recording_and_renewed_when_asked(
    write_fact, monkeypatch
):
    path = write_fact(A_FACT, 'import time; time.time_ns()')
    first = recorded(path, monkeypatch)
    assert first[1].count('\n') == 2, 'Without recorded outputs it gets fresh ones.'
    before = path.read_bytes()
    second = recorded(path, monkeypatch)
    assert second[:2] == first[:2]
    assert second[2] != first[2], 'Only the tagged cell is kept.'
    assert path.read_bytes() == before.replace(first[2].encode(), second[2].encode())
    assert recorded(path, monkeypatch, '--timings')[1] != first[1]


def test_a_kept_machine_fact_moves_with_its_cell(write_fact, monkeypatch):
    path = write_fact(A_FACT)
    first = recorded(path, monkeypatch)
    node = nbformat.read(path, as_version=4)
    node.cells.insert(0, nbformat.v4.new_code_cell('0'))
    nbformat.write(node, path)
    assert recorded(path, monkeypatch)[2] == first[1]
    cell = nbformat.read(path, as_version=4).cells[2]
    assert [o.get('execution_count', 3) for o in cell.outputs] == [3, 3]
    assert cell.execution_count == 3


@pytest.mark.parametrize(
    'change',
    [
        lambda cell: cell.update(source=A_FACT + ' + 1'),
        lambda cell: cell.outputs.pop(),
    ],
    ids=['another source', 'outputs of another kind'],
)
def test_a_machine_fact_of_another_cell_is_not_kept(change, write_fact, monkeypatch):
    path = write_fact(A_FACT)
    first = recorded(path, monkeypatch)
    node = nbformat.read(path, as_version=4)
    change(node.cells[1])
    nbformat.write(node, path)
    second = recorded(path, monkeypatch)[1]
    assert second.count('\n') == 2
    assert second.split()[0] != first[1].split()[0]


def test_a_machine_fact_that_fails_is_not_recorded(write_fact, monkeypatch):
    path = write_fact('assert 1 > 2')
    with pytest.raises(SystemExit):
        recorded(path, monkeypatch)


def test_machine_facts_alone_are_not_compared(write_fact, tmp_path):
    path = write_fact(A_FACT, 'import time; time.time_ns()')
    first, second = execute(path)[0], execute(path)[0]
    (line,) = differences(first, second, tmp_path)
    assert line.startswith('cell 3 ')
    second.cells[1].outputs.pop()
    assert len(list(differences(first, second, tmp_path))) == 2


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
@pytest.mark.parametrize(('given', 'ends'), [('', 'record'), ('1', 'record --timings')])
def test_make_passes_the_wish_for_new_timings_on(given, ends):
    dry_run = ['make', '-n', '--no-print-directory']
    command = [*dry_run, 'record', f'TIMINGS={given}', 'READY=']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(ends)


@pytest.mark.skipif(os.name == 'nt', reason='signals of this kind are not on Windows')
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_leaves_no_kernel(write, how, tmp_path):
    path = write('import time', 'time.sleep(600)')
    code = (
        'import execute, pathlib\n'
        f'execute.series = lambda: [pathlib.Path({str(path)!r})]\n'
        'execute.main(["record"])'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code], cwd=ROOT / 'tools', stderr=subprocess.DEVNULL
    )
    wait_until(lambda: kernels_of(process.pid))
    kernels = kernels_of(process.pid)
    time.sleep(2)
    process.send_signal(how)
    process.wait(30)
    wait_until(lambda: not any(kernel.is_running() for kernel in kernels))
    assert os.listdir(tmp_path) == [path.name]


def test_the_order_is_the_reading_order():
    numbers = [int(path.name[:2]) for path in series()]
    assert numbers == sorted(numbers)
    assert series() == sorted((ROOT / 'notebooks').glob('*.ipynb'))


@pytest.fixture
def makefile_only(tmp_path):
    for name in ('Makefile', 'requirements.txt', 'pyproject.toml'):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
def test_a_too_old_python(makefile_only):
    old = makefile_only / 'python3.9'
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ['make', 'run', f'PYTHON={old}'],
        cwd=makefile_only,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert 'Python 3.11 or newer is needed' in done.stdout
    assert 'Python 3.9.2' in done.stdout
    assert not (makefile_only / '.venv').exists()


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
def test_a_missing_python(makefile_only):
    done = subprocess.run(
        ['make', 'run', 'PYTHON=no-such-python'],
        cwd=makefile_only,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert 'Python 3.11 or newer is needed' in done.stdout
    assert not (makefile_only / '.venv').exists()


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
def test_make_alone_lists_its_targets():
    done = subprocess.run(
        ['make'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert {'lab', 'run', 'test', 'test-all', 'record'} <= set(listed)


def test_started_without_the_environment_it_says_what_to_do():
    done = subprocess.run(
        [sys.executable, '-S', str(ROOT / 'tools' / 'execute.py'), 'run'],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert 'make run' in done.stderr
    assert 'Traceback' not in done.stderr
