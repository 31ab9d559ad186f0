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
    assert 'ConnectionRefusedError' in failure(path, env=environment(KERNEL))
    path = write('import urllib.request', "urllib.request.urlopen('http://192.0.2.1')")
    assert 'networking is switched off' in failure(path, env=environment(KERNEL))
    path = write('import socket', "socket.create_connection(('example.org', 80))")
    assert 'networking is switched off' in failure(path, env=environment(KERNEL))


def test_the_message_of_make_run(write, monkeypatch, capsys):
    paths = [
        write('loss = __import__("torch").tensor(2.5)'),
        write('1 / 0', name='02.ipynb'),
    ]
    monkeypatch.setattr('execute.paths', lambda: paths)
    with pytest.raises(SystemExit, match=r'02.ipynb: code cell 1 of 1 failed'):
        main(['run'])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith('01-broken.ipynb')
    assert line.endswith('2.50')


def test_a_failed_record_keeps_the_old_notebook(write, monkeypatch):
    path = write('1 / 0')
    before = path.read_bytes()
    monkeypatch.setattr('execute.paths', lambda: [path])
    with pytest.raises(SystemExit):
        main(['record'])
    assert path.read_bytes() == before


def test_recording_twice_changes_no_byte(write, monkeypatch):
    path = write(
        'print(1)', 'import sys; print(2, file=sys.stderr); print(3)', '{"a": 1}'
    )
    monkeypatch.setattr('execute.paths', lambda: [path])
    main(['record'])
    first = path.read_bytes()
    main(['record'])
    assert path.read_bytes() == first
    assert b'"execution_count": 3' in first


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
    path = write('print(13998.41)', 'print(46194.5)', 'print("the loss falls")')
    record(path)
    old = path.read_bytes()
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
