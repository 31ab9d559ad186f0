"""nbval's run of a notebook is red where it should be, and says why."""

import os
import re
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from series import NOTEBOOKS, ROOT, paths

ADDRESS = 'import socket; socket.socket().connect(("192.0.2.1", 9))'
DOMAIN = 'import socket; socket.create_connection(("example.org", 9))'
FACT = {'to 283.09': 'loss'}
# A name: a code cell, what it is said to print, the facts behind it, and what is red.
# They are the cells of one notebook, so the one that ends the kernel is the last.
CASES = {
    'close': ('print(13998.42)', '13998.41\n', {}, ''),
    'moved': ('print(13998.52)', '13998.41\n', {}, '13998.41 became 13998.52'),
    'where': ('print(2)', '1\n', {}, 'cases.ipynb, Cell 3: Cell outputs differ'),
    'source': ('print(2)', '1\n', {}, '    print(2)'),
    'kinds': ('print(1)', '', {}, 'Cell outputs differ'),
    'error': ('1 / 0', '', {}, 'ZeroDivisionError'),
    'true': ('loss = 283.09', '', {'facts': FACT}, ''),
    'false': ('loss = 238.09', '', {'facts': FACT}, 'loss is [238.09]'),
    'no-name': ('del loss', '', {'facts': FACT}, 'NameError'),
    'word': ('loss = 1', '', {'facts': {'rises': 'loss > 0'}}, 'no longer in the text'),
    'address': (ADDRESS, '', {}, 'networking is switched off'),
    'domain': (DOMAIN, '', {}, 'networking is switched off'),
    'death': ('import os; os._exit(1)', '', {}, 'kernel died'),
}


@pytest.fixture(scope='module')
def shown(tmp_path_factory, another_pytest):
    """What one run of nbval says of all cases."""
    folder, cells = tmp_path_factory.mktemp('cases'), []
    for source, text, metadata, _ in CASES.values():
        outputs = [new_output('stream', name='stdout', text=text)] if text else []
        count = len(cells) // 2 + 1
        cells += [
            new_code_cell(source, outputs=outputs, execution_count=count),
            new_markdown_cell('It falls to 283.09.', metadata=metadata),
        ]
    nbformat.write(new_notebook(cells=cells), folder / 'cases.ipynb')
    words = new_markdown_cell('It falls to 283.09.', metadata={'facts_at_end': FACT})
    later = [new_code_cell('loss = 238.09', execution_count=1)]
    nbformat.write(new_notebook(cells=[words, *later]), folder / 'end.ipynb')
    options = ('-c', ROOT / 'pyproject.toml', '-p', 'one_run')
    return another_pytest(*options, folder, PYTHONPATH=os.pathsep.join(sys.path)).stdout


@pytest.mark.parametrize('name', CASES)
def test_a_cell_and_its_text(name, shown):
    words, place = CASES[name][-1], rf'cell {[*CASES].index(name) + 1}\b'
    reports = re.split(r'^_{3,} ', shown.partition('short test summary')[0], flags=re.M)
    found = [one for one in reports if re.search(place, one.splitlines()[0], re.I)]
    assert bool(found) == bool(words), shown
    assert words in ''.join(found)


def test_what_a_later_cell_computes_is_asked_at_the_end(shown):
    assert 'end.ipynb, Facts' in shown
    assert 'loss is [238.09]' in shown.partition('end.ipynb, Facts')[2]


@pytest.mark.parametrize('cwd', [ROOT, NOTEBOOKS], ids=['root', 'inside'])
def test_a_reader_who_calls_nbval_gets_the_same(another_pytest, cwd):
    listed = another_pytest('--nbval', '--collect-only', NOTEBOOKS, cwd=cwd).stdout
    for path in paths():
        assert f'{path.name}::Cell 1' in listed
    assert 'helpers_come_from_this_folder' in listed
