"""`make` sets up what a command needs, once, and says in a line what is in its way.

Nothing is installed: a stand-in for Python writes down what it was asked for.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from series import ROOT

pytestmark = pytest.mark.skipif(not shutil.which('make'), reason='make is missing.')

# Its environment is a copy of itself, which finds the `helpers` of the folder in which
# pip was called last. WITHOUT names what fails: pip, or the index of PyTorch's builds.
STAND_IN = """#!/bin/sh
case "$*" in
  '-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  '-Ic import exercises, helpers'*) cat "${0%/bin/python}/finds" ;;
  '-m pip config list') echo "global.find-links='/some/wheels /more'" ;;
  '-m pip '*) echo "$*" >> asked; echo "$PWD/helpers" > "${0%/bin/python}/finds"
              [ "$WITHOUT" != pip ] ;;
  *urlopen*) [ "$WITHOUT" != index ] ;;
esac
"""
READER = '-r requirements.txt'
CHECKS = '-r requirements-dev.txt'
ANEW = 'it is made anew'


class Clone:
    """What `make` looks at of the project, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        for name in ('Makefile', 'requirements.txt', 'requirements-dev.txt'):
            shutil.copy(ROOT / name, folder)
        self.program('stand-in', STAND_IN)

    def program(self, name, script):
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def make(self, *goals, torch='any', without='', succeeds=True, **options):
        """Run make, without the uv of this machine.

        Returns:
            What it printed, and what pip was asked to install, by its last words.
        """
        mine = ('MAKE', 'TORCH')
        env = {k: v for k, v in os.environ.items() if not k.startswith(mine)}
        env |= {'PATH': f'{self.folder}{os.pathsep}{env["PATH"]}', 'WITHOUT': without}
        command = ['make', '--no-print-directory', 'PYTHON=./stand-in', *goals]
        command += [f'TORCH={torch}'] if torch else []
        command += [] if (self.folder / 'uv').exists() else ['UV=']
        told = {'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, 'text': True}
        asked = self.folder / 'asked'
        asked.unlink(missing_ok=True)
        done = subprocess.run(command, cwd=self.folder, env=env, **told, **options)
        assert (done.returncode == 0) == succeeds, done.stdout
        lines = asked.read_text().splitlines() if asked.exists() else []
        return done.stdout, [' '.join(line.split()[-2:]) for line in lines]


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.fixture
def ready(clone):
    said, asked = clone.make('run')
    assert ANEW not in said
    assert asked == [READER]
    return clone


def test_make_alone_lists_its_targets(clone):
    said, asked = clone.make()
    listed = {line.split()[0] for line in said.splitlines()}
    assert {'lab', 'run', 'test', 'test-all', 'record', 'pins'} <= listed
    assert asked == []


@pytest.mark.parametrize(
    ('goals', 'ends'),
    [
        (['record'], 'record'),
        (['record', 'ALL=1'], 'record --all'),
        (['site'], '-W  . build/site'),
        (['site', 'REPO=me/mine'], '-W -A repo=me/mine . build/site'),
    ],
)
def test_make_passes_a_wish_on(clone, goals, ends):
    assert clone.make('-n', *goals, 'READY=', 'DEV=')[0].strip().endswith(ends)


def test_a_reader_needs_less_than_the_checks(ready):
    assert ready.make('bench')[1] == [CHECKS]
    assert ready.make('run', 'bench')[1] == []
    shutil.rmtree(ready.folder / '.venv')
    assert ready.make('bench')[1] == [CHECKS]
    assert ready.make('run')[1] == [], 'CHECKS name what a reader needs, too.'
    os.utime(ready.folder / 'requirements.txt', (2e9, 2e9))
    said, asked = ready.make('run')
    assert ANEW not in said
    assert asked == [READER], 'Changed versions are installed.'


def moved(clone):
    clone.folder = clone.folder.rename(clone.folder.with_name('moved'))


def stopped(clone):
    shutil.rmtree(clone.folder / '.venv')
    assert clone.make('run', without='pip', succeeds=False)[1] == [READER]


@pytest.mark.parametrize('what', [moved, stopped])
def test_half_an_environment_is_made_anew(ready, what):
    what(ready)
    left_over = ready.folder / '.venv' / 'left-over'
    left_over.touch()
    said, asked = ready.make('run')
    assert said.count(ANEW) == 1
    assert not left_over.exists()
    assert asked == [READER]
    assert ready.make('run')[1] == []


VERSION = re.search('^torch==.*$', (ROOT / 'requirements.txt').read_text(), re.M)[0]
INDEX = 'https://download.pytorch.org/whl/cpu'


@pytest.mark.parametrize(
    ('without', 'said', 'asked'),
    [
        ('', f'the cpu build, from {INDEX}.', [f'{INDEX} {VERSION}', READER]),
        ('index', f'{INDEX} does not answer', [READER]),
    ],
)
def test_the_build_without_cuda_comes_from_its_index(clone, without, said, asked):
    printed, installed = clone.make('run', torch='cpu', without=without)
    assert said in printed
    assert installed == asked


def test_a_driver_asks_for_the_usual_build(clone):
    clone.program('nvidia-smi', '#!/bin/sh\necho a GPU\n')
    assert 'PyTorch: the usual build' in clone.make('run', torch='')[0]


def test_uv_is_used_where_it_is_found(clone):
    clone.program('uv', '#!/bin/sh\necho "$UV_FIND_LINKS $*" >> asked.uv\n')
    said, by_pip = clone.make('run')
    assert 'with uv' in said
    assert by_pip == []
    (asked,) = (clone.folder / 'asked.uv').read_text().splitlines()
    assert asked.startswith('/some/wheels,/more pip install ')
    assert asked.endswith(READER)


TOO_OLD = r"3\.11 or newer is needed: this is '\./stand-in', Python 3\.9\.2"


@pytest.mark.parametrize(
    ('python', 'said'),
    [
        ('[ "$1" = --version ] && echo Python 3.9.2; exit 1', TOO_OLD),
        ('[ "$2" != venv ]', 'venv module is missing'),
    ],
)
def test_a_python_that_cannot_be_used(clone, python, said):
    clone.program('stand-in', f'#!/bin/sh\n{python}\n')
    assert re.search(said, clone.make('run', succeeds=False)[0])
    assert not (clone.folder / '.venv').exists()


@pytest.mark.skipif(os.name == 'nt', reason='Windows keeps other permissions.')
def test_a_folder_that_cannot_be_written_to():
    # Root may write anywhere, so here make runs as nobody, who may not read tmp_path.
    nobody = {'user': 65534} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone(Path(folder))
        clone.folder.chmod(0o555)
        printed, _ = clone.make('run', succeeds=False, **nobody)
        assert f'{folder} is not yours to write to' in printed
        assert 'venv' not in printed
        clone.folder.chmod(0o755)
