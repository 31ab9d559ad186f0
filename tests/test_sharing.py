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
NO_WAY_OUT = dict.fromkeys(['http_proxy', 'https_proxy'], 'http://127.0.0.1:9')
NO_WAY_OUT['no_proxy'] = '127.0.0.1'


@contextlib.contextmanager
def account(folder):
    """A service and a home. At the end, the key is in no other file of the folder."""
    with Jovian(folder / 'home') as service:
        service.log_in()
        yield service
    assert {*holders(folder)} <= {service.credentials}


@pytest.fixture
def service(tmp_path):
    with account(tmp_path) as service:
        yield service


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def holders(folder):
    return [path for path, text in contents(folder).items() if KEY.encode() in text]


def environment(service, **more):
    """The home of the service's user, and no way out of the machine."""
    ours = execute.environment() | NO_WAY_OUT | more
    ours |= dict.fromkeys(['HOME', 'USERPROFILE'], str(service.home))
    return {name: value for name, value in ours.items() if name != 'CI'}


def run(*command, folder, env):
    options = {'stdin': subprocess.DEVNULL, 'capture_output': True, 'text': True}
    done = subprocess.run(command, cwd=folder, env=env, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.stdout


def in_script(service, before='', cell=CELL, **variables):
    """Run the cell where no question can be answered. Returns what it printed."""
    env = environment(service, JOVIAN_COMMIT='1') | variables
    script = service.home / 'upload.py'
    script.write_text(f'{before}\n{cell}')
    return run(sys.executable, script, folder=service.home, env=env)


def refusal(why):
    return f'Jovian: nothing was uploaded, because {why}.\n'


# Before it is uploaded, and meanwhile

HASTY = 'from helpers import sharing; sharing.SECONDS = 1'
ATTENDED = """
import IPython
from types import SimpleNamespace as Space
IPython.get_ipython = lambda: Space(kernel=Space(_allow_stdin=True))
"""


@pytest.mark.parametrize(
    ('wish', 'ci', 'why'),
    [('False', {}, 'upload is False'), ('True', {'CI': ''}, ALONE)],
)
def test_nothing_is_uploaded_unasked(service, wish, ci, why):
    cell = CELL.replace('upload = False', f'upload = {wish}')
    shown = in_script(service, ATTENDED, cell, JOVIAN_COMMIT='0', **ci)
    assert shown == refusal(why)
    assert service.log == []


def silence():
    time.sleep(3)  # longer than anybody waits in these tests
    return answer(503)


def instead(path, function):
    return lambda service: service.instead.update({path: function})


STORE, LIST = '~/.jovian/credentials.json', f'/user/{USER}/gist/{PROJECT}'
ME, SEND = '/user/profile', '/gist/create'
SILENT = refusal('the service does not answer (is there a network?)')
ERROR = refusal('the service answers with the error 500')
NONSENSE = refusal('the service gives no sensible answer')
BROKE = 'Jovian: the upload broke off'
UNREAD = 'Jovian: uploaded, but the list of files cannot be read.\n'


@pytest.mark.parametrize(
    ('prepare', 'said'),
    [
        (lambda s: s.credentials.unlink(), refusal(f'there is no API key in {STORE}')),
        (lambda s: s.credentials.write_text('{"A'), refusal(f'{STORE} is damaged')),
        (lambda s: s.stop(), SILENT),
        (instead(ME, silence), SILENT),
        (instead(ME, lambda: Response('', 500)), ERROR),
        (instead(ME, lambda: Response('<html>')), NONSENSE),
        (instead(SEND, silence), f'{BROKE}: ReadTimeout.\n'),
        (instead(SEND, lambda: answer(401)), f'{BROKE}: PermissionError.\n'),
        (instead(LIST, lambda: answer(404)), UNREAD),
    ],
)
def test_what_goes_wrong_is_said_and_the_key_kept(service, prepare, said):
    prepare(service)
    before = holders(service.home)
    last = in_script(service, HASTY).splitlines(keepends=True)[-1]
    assert last == said
    assert holders(service.home) == before


def test_helpers_that_were_installed_without_the_series(service):
    shown = in_script(service, f'{HASTY}; sharing.ROOT /= "helpers"')
    absent = sharing.CLONE_NEEDS[0]
    assert shown == refusal(f'{absent} is not beside the folder helpers/')


def test_an_sdk_that_cannot_be_imported(service):
    shown = in_script(service, 'import sys; sys.modules["pkg_resources"] = None')
    cure = 'pip install jovian "setuptools<80.9" mends that'
    assert shown == refusal(f'jovian cannot be imported; {cure}')


def test_the_key_is_not_sent_on_when_the_service_redirects(service):
    service.instead['/user/profile'] = lambda: redirect('/elsewhere')
    assert in_script(service) == refusal('the service refuses the key')
    sent = [request.headers.get('Authorization') for request, _ in service.log]
    assert sent == [f'Bearer {KEY}', None]


def test_the_default_address_is_the_sdks():
    constants = Path(sysconfig.get_path('purelib'), 'jovian/utils/constants.py')
    assert f'"{sharing.API_URL}/"' in constants.read_text()


# After it is uploaded


def test_without_a_link_nothing_was_uploaded():
    with pytest.raises(sharing.NotShared, match='jovian says above why'):
        sharing.missing(None, ['a'])


def test_what_got_lost_is_named(service):
    def append(content):
        return content + b'\n'

    lost = {PATH.name: bytes.swapcase, 'helpers/data.py': lambda content: None}
    lost['helpers/regions.csv'] = append
    kept = lost | {'notebooks/03-loss.ipynb': append}  # the same JSON
    service.keep = lambda path, content: kept.get(path, bytes)(content)
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
    assert f'{alone}\n' == refusal(ALONE)
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
