"""Notebook 08 and the real SDK against a stand-in for the service: nothing leaves here.

The SDK never runs inside pytest, but in a kernel, scripts and its own program. They get
a home, and for every other host a proxy that does not exist.
"""

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from types import SimpleNamespace

import execute
import pytest
from jovian_stand_in import KEY, USER, Jovian, answer
from jupyter_client.manager import run_kernel
from series import ROOT, Notebook, numbered, paths
from werkzeug import Response
from werkzeug.utils import redirect

from helpers import sharing

PATH = numbered(8)
TAGGED = [c for c in Notebook(PATH).code if 'upload' in c.metadata.get('tags', [])]
CELL = TAGGED[0].source
PROJECT = 'linear-regression-notebooks'
COMMITTED = 'Committed successfully!'
ALONE = 'nobody is here to decide, and JOVIAN_COMMIT is not 1'
EVERYTHING = sharing.series_files()


@contextlib.contextmanager
def account(folder):
    """A service and a home. At the end, the key is in no other file of the folder."""
    with Jovian(folder / 'home') as service:
        service.log_in()
        yield service
    files = contents(folder)
    files.pop(service.credentials, None)
    assert not [path for path, content in files.items() if KEY.encode() in content]


@pytest.fixture
def service(tmp_path):
    with account(tmp_path) as service:
        yield service


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def environment(service, **more):
    """The home of the service's user, and no way out of the machine."""
    ours = execute.environment() | {'no_proxy': '127.0.0.1'} | more
    ours |= dict.fromkeys(['http_proxy', 'https_proxy'], 'http://127.0.0.1:9')
    ours |= dict.fromkeys(['HOME', 'USERPROFILE'], str(service.home))
    return {name: value for name, value in ours.items() if name != 'CI'}


