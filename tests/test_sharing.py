"""Notebook 08 and the real SDK against a stand-in for the service: nothing leaves here.

The SDK never runs inside pytest, but in kernels, scripts and its own program. They get
a home, a copy of the project, and for every other host a proxy that does not exist.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import execute
import matplotlib
import nbformat
import pytest
from jovian_stand_in import KEY, USER, answer, stand_in
from jupyter_client.manager import run_kernel
from series import ROOT, Notebook, numbered, paths, printed
from werkzeug import Response
from werkzeug.utils import redirect

from helpers import sharing

PATH = numbered(8)
PAGE = '\n'.join(cell.source for cell in Notebook(PATH).cells)
PROJECT = 'linear-regression-notebooks'
COMMITTED = 'Committed successfully!'
BIN = Path(sys.executable).parent
SYSTEM = ('PATH', 'SYSTEMROOT', 'TEMP', 'TMP', 'TMPDIR', 'OMP_NUM_THREADS')
NO_WAY_OUT = {
    'http_proxy': 'http://127.0.0.1:9',
    'https_proxy': 'http://127.0.0.1:9',
    'no_proxy': '127.0.0.1',
}


@pytest.fixture
def service():
    with stand_in() as service:
        yield service


@pytest.fixture
def home(service, tmp_path):
    """The home of somebody with an account. At the end, its key is in no other file."""
    service.log_in(tmp_path / 'home')
    yield tmp_path / 'home'
    assert KEY not in contents(tmp_path, leave_out='credentials.json').values()


def contents(folder, leave_out=None):
    """path: text, byte by byte, of each file."""
    return {
        path: path.read_bytes().decode('latin-1')
        for path in Path(folder).rglob('*')
        if path.is_file() and path.name != leave_out
    }


def environment(home, **more):
    """A home of its own, and no way out of the machine."""
    ours = {name: os.environ[name] for name in SYSTEM if name in os.environ}
    ours |= NO_WAY_OUT | {'PYTHONDONTWRITEBYTECODE': 1}
    ours |= {'HOME': home, 'USERPROFILE': home, 'PYTHONPATH': ROOT}
    ours |= {
        'MPLCONFIGDIR': matplotlib.get_cachedir()
    }  # its fonts took seconds to list
    return {name: str(value) for name, value in (ours | more).items()}


def run(command, folder, **env):
    done = subprocess.run(
        list(map(str, command)),
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert KEY not in done.stdout
    return done.stdout


def cell(upload):
    """The source of the cell that uploads, with the reader's answer in it."""
    (source,) = [
        cell.source
        for cell in Notebook(PATH).code
        if 'upload' in cell.metadata.get('tags', [])
    ]
    assert source.count('upload = False ') == 1
    return source.replace('upload = False ', f'upload = {upload} ')


def in_script(home, before='', **variables):
    """Run the cell where no question can be answered. Returns what it printed."""
    script = home.parent / 'upload.py'
    script.write_text(before + cell(upload=False))
    variables = {'JOVIAN_COMMIT': 1} | variables
    return run([sys.executable, script], home.parent, **environment(home, **variables))


def in_kernel(home, upload, reader=None, **variables):
    """Run the cell in a kernel, where a reader answers, or nobody as in nbclient.

    Returns what it printed, and what it asked.
    """
    shown, asked = [], []

    def show(message):
        shown.append(message['content'].get('text', str(message['content'])))

    def ask(message):
        asked.append(message['content'])
        client.input(reader)

    hooks = {'output_hook': show, 'stdin_hook': ask, 'allow_stdin': bool(reader)}
    with run_kernel(env=environment(home, **variables), cwd=str(home)) as client:
        client.execute_interactive(cell(upload), timeout=60, **hooks)
    return ''.join(shown[2:-1]), asked


# Nothing is uploaded unasked


@pytest.mark.parametrize(
    ('upload', 'settings', 'why'),
    [
        (False, {'reader': KEY}, 'upload is False'),
        (False, {'JOVIAN_COMMIT': '0'}, 'upload is False'),
        (True, {}, 'nobody is here to decide, and JOVIAN_COMMIT is not 1'),
        (True, {'reader': KEY, 'CI': 'true'}, 'nobody is here to decide'),
    ],
)
def test_nothing_is_uploaded_unasked(service, home, upload, settings, why):
    shown, asked = in_kernel(home, upload, **settings)
    assert f'Jovian: nothing was uploaded, because {why}' in shown
    assert (asked, service.requests) == ([], [])


def test_a_reader_with_an_account_is_asked_once_and_uploads(service, home):
    credentials = service.log_in(home, key=None)
    shown, asked = in_kernel(home, upload=True, reader=KEY)
    assert COMMITTED in shown
    assert 'Lost' not in shown
    assert KEY not in shown
    assert [question['password'] for question in asked] == [True]
    assert json.loads(credentials.read_text())['API_KEY'] == KEY


