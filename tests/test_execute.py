"""A run that goes wrong says where and what to do, and leaves nothing behind."""

import os
import re
import subprocess

import nbformat
import pytest
from execute import NotebookFailed, execute, main
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from series import MACHINE_FACT, ROOT, paths, printed


@pytest.mark.parametrize(
    ('cell', 'said'),
    [
        ('1 / 0', '    1 / 0\n\nZeroDivisionError: division by zero'),
        ('import time; time.sleep(60)', 'The cell was still running after 2 seconds'),
        ('import os; os._exit(1)', 'The kernel died'),
    ],
)
def test_a_cell_that_fails(write, cell, said):
    path = write('x = 1', cell, 'x')
    before = path.read_bytes()
    with pytest.raises(NotebookFailed, match='01-a.ipynb: Cell 2 failed') as caught:
        execute(path, seconds=2)
    assert said in str(caught.value)
    assert path.read_bytes() == before, 'The notebook was written.'
    assert os.listdir(path.parent) == [path.name], 'Something was left behind.'


def test_a_run_stops_at_the_notebook_that_fails(write, monkeypatch, capsys):
    good = write('loss = __import__("torch").tensor(2.5)')
    bad = write('1 / 0', name='02.ipynb')
    monkeypatch.setattr('execute.paths', lambda: [good, bad])
    with pytest.raises(SystemExit, match='02.ipynb: Cell 1 failed'):
        main(['run'])
    assert re.fullmatch(r'01-a\.ipynb .* 2\.5\n', capsys.readouterr().out)


@pytest.fixture
def record(monkeypatch, capsys):
    """A function that records a notebook: it returns what was said, and the outputs."""

    def record_notebook(path, *options):
        monkeypatch.setattr('execute.paths', lambda: [path])
        main(['record', *options])
        cells = nbformat.read(path, as_version=4).cells
        shown = [printed(cell) for cell in cells if cell.get('outputs')]
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
    node = nbformat.read(path, as_version=4)
    nbformat.write(new_notebook(cells=[new_code_cell('0'), *node.cells]), path)
    record(path)
    assert path.read_bytes().count(b'"execution_count": 5') == 2, 'Cell and result'


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
    facts = {'falls to 283.09': 'last', 'below 100': 'last < 100', 'ever': 'last > 0'}
    for key in ('facts', 'facts_at_end'):
        text = 'It falls to 283.09, below 100.'
        node.cells.append(new_markdown_cell(text, metadata={key: facts}))
    node.cells.append(new_code_cell('last = 300'))
    nbformat.write(node, path)
    lines = record(path)[0].splitlines()[1:]
    text, later = 'Text 1 after cell 1', 'Text 2 after cell 1'
    assert [line.strip() for line in lines if 'renewed' not in line] == [
        f"{text}: 'ever' is a fact, but no longer in the text.",
        f"{text}: The text says 'below 100', but last < 100 is [False].",
        f"{later}: 'ever' is a fact, but no longer in the text.",
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
    raises, thick = 'raise SystemExit("a stranger")', 'lines.linewidth: 9'
    home = tmp_path / 'home'
    for name, text in {
        '.config/matplotlib/matplotlibrc': thick,
        '.ipython/profile_default/startup/0.py': raises,
        'helpers/__init__.py': raises,
        'matplotlibrc': thick,
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.setenv('XDG_CONFIG_HOME', str(home / '.config'))
    monkeypatch.setenv('IPYTHONDIR', str(home / '.ipython'))
    for name in ('HOME', 'MATPLOTLIBRC', 'PYTHONPATH'):
        monkeypatch.setenv(name, str(home))
    path = write(
        'import helpers, matplotlib',
        'print(helpers.__file__, matplotlib.rcParams["lines.linewidth"])',
    )
    shown = printed(execute(path)[0].cells[1])
    assert shown == f'{ROOT / "helpers" / "__init__.py"} 1.5\n'


@pytest.mark.slow
@pytest.mark.parametrize('path', [paths()[7], paths()[13]], ids=lambda path: path.stem)
def test_a_notebook_runs_in_any_folder_and_leaves_nothing_there(path, tmp_path):
    """As `papermill` and `jupyter execute` run it: 08 and 14 write files."""
    alone = tmp_path / path.name
    alone.write_bytes(path.read_bytes())
    execute(alone)
    assert os.listdir(tmp_path) == [path.name]