def run(*command, folder, env):
    options = {'stdin': subprocess.DEVNULL, 'capture_output': True, 'text': True}
    done = subprocess.run(command, cwd=folder, env=env, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.stdout


def in_script(service, before=''):
    """Run the cell where no question can be answered. Returns what it printed."""
    env = environment(service, JOVIAN_COMMIT='1')
    script = service.home / 'upload.py'
    script.write_text(f'{before}\n{CELL}')
    return run(sys.executable, script, folder=service.home, env=env)


# Before anything is uploaded


@pytest.fixture
def refused(service, monkeypatch):
    """A function that tries to upload in this process, and says why it must fail."""
    monkeypatch.setattr(os, 'environ', environment(service, JOVIAN_COMMIT='1'))
    monkeypatch.setattr(sharing, 'SECONDS', 0.5)

    def because(why, upload=False):
        before = contents(service.home)
        with pytest.raises(sharing.NotShared) as caught:
            sharing.uploading(upload, PATH.name).__enter__()
        assert str(caught.value) == f'nothing was uploaded, because {why}.'
        assert contents(service.home) == before

    return because


def test_nothing_is_uploaded_unasked(service, refused, monkeypatch):
    kernel = SimpleNamespace(_allow_stdin=True)
    monkeypatch.setattr('IPython.get_ipython', lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setenv('JOVIAN_COMMIT', '0')
    refused('upload is False', upload=False)
    monkeypatch.setenv('CI', 'true')
    refused(ALONE, upload=True)
    assert service.log == []


def silence():
    time.sleep(3)  # longer than anybody waits in these tests
    return answer(503)


def answering(status, text=''):
    return lambda s: s.instead.update({'/user/profile': lambda: Response(text, status)})


STORE = '~/.jovian/credentials.json'
SILENT = 'the service does not answer (is there a network?)'


@pytest.mark.parametrize(
    ('prepare', 'why'),
    [
        (lambda s: s.credentials.unlink(), f'there is no API key in {STORE}'),
        (lambda s: s.credentials.write_text('{"API_KEY": '), f'{STORE} is damaged'),
        (lambda s: s.log_in('x'), 'the service refuses the key'),
        (lambda s: s.stop(), SILENT),
        (lambda s: s.instead.update({'/user/profile': silence}), SILENT),
        (answering(500), 'the service answers with the error 500'),
        (answering(200, '<html>'), 'the service gives no sensible answer'),
    ],
)
def test_what_prevents_an_upload_is_said_and_nothing_lost(
    service, refused, prepare, why
):
    prepare(service)
    refused(why)


def test_helpers_that_were_installed_without_the_series(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(sharing, 'ROOT', tmp_path)
    refused(f'{sharing.CLONE_NEEDS[0]} is not beside the folder helpers/')


def test_the_key_is_not_sent_on_when_the_service_redirects(service, refused):
    service.instead['/user/profile'] = lambda: redirect('/elsewhere')
    refused('the service refuses the key')
    sent = [request.headers.get('Authorization') for request, _ in service.log]
    assert sent == [f'Bearer {KEY}', None]


def test_the_default_address_is_the_sdks():
    constants = Path(sysconfig.get_path('purelib'), 'jovian/utils/constants.py')
    assert f'"{sharing.API_URL}/"' in constants.read_text()


# While it is uploaded, and after


def test_an_sdk_that_cannot_be_imported(service):
    assert in_script(service, 'import sys; sys.modules["pkg_resources"] = None') == (
        'Jovian: nothing was uploaded, because jovian cannot be imported; '
        'pip install jovian "setuptools<80.9" mends that.\n'
    )
    assert service.files == {}


LIST = f'/user/{USER}/gist/{PROJECT}'


@pytest.mark.parametrize(
    ('path', 'function', 'why'),
    [
        ('/gist/create', silence, 'the upload broke off: ReadTimeout.'),
        ('/gist/create', lambda: answer(401), 'the upload broke off: PermissionError.'),
        (LIST, lambda: answer(404), 'uploaded, but the list of files cannot be read.'),
    ],
)
def test_what_goes_wrong_meanwhile_is_said_and_the_key_kept(
    service, path, function, why
):
    service.instead[path] = function
    shown = in_script(service, 'from helpers import sharing; sharing.SECONDS = 1')
    assert shown.endswith(f'\nJovian: {why}\n')
    assert KEY in service.credentials.read_text()


def test_without_a_link_nothing_was_uploaded():
    with pytest.raises(sharing.NotShared, match='jovian says above why'):
        sharing.missing(None, ['a'])


def test_what_got_lost_is_named(service):
    spoil, append = bytes.swapcase, lambda content: content + b'\n'
    lost = {
        PATH.name: spoil,
        'notebooks/01-training-data.ipynb': lambda _: answer(413),
        'notebooks/02-model-from-scratch.ipynb': spoil,
        'helpers/data.py': lambda _: answer(200),
        'helpers/regions.csv': append,
    }
    same_json = {'notebooks/03-loss.ipynb': append}
    service.keep = lambda path, sent: (lost | same_json).get(path, bytes)(sent)
    shown = in_script(service)
    assert COMMITTED in shown, 'The SDK hides it.'
    assert re.findall('Lost on the way: (.*)', shown) == list(lost)


# What is uploaded, and back again


def test_all_that_the_pages_link_to_lies_in_the_upload():
    folders = [ROOT / name for name in ('notebooks', 'helpers', 'exercises')]
    files = [path for folder in folders for path in folder.glob('[!.]*.*')]
    needed = {path.relative_to(ROOT).as_posix() for path in files}
    texts = ' '.join(text for path in paths() for text in Notebook(path).prose())
    needed |= set(re.findall(r'`\?labpath=(\S+)`', texts))
    for link in re.findall(r'\]\((?!http)([^)#]+)', texts):
        needed.add(os.path.normpath(f'notebooks/{link}').replace(os.sep, '/'))
    assert needed <= set(EVERYTHING), 'A link would break.'


@pytest.fixture(scope='module')
def trip(tmp_path_factory):
    """What a reader uploaded who had no key yet, and a clone of it."""
    folder = tmp_path_factory.mktemp('trip')
    shown, asked, empty = [], [], folder / 'empty'
    empty.mkdir()

    def show(message):
        shown.append(message['content'].get('text', ''))

    def ask(message):
        asked.append(message['content'])
        client.input(KEY)

    with account(folder) as service:
        service.log_in(key=None)
        env = environment(service)
        with run_kernel(env=env, cwd=str(empty)) as client:
            for reader in (None, ask):
                client.execute_interactive(
                    CELL.replace('upload = False', 'upload = True'),
                    allow_stdin=bool(reader),
                    stdin_hook=reader,
                    output_hook=show,
                    timeout=60,
                )
        assert not list(empty.iterdir())
        jovian = Path(sys.executable).with_name('jovian')
        run(jovian, 'clone', f'{USER}/{PROJECT}', folder=folder, env=env)
        clone, shown = folder / PROJECT, ''.join(shown)
        yield SimpleNamespace(service=service, clone=clone, shown=shown, asked=asked)


def test_a_reader_is_asked_once_and_uploads(trip):
    alone, shown = trip.shown.split('\n', 1)
    assert alone == f'Jovian: nothing was uploaded, because {ALONE}.'
    assert COMMITTED in shown
    assert not re.search(f'Lost|Jovian:|{KEY}', shown)
    assert [question['password'] for question in trip.asked] == [True]
    assert KEY in trip.service.credentials.read_text()
    (created,) = [r.form for r, _ in trip.service.log if r.path == '/gist/create']
    assert created['visibility'] == 'public'


def test_the_clone_is_what_was_sent(trip):
    files = {p.relative_to(trip.clone).as_posix() for p in contents(trip.clone)}
    assert files == {*EVERYTHING, PATH.name, '.jovianrc'}
    for path in EVERYTHING:
        if not path.endswith('.ipynb'):  # the SDK writes notebooks anew
            assert (trip.clone / path).read_bytes() == (ROOT / path).read_bytes()


def test_the_clone_runs_with_what_pip_installs_from_it(trip):
    site = trip.service.home / 'site'
    env = environment(trip.service, PYTHONPATH=str(site))
    pip = ['-m', 'pip', 'install', '-q', '--no-index', '--no-deps']
    pip += ['--no-build-isolation', '--target', site, trip.clone]
    run(sys.executable, *pip, folder=trip.service.home, env=env)
    probe = 'import helpers.plots; print(helpers.plots.__file__)'
    notebook = trip.clone / 'notebooks' / PATH.name
    _, found, _ = execute.execute(notebook, probe=probe, env=env)
    assert found.strip() == str(site / 'helpers' / 'plots.py')