# One clear line for everything that goes wrong


def stored(text):
    return lambda service, home: (home / sharing.CREDENTIALS).write_text(text)


def profile(*response):
    path, function = '/user/profile', lambda: Response(*response)
    return lambda service, home: service.instead.update({path: function})


NO_KEY = 'there is no API key in ~/.jovian/credentials.json'
DAMAGED = '~/.jovian/credentials.json is damaged'
SILENT = 'the service does not answer (is there a network?)'
NO_SENSE = 'the service gives no sensible answer'
NOBODY = '{"API_KEY": "k", "API_URL": "http://127.0.0.1:9"}'
BEFORE = {
    'no account': (lambda s, home: shutil.rmtree(home / '.jovian'), NO_KEY),
    'no key': (lambda s, home: s.log_in(home, key=None), NO_KEY),
    'a wrong key': (lambda s, home: s.log_in(home, 'x'), 'the service refuses the key'),
    'a key of two lines': (lambda s, home: s.log_in(home, 'two\nlines'), NO_SENSE),
    'credentials torn off': (stored('{"API_KEY": '), DAMAGED),
    'credentials of another kind': (stored('[]'), DAMAGED),
    'an address of another kind': (stored('{"API_URL": 1}'), DAMAGED),
    'nobody at the address': (stored(NOBODY), SILENT),
    'silence': (lambda s, home: s.instead.update({'/': s.silence}), SILENT),
    'a broken service': (profile('', 500), 'the service answers with the error 500'),
    'another service': (profile('<html>Welcome!</html>'), NO_SENSE),
}


@pytest.fixture
def refused(home, monkeypatch):
    """A function that tries to upload in this process: what prevents it."""
    monkeypatch.delenv('CI', raising=False)
    for name, value in {**NO_WAY_OUT, 'JOVIAN_COMMIT': '1'}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Path, 'home', lambda: home)
    monkeypatch.setattr(sharing, 'SECONDS', 0.5)

    def sentence():
        with (
            pytest.raises(sharing.NotShared) as caught,
            sharing.uploading(False, PATH.name),
        ):
            pass
        return str(caught.value)

    return sentence


@pytest.mark.parametrize('case', BEFORE)
def test_what_prevents_an_upload_is_said_and_nothing_lost(case, service, home, refused):
    prepare, why = BEFORE[case]
    prepare(service, home)
    before = contents(home)
    assert refused() == f'nothing was uploaded, because {why}.'
    assert contents(home) == before
    assert service.files == {}


