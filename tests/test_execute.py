"""A run that goes wrong says where and what to do, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from execute import NotebookFailed, environment, execute, main
from one_run import KERNEL
from series import MACHINE_FACT, ROOT, paths, printed


def kernels_of(pid):
    children = psutil.Process(pid).children(recursive=True)
    return [one for one in children if 'ipykernel_launcher' in ' '.join(cmdline(one))]


def cmdline(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    ('cell', 'said'),
    [
        ('x / 0', '    x / 0\n\nZeroDivisionError: division by zero'),
        ('time.sleep(60)', 'The cell was still running after 2 seconds'),
        ('os._exit(1)', 'The kernel died'),
        ('import unheard_of', "No module named 'unheard_of'\n`pip install -r req"),
        ("connect(('localhost', 9), timeout=1)", 'ConnectionRefusedError'),
        ("connect(('example.org', 80))", 'networking is switched off'),
    ],
)
def test_a_cell_that_fails(write, cell, said):
    first = 'import os, time; x = 1'
    path = write(f'{first}; from socket import create_connection as connect', cell, 'x')
    before = path.read_bytes()
    with pytest.raises(NotebookFailed) as caught:
        execute(path, seconds=2, env=environment(KERNEL))
    assert '01-a.ipynb: code cell 2 of 3 failed' in str(caught.value)
    assert said in str(caught.value)
    assert '`make lab` opens the series' in str(caught.value)
    assert path.read_bytes() == before, 'The notebook was written.'
    assert os.listdir(path.parent) == [path.name], 'Something was left behind.'
    assert kernels_of(os.getpid()) == []


@pytest.mark.parametrize('what', ['run', 'record'])
def test_what_is_done_stops_at_the_notebook_that_fails(
    write, monkeypatch, capsys, what
):
    good = write('loss = __import__("torch").tensor(2.5)')
    bad = write('1 / 0', name='02.ipynb')
    before = bad.read_bytes()
    monkeypatch.setattr('execute.paths', lambda: [good, bad])
    with pytest.raises(SystemExit, match=r'02.ipynb: code cell 1 of 1 failed'):
        main([what])
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith('01-a.ipynb')
    assert line.endswith('2.50')
    assert bad.read_bytes() == before


@pytest.fixture
def record(monkeypatch, capsys):
    """A function that records a notebook: it returns what was said, and the outputs."""

    def record_notebook(path, *options):
        monkeypatch.setattr('execute.paths', lambda: [path])
        main(['record', *options])
        shown = [
            printed(c)
            for c in nbformat.read(path, as_version=4).cells
            if c.get('outputs')
        ]
        return capsys.readouterr().out, shown

    return record_notebook


def change(path, number, **changes):
    node = nbformat.read(path, as_version=4)
    node.cells[number].update(changes)
    nbformat.write(node, path)


def test_recording_keeps_what_agrees_and_says_what_it_renews(write, record):
    both = 'import sys; print(2, file=sys.stderr); print(3)'
    path = write('print(13998.41)', 'print(46194.5)', both, '{"a": 1}')
    record(path)
    old = path.read_bytes()
    record(path)
    assert path.read_bytes() == old, 'Recording twice changes no byte.'
    assert b'"execution_count": 4' in old
    change(path, 0, source='print(13998.42)')
    said, shown = record(path)
    assert shown[0] == '13998.41\n'
    assert 'renewed' not in said
    assert path.read_bytes().count(b'13998.41') == old.count(b'13998.41') - 1
    change(path, 1, source='print(46195.5)')
    said, shown = record(path)
    assert shown[:2] == ['13998.41\n', '46195.5\n']
    assert 'Cell 2 is renewed: 46194.5 became 46195.5' in said
    assert said.count('renewed') == 1
    assert record(path, '--all')[1][0] == '13998.42\n'


def test_recording_compares_with_what_git_has(write, record, tmp_path):
    path = write('print(13998.41)')
    record(path)
    for command in ('init', 'add .', 'commit -m first'):
        identity = ['-c', 'user.name=A', '-c', 'user.email=a@b.c']
        subprocess.run(['git', *identity, *command.split()], cwd=tmp_path, check=True)
    change(path, 0, source='print(13998.42)')
    record(path, '--all')
    assert record(path)[1] == ['13998.41\n']


def test_recording_says_which_sentence_no_longer_holds(write, record):
    path = write('last = 283.09')
    node = nbformat.read(path, as_version=4)
    facts = {'falls to 283.09': 'last', 'below 100': 'last < 100'}
    for key in ('facts', 'facts_at_end'):
        text = 'It falls to 283.09, below 100.'
        node.cells.append(nbformat.v4.new_markdown_cell(text, metadata={key: facts}))
    node.cells.append(nbformat.v4.new_code_cell('last = 300'))
    nbformat.write(node, path)
    lines = record(path)[0].splitlines()[1:]
    text, later = 'Text 1 after cell 1', 'Text 2 after cell 1'
    assert [line.strip() for line in lines if 'renewed' not in line] == [
        f"{text}: The text says 'below 100', but last < 100 is [False].",
        f"{later}: The text says 'below 100', but last < 100 is [False].",
        f"{later}: The text says 'falls to 283.09', but last is [300.0].",
    ]


def test_facts_of_the_machine_are_kept_unless_their_claim_breaks(write, record):
    path = write('import time; time.time_ns()')
    change(path, 0, metadata={'tags': [MACHINE_FACT], 'claim': 'numbers[0] > 1e9'})
    first = record(path)[1]
    assert record(path)[1] == first
    assert record(path, '--all')[1] != first
    change(path, 0, metadata={'tags': [MACHINE_FACT], 'claim': 'numbers[0] < 0'})
    assert 'committed breaks the claim numbers[0] < 0' in record(path)[0]


def test_nothing_of_its_user_reaches_a_kernel(write, tmp_path, monkeypatch):
    home, stray = tmp_path / 'home', tmp_path / 'stray'
    (home / '.config' / 'matplotlib').mkdir(parents=True)
    (home / '.ipython' / 'profile_default' / 'startup').mkdir(parents=True)
    (stray / 'helpers').mkdir(parents=True)
    hostile = 'raise SystemExit("a stranger")'
    (home / '.config' / 'matplotlib' / 'matplotlibrc').write_text('lines.linewidth: 9')
    (home / '.ipython' / 'profile_default' / 'startup' / '0.py').write_text(hostile)
    (stray / 'helpers' / '__init__.py').write_text(hostile)
    (stray / 'matplotlibrc').write_text('lines.linewidth: 8')
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('XDG_CONFIG_HOME', str(home / '.config'))
    for name in ('MATPLOTLIBRC', 'PYTHONPATH', 'IPYTHONDIR', 'PYTHONSTARTUP'):
        monkeypatch.setenv(name, str(stray))
    path = write(
        'import helpers, matplotlib',
        'print(helpers.__file__, matplotlib.rcParams["lines.linewidth"])',
    )
    shown = printed(execute(path)[0].cells[1])
    assert shown == f'{ROOT / "helpers" / "__init__.py"} 1.5\n'


@pytest.mark.skipif(os.name == 'nt', reason='signals of this kind are not on Windows')
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_leaves_no_kernel(write, how, tmp_path, wait_until):
    path = write('import time', 'time.sleep(600)')
    code = (
        'import execute, pathlib\n'
        f'execute.paths = lambda: [pathlib.Path({str(path)!r})]\n'
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


def test_started_without_the_environment_it_says_what_to_do():
    done = subprocess.run(
        [sys.executable, '-S', str(ROOT / 'tools' / 'execute.py'), 'run'],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert 'make run' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize('path', [paths()[7], paths()[13]], ids=lambda path: path.stem)
def test_a_notebook_runs_in_any_folder_and_leaves_nothing_there(path, tmp_path):
    """As `papermill` and `jupyter execute` run it: 08 and 14 write files."""
    alone = tmp_path / path.name
    alone.write_bytes(path.read_bytes())
    execute(alone)
    assert os.listdir(tmp_path) == [path.name]