def test_helpers_that_were_installed_without_the_series(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(sharing, 'ROOT', tmp_path)
    assert 'because notebooks/' in (said := refused())
    assert said.endswith(' is not beside the folder helpers/.')


def test_the_key_is_not_sent_on_when_the_service_redirects(service, refused):
    service.instead['/user/profile'] = lambda: redirect('/elsewhere')
    assert refused()
    first, second = service.requests
    assert first.headers['Authorization'] == f'Bearer {KEY}'
    assert 'Authorization' not in second.headers


@pytest.mark.parametrize('module', ['pkg_resources', 'jovian'])
def test_an_sdk_that_cannot_be_imported(module, service, home, tmp_path):
    (tmp_path / f'{module}.py').write_text('raise ModuleNotFoundError')
    shown = in_script(home, PYTHONPATH=f'{tmp_path}{os.pathsep}{ROOT}')
    assert shown == (
        'Jovian: nothing was uploaded, because jovian cannot be imported; '
        'pip install jovian "setuptools<80.9" mends that.\n'
    )
    assert service.files == {}


BROKE_OFF = 'the upload broke off: '
NO_LIST = 'uploaded, but the list of files cannot be read.'
MEANWHILE = {
    'silence': ('/gist/create', lambda s: s.silence(), BROKE_OFF + 'ReadTimeout.'),
    'the key expires': (
        '/gist/create',
        lambda s: answer(401),
        BROKE_OFF + 'PermissionError.',
    ),
    'no list': ('/user/tester/gist', lambda s: answer(404), NO_LIST),
}


@pytest.mark.parametrize('case', MEANWHILE)
def test_what_goes_wrong_meanwhile_is_said_and_the_key_kept(case, service, home):
    path, function, why = MEANWHILE[case]
    service.instead[path] = lambda: function(service)
    shown = in_script(home, 'from helpers import sharing; sharing.SECONDS = 1\n')
    assert shown.endswith(f'\nJovian: {why}\n')
    assert json.loads((home / sharing.CREDENTIALS).read_text())['API_KEY'] == KEY


def test_without_a_link_nothing_was_uploaded():
    with pytest.raises(sharing.NotShared, match='jovian says above why'):
        sharing.missing(None, ['a'])


EVERYTHING = sharing.series_files()
TEXTS = [path for path in EVERYTHING if not path.endswith('.ipynb')]


@pytest.mark.parametrize(
    ('of', 'change', 'lost'),
    [
        ('attach', lambda content: answer(413), EVERYTHING),
        ('attach', lambda content: answer(200), EVERYTHING),
        ('attach', bytes.swapcase, EVERYTHING),
        (
            'attach',
            lambda content: content + b'\n',
            TEXTS,
        ),  # a notebook is the same JSON
        ('page', bytes.swapcase, [PATH.name]),
    ],
)
def test_what_got_lost_is_named(service, home, of, change, lost):
    setattr(service, of, change)
    shown = in_script(home)
    assert COMMITTED in shown, 'The SDK hides it.'
    assert re.findall('Lost on the way: (.*)', shown) == lost


def test_the_default_address_is_the_sdks():
    constants = Path(sysconfig.get_path('purelib'), 'jovian/utils/constants.py')
    assert f'"{sharing.API_URL}/"' in constants.read_text()


# What is uploaded, and back again


def test_all_that_the_pages_link_to_lies_in_the_upload():
    files = [*(ROOT / 'helpers').glob('[!_]*.*'), *(ROOT / 'exercises').glob('*.py')]
    needed = {path.relative_to(ROOT).as_posix() for path in [*paths(), *files]}
    texts = ' '.join(text for path in paths() for text in Notebook(path).prose())
    for link in re.findall(r'\]\((?!http)([^)#]+)', texts):
        needed.add(os.path.normpath(f'notebooks/{link}').replace(os.sep, '/'))
    assert needed <= set(EVERYTHING), 'A link would break.'


@pytest.fixture(scope='module')
def trip(tmp_path_factory):
    """Notebook 08 committed by a kernel, and cloned into an empty folder."""
    folder = tmp_path_factory.mktemp('trip')
    home, project = folder / 'home', folder / 'project'
    for path in EVERYTHING:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)
    before = contents(project)
    with stand_in() as service:
        service.log_in(home)
        env = environment(home, PYTHONPATH=project, JOVIAN_COMMIT=1)
        node, _ = execute.execute(project / 'notebooks' / PATH.name, env=env)
        assert contents(project) == before
        clone = [BIN / 'jovian', 'clone', f'{USER}/{PROJECT}']
        run(clone, folder, **environment(home))
        (shown,) = [printed(c) for c in node.cells if 'Jovian:' in c.source]
        yield SimpleNamespace(
            home=home,
            project=project,
            clone=folder / PROJECT,
            shown=shown,
            service=service,
        )


def test_the_notebook_really_commits(trip):
    assert COMMITTED in trip.shown
    assert 'Lost' not in trip.shown
    assert 'Jovian:' not in trip.shown
    assert trip.service.forms[0]['visibility'] == 'public'


def test_the_clone_is_what_was_sent(trip):
    got = {path.relative_to(trip.clone).as_posix() for path in contents(trip.clone)}
    assert got == {*EVERYTHING, PATH.name, '.jovianrc'}
    for path in [PATH.name, *EVERYTHING]:
        sent = trip.project / (f'notebooks/{path}' if path == PATH.name else path)
        content = (trip.clone / path).read_bytes()
        if path.endswith('.ipynb'):
            expected = json.loads(sent.read_bytes())
            del expected['metadata']['kernelspec']
            assert json.loads(content) == expected
            nbformat.validate(nbformat.reads(content, as_version=4))
        else:
            assert content == sent.read_bytes()


def test_the_clone_runs_and_so_does_what_pip_installs_from_it(trip):
    execute.execute(trip.clone / PATH.name, env=environment(trip.home, PYTHONPATH=''))
    site = trip.home / 'site'
    pip = [sys.executable, '-m', 'pip', 'install', '-q', '--target', site, trip.clone]
    offline = ['--no-index', '--no-deps', '--no-build-isolation']
    run([*pip, *offline], trip.home, **environment(trip.home))
    another = trip.clone / 'notebooks' / numbered(5).name
    probe = 'import helpers.plots; print(helpers.plots.__file__)'
    env = environment(trip.home, PYTHONPATH=site)
    _, found = execute.execute(another, probe=probe, env=env)
    assert found.strip() == str(site / 'helpers' / 'plots.py')


def test_the_page_names_what_exists():
    (binder,) = re.findall(r'`\?labpath=(\S+)`', PAGE)
    assert all((ROOT / path).is_file() for path in (binder, 'environment.yml'))
    assert '\n%pip install git+https://HOST/OWNER/REPO\n' in PAGE
