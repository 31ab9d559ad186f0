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
import venv
from pathlib import Path

import execute
import matplotlib
import nbformat
import pytest
from conftest import NOTEBOOKS, ROOT, Notebook, printed
from jovian_stand_in import KEY, USER, StandIn
from jupyter_client.manager import start_new_kernel

from helpers import sharing

PATH = ROOT / 'notebooks' / '08-save-and-share.ipynb'
PROJECT = 'linear-regression-notebooks'
COMMITTED = 'Committed successfully!'
BIN = Path(sys.executable).parent


def assert_no_traces_of_the_key(folder):
    found = [path for path in files_below(folder) if KEY in read_text(path)]
    assert {path.name for path in found} <= {'credentials.json'}


@pytest.fixture(autouse=True)
def no_traces_of_the_key(tmp_path):
    """After each test, the key is where it was put, and in no other file."""
    yield
    assert_no_traces_of_the_key(tmp_path)


@pytest.fixture
def service():
    with StandIn() as service:
        yield service


def files_below(folder):
    return sorted(path for path in Path(folder).rglob('*') if path.is_file())


def read_text(path):
    return path.read_bytes().decode('latin-1')


def environment(home, **more):
    """This process's variables, but a home of its own and no way out of the machine."""
    proxy = 'http://127.0.0.1:9'
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ('CI', 'JOVIAN_COMMIT', 'PYTHONPATH')
        and not name.lower().endswith('_proxy')
        and not name.startswith(('JUPYTER', 'IPYTHON', 'JPY_', 'PYTEST_'))
    }
    home.mkdir(exist_ok=True)
    ours |= {'HOME': str(home), 'USERPROFILE': str(home)}
    ours['MPLCONFIGDIR'] = matplotlib.get_cachedir()  # its list of fonts takes seconds
    ours |= {'http_proxy': proxy, 'https_proxy': proxy, 'no_proxy': '127.0.0.1'}
    return ours | {name: str(value) for name, value in more.items()}


def copy_project(folder):
    for path in sharing.series_files():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


def cell(upload=False, seconds=20):
    """The source of the cell that uploads, with the reader's answer in it."""
    (source,) = [
        cell.source
        for cell in Notebook(PATH).code
        if 'upload' in cell.metadata.get('tags', [])
    ]
    changed = source.replace('upload = False ', f'upload = {upload} ')
    changed = changed.replace(".ipynb') as", f".ipynb', seconds={seconds}) as")
    assert 'upload = False ' in source
    assert f'seconds={seconds}' in changed
    return changed


def run_as_script(folder, service, key=KEY, before='', **variables):
    """Run the cell where no question can be answered. Returns what it printed."""
    home = folder / 'home'
    if not (home / '.jovian').exists():
        service.write_credentials(home, key)
    script = folder / 'upload.py'
    script.write_text(before + cell(seconds=1))
    variables = {'JOVIAN_COMMIT': 1, 'PYTHONPATH': ROOT} | variables
    done = subprocess.run(
        [sys.executable, script],
        env=environment(home, **variables),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (folder / 'printed.txt').write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def run_as_notebook(folder, service, upload, **variables):
    """Run the cell in a kernel as nbclient does. Returns what it printed."""
    service.write_credentials(folder / 'home')
    path = folder / 'cell.ipynb'
    code = nbformat.v4.new_code_cell(cell(upload))
    nbformat.write(nbformat.v4.new_notebook(cells=[code]), path)
    env = environment(folder / 'home', PYTHONPATH=ROOT, **variables)
    done, _ = execute.execute(path, env=env)
    execute.write(path, done)
    return printed(done.cells[0])


# What the page says


def test_the_page_says_what_happens_before_the_cell_that_uploads():
    page = Notebook(PATH)
    index = [
        'upload' in cell.metadata.get('tags', []) for cell in page.node.cells
    ].index(True)
    before = page.node.cells[index - 1].source
    assert 'public by default' in before
    assert "privacy='private'" in before
    assert 'Ctrl+S' in before
    source = page.node.cells[index].source
    assert f"filename='{PATH.name}'" in source
    assert f"project='{PROJECT}'" in source
    prose = '\n'.join(cell.source for cell in page.cells)
    assert f'jovian clone USER/{PROJECT}' in prose
    assert '"setuptools<80.9"' in prose


def test_all_that_is_uploaded_lies_in_the_project():
    files = sharing.series_files()
    assert len(files) == len(set(files))
    assert [path.name for path in NOTEBOOKS] == [
        Path(path).name for path in files if path.endswith('.ipynb')
    ]
    assert {'helpers/__init__.py', 'helpers/data.py', 'helpers/regions.csv'} <= set(
        files
    )
    assert {'environment.yml', 'requirements.txt', 'pyproject.toml'} <= set(files)
    for path in files:
        assert (ROOT / path).is_file()
        assert '..' not in path
        assert not path.startswith('/')
    texts = [text for path in NOTEBOOKS for text in Notebook(path).prose()]
    links = re.findall(r'\]\((?!http)([^)#]+)', ' '.join(texts))
    assert {f'notebooks/{link}' for link in links} <= set(files), 'A link would break.'


def test_the_default_address_is_the_sdks():
    constants = Path(sysconfig.get_path('purelib'), 'jovian/utils/constants.py')
    address = re.search(r'DEFAULT_API_URL = "(.*)/"', constants.read_text())[1]
    assert address == sharing.API_URL


# Nothing is uploaded unasked


def test_a_notebook_that_nobody_changed_uploads_nothing(service, tmp_path):
    shown = run_as_notebook(tmp_path, service, upload=False)
    assert shown == 'Jovian: nothing was uploaded, because upload is False.\n'
    assert service.requests == []


def test_nbclient_and_nbval_upload_nothing(service, tmp_path):
    shown = run_as_notebook(tmp_path, service, upload=True)
    assert 'nobody is here to decide, and JOVIAN_COMMIT is not 1' in shown
    assert service.requests == []
    command = [sys.executable, '-m', 'pytest', '-p', 'nbval.plugin', '--nbval']
    done = subprocess.run(
        [*command, '--nbval-current-env', 'cell.ipynb'],
        env=environment(tmp_path / 'home', PYTHONPATH=ROOT)
        | {'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert '1 passed' in done.stdout
    assert service.requests == []


def test_another_value_than_1_uploads_nothing(service, tmp_path):
    shown = run_as_script(tmp_path, service, JOVIAN_COMMIT='0')
    assert shown == 'Jovian: nothing was uploaded, because upload is False.\n'
    assert service.requests == []


class Reader:
    """Somebody in JupyterLab: a kernel that may ask, and what it asked."""

    def __init__(self, folder, env, answer=''):
        self.manager, self.client = start_new_kernel(
            kernel_name='python3', env=env, cwd=str(folder)
        )
        self.answer, self.asked, self.shown = answer, [], ''

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, source):
        self.client.execute_interactive(
            source,
            allow_stdin=True,
            timeout=60,
            output_hook=self.show,
            stdin_hook=self.ask,
        )
        return self.shown

    def show(self, message):
        content = message['content']
        self.shown += content.get('text', '') + ''.join(content.get('traceback', []))

    def ask(self, message):
        self.asked.append(message['content'])
        self.client.input(self.answer)


def test_a_reader_with_an_account_is_asked_once_and_uploads(service, tmp_path):
    credentials = service.write_credentials(tmp_path / 'home', key=None)
    env = environment(tmp_path / 'home', PYTHONPATH=ROOT)
    with Reader(tmp_path, env, answer=KEY) as reader:
        assert 'upload is False' in reader.run(cell(upload=False))
        assert (reader.asked, service.requests) == ([], [])
        shown = reader.run(cell(upload=True))
        assert COMMITTED in shown
        assert 'Lost' not in shown
        assert KEY not in shown
    assert [question['password'] for question in reader.asked] == [True]
    assert json.loads(credentials.read_text())['API_KEY'] == KEY
    assert credentials.stat().st_mode & 0o077 == 0
    assert not (tmp_path / '.jovianrc').exists()


def test_ci_is_nobody_even_if_it_could_be_asked(service, tmp_path):
    service.write_credentials(tmp_path / 'home', key=None)
    env = environment(tmp_path / 'home', PYTHONPATH=ROOT, CI='true')
    with Reader(tmp_path, env, answer=KEY) as reader:
        assert 'nobody is here to decide' in reader.run(cell(upload=True))
    assert (reader.asked, service.requests) == ([], [])


# One clear line for everything that goes wrong


def fake_module(folder, name, line):
    (folder / 'fake').mkdir()
    (folder / 'fake' / f'{name}.py').write_text(line)
    return f'{folder / "fake"}{os.pathsep}{ROOT}'


def test_no_key(service, tmp_path):
    shown = run_as_script(tmp_path, service, key=None)
    assert shown == (
        'Jovian: nothing was uploaded, because there is no API key in '
        '~/.jovian/credentials.json.\n'
    )
    assert service.requests == []


def test_no_account_at_all(service, tmp_path):
    (tmp_path / 'home' / '.jovian').mkdir(parents=True)
    assert 'there is no API key' in run_as_script(tmp_path, service)
    assert not files_below(tmp_path / 'home')


def test_a_wrong_key_is_refused_and_kept(service, tmp_path):
    credentials = service.write_credentials(tmp_path / 'home', 'another-key')
    before = credentials.read_bytes()
    shown = run_as_script(tmp_path, service)
    assert shown == (
        'Jovian: nothing was uploaded, because the service refuses the key.\n'
    )
    assert credentials.read_bytes() == before
    assert service.projects == {}


@pytest.mark.parametrize('key', ['two\nlines', 'schlüssel', '鍵', 7])
def test_a_key_that_cannot_be_sent(service, tmp_path, key):
    shown = run_as_script(tmp_path, service, key=key)
    assert shown.startswith('Jovian: nothing was uploaded, because the service ')
    assert shown.count('\n') == 1
    assert 'lines' not in shown


def test_no_network(service, tmp_path):
    service.write_credentials(tmp_path / 'home')
    service.server.server_close()
    shown = run_as_script(tmp_path, service)
    assert shown == (
        'Jovian: nothing was uploaded, because the service does not answer '
        '(is there a network?).\n'
    )


def test_a_service_that_never_answers(service, tmp_path):
    service.silent = ['/']
    shown = run_as_script(
        tmp_path, service, before='from helpers import sharing; sharing.SECONDS = 1\n'
    )
    assert 'the service does not answer' in shown
    assert sharing.SECONDS < 10


@pytest.mark.parametrize(
    ('answer', 'expected'),
    [
        ((500, 'Oops.'), 'the service answers with the error 500.'),
        ((403, {}), 'the service answers with the error 403.'),
        ((200, '<html>Welcome!</html>'), 'the service gives no sensible answer.'),
    ],
)
def test_a_service_that_is_something_else(service, tmp_path, answer, expected):
    service.errors = {'/user/profile': answer}
    shown = run_as_script(tmp_path, service)
    assert shown == f'Jovian: nothing was uploaded, because {expected}\n'


@pytest.mark.parametrize('content', ['{"API_KEY": ', '[]', '{"API_URL": 1}', '\xff'])
def test_damaged_credentials_are_kept(service, tmp_path, content):
    path = service.write_credentials(tmp_path / 'home')
    path.write_bytes(content.encode('latin-1'))
    assert 'credentials.json is damaged' in run_as_script(tmp_path, service)
    assert path.read_bytes() == content.encode('latin-1')


@pytest.mark.parametrize('module', ['pkg_resources', 'jovian', 'requests'])
def test_an_sdk_that_cannot_be_imported(service, tmp_path, module):
    fake = fake_module(tmp_path, module, 'raise ModuleNotFoundError("no such module")')
    shown = run_as_script(tmp_path, service, PYTHONPATH=fake)
    assert shown == (
        'Jovian: nothing was uploaded, because jovian cannot be imported; '
        'pip install jovian "setuptools<80.9" mends that.\n'
    )
    assert service.projects == {}


def test_helpers_that_were_installed_without_the_series(service, tmp_path):
    shutil.copytree(ROOT / 'helpers', tmp_path / 'site' / 'helpers')
    shown = run_as_script(tmp_path, service, PYTHONPATH=tmp_path / 'site')
    assert 'because notebooks/' in shown
    assert 'is not beside the folder helpers/' in shown
    assert service.requests == []


def test_silence_in_the_middle_ends_in_a_line(service, tmp_path):
    service.silent = ['/gist/create']
    shown = run_as_script(tmp_path, service)
    assert shown.endswith('Jovian: the upload broke off: ReadTimeout.\n')
    assert COMMITTED not in shown


def test_a_key_that_is_refused_in_the_middle_is_kept(service, tmp_path):
    service.errors = {'/gist/create': (401, {})}
    shown = run_as_script(tmp_path, service)
    assert 'Jovian: the upload broke off: PermissionError.\n' in shown
    credentials = tmp_path / 'home' / '.jovian' / 'credentials.json'
    assert json.loads(credentials.read_text())['API_KEY'] == KEY


@pytest.mark.parametrize('attach', ['error', 'warning', 'change', 'line'])
def test_what_got_lost_is_named(service, tmp_path, attach):
    service.attach = attach
    shown = run_as_script(tmp_path, service)
    assert COMMITTED in shown, 'The SDK hides it.'
    lost = re.findall('Lost on the way: (.*)', shown)
    expected = sharing.series_files()
    if attach == 'line':  # it does not change the cells of a notebook
        expected = [path for path in expected if not path.endswith('.ipynb')]
    assert lost == expected


def test_missing_says_why_it_cannot_say(service, tmp_path, monkeypatch):
    service.write_credentials(tmp_path)
    monkeypatch.setattr(Path, 'home', lambda: tmp_path)
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with pytest.raises(sharing.NotShared, match='list of files cannot be read'):
        sharing.missing(f'{service.url}/{USER}/unknown', ['a'])
    with pytest.raises(sharing.NotShared, match='jovian says above why'):
        sharing.missing(None, ['a'])


def test_the_key_is_not_sent_on_when_the_service_redirects(service, monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    request = []
    monkeypatch.setattr(
        sharing.urllib.request,
        'urlopen',
        lambda sent, timeout: request.append(sent) or pytest.fail('stop'),
    )
    with pytest.raises(pytest.fail.Exception):
        sharing._get(service.url, KEY)
    assert KEY in request[0].unredirected_hdrs['Authorization']
    assert KEY not in str(request[0].headers)


# The round trip


class Trip:
    """Notebook 08 committed by a kernel, and cloned into an empty folder."""

    def __init__(self, folder, service):
        self.folder, self.service = folder, service
        self.project = copy_project(folder / 'project')
        service.write_credentials(folder / 'home')
        self.sent = {path: path.read_bytes() for path in files_below(self.project)}
        env = environment(folder / 'home', PYTHONPATH=self.project, JOVIAN_COMMIT=1)
        path = self.project / 'notebooks' / PATH.name
        self.notebook, _ = execute.execute(path, env=env)
        execute.write(folder / 'executed.ipynb', self.notebook)
        self.after = {path: path.read_bytes() for path in files_below(self.project)}
        (folder / 'empty').mkdir()
        self.cloning = subprocess.run(
            [BIN / 'jovian', 'clone', f'{USER}/{PROJECT}'],
            env=environment(folder / 'home'),
            cwd=folder / 'empty',
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.clone = folder / 'empty' / PROJECT


@pytest.fixture(scope='module')
def trip(tmp_path_factory):
    with StandIn() as service:
        trip = Trip(tmp_path_factory.mktemp('trip'), service)
        yield trip
        assert files_below(trip.clone)
        assert_no_traces_of_the_key(trip.folder)


def test_the_notebook_really_commits(trip):
    (shown,) = [printed(c) for c in trip.notebook.cells if 'Jovian:' in c.source]
    assert COMMITTED in shown
    assert 'Lost' not in shown
    assert 'Jovian:' not in shown
    assert trip.service.keys == {KEY, ''}, 'The files are fetched back without it.'
    assert trip.service.forms[0]['visibility'] == 'public'
    assert trip.service.forms[0]['filename'] == PATH.name
    assert {form.get('folder') for form in trip.service.forms} == {
        None,
        'notebooks',
        'helpers',
    }


def test_the_project_is_left_as_it_was(trip):
    written = {path for path in trip.after if '__pycache__' not in path.parts}
    assert {path: trip.after[path] for path in written} == trip.sent


def test_the_clone_is_what_was_sent(trip):
    assert 'Cloned successfully' in trip.cloning.stdout
    got = {path.relative_to(trip.clone).as_posix() for path in files_below(trip.clone)}
    files = sharing.series_files()
    assert got == {*files, PATH.name, '.jovianrc'}
    for path in [PATH.name, *files]:
        sent = trip.project / (path if path in files else f'notebooks/{path}')
        content = (trip.clone / path).read_bytes()
        if path.endswith('.ipynb'):
            expected = json.loads(sent.read_bytes())
            del expected['metadata']['kernelspec']
            assert json.loads(content) == expected
            nbformat.validate(nbformat.reads(content, as_version=4))
        else:
            assert content == sent.read_bytes()


def new_environment(folder, *install):
    """A virtual environment that borrows every package but `helpers` from ours.

    Returns its Python. `install` is what pip is to install into it.
    """
    venv.create(folder, symlinks=os.name != 'nt')
    paths = {'base': str(folder), 'platbase': str(folder)}
    site = Path(sysconfig.get_path('purelib', 'venv', vars=paths))
    (site / 'borrowed.pth').write_text(sysconfig.get_path('purelib') + '\n')
    python = folder / BIN.name / Path(sys.executable).name
    pip = [python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check']
    offline = ['--no-index', '--no-deps', '--no-build-isolation', '--ignore-installed']
    done = subprocess.run(
        [*pip, *offline, *install],
        env=environment(folder / 'home'),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return python


def run_elsewhere(python, *notebooks):
    """Execute notebooks in another environment. Returns where each found helpers."""
    code = (
        f'import sys; sys.path.insert(0, {str(ROOT / "tools")!r}); import execute\n'
        'for path in sys.argv[1:]:\n'
        '    probe = "import helpers.data as data; assert data.REGIONS_CSV.is_file()"\n'
        '    probe += "; print(data.__file__)"\n'
        '    print(execute.execute(path, probe=probe)[1].strip())'
    )
    done = subprocess.run(
        [python, '-c', code, *notebooks],
        env=environment(python.parent.parent / 'home'),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [Path(line).resolve() for line in done.stdout.split()]


def test_the_clone_runs(trip, tmp_path):
    python = new_environment(tmp_path / 'venv', '-e', trip.clone)
    another = trip.clone / 'notebooks' / NOTEBOOKS[4].name
    found = run_elsewhere(python, another, trip.clone / PATH.name)
    assert found == [trip.clone / 'helpers' / 'data.py'] * 2


def test_a_second_upload_is_a_new_version(trip):
    before = dict(trip.service.projects[PROJECT])
    assert COMMITTED in run_as_script(trip.folder, trip.service)
    assert set(trip.service.projects) == {PROJECT}
    assert trip.service.projects[PROJECT] == before


# The ways without Jovian


@pytest.fixture(scope='module')
def repository(tmp_path_factory):
    """The project as a Git repository, as a Git host would hold it."""
    if not shutil.which('git'):
        pytest.skip('Git is not installed.')
    folder = copy_project(tmp_path_factory.mktemp('host') / 'project')
    git = ['git', '-c', 'user.name=A', '-c', 'user.email=a@example.org']
    for command in (['init', '-q'], ['add', '.'], ['commit', '-q', '-m', 'All']):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_colab_runs_a_single_notebook_after_the_line_that_the_page_gives(
    repository, tmp_path
):
    (line,) = re.findall(
        r'^%pip install (git\+https://\S+)$',
        '\n'.join(cell.source for cell in Notebook(PATH).cells),
        re.M,
    )
    source = line.replace('https://HOST/OWNER/REPO', repository.as_uri())
    python = new_environment(tmp_path / 'venv', source)
    (tmp_path / 'alone').mkdir()
    alone = shutil.copy(PATH, tmp_path / 'alone')
    (found,) = run_elsewhere(python, alone)
    assert tmp_path / 'venv' in found.parents


def test_binder_finds_its_environment_and_the_notebook_that_the_address_opens():
    prose = '\n'.join(cell.source for cell in Notebook(PATH).cells)
    parts = re.search(r'`(https://mybinder\.org/\S+)`.*`(\S+)`.*`(\S+)`', prose)
    address = ''.join(parts.groups())
    assert re.fullmatch(r'https://mybinder\.org/v2/gh/\w+/\w+/HEAD\?\S+', address)
    assert (ROOT / address.partition('?labpath=')[2]).is_file()
    assert (ROOT / 'environment.yml').is_file()  # test_environment.py reads it


def test_an_html_page_holds_the_figures_and_their_descriptions(tmp_path):
    prose = '\n'.join(cell.source for cell in Notebook(PATH).cells)
    (path,) = re.findall('^jupyter nbconvert --to html (.*)$', prose, re.M)
    subprocess.run(
        [BIN / 'jupyter', 'nbconvert', '--to', 'html', ROOT / path]
        + ['--output-dir', tmp_path],
        env=environment(tmp_path / 'home'),
        check=True,
        capture_output=True,
        timeout=60,
    )
    html = (tmp_path / Path(path).name).with_suffix('.html').read_text('utf-8')
    pictures = re.findall('<img [^>]*src="data:image/png[^>]*>', html)
    assert len(pictures) == 2
    assert all(re.search('alt="[^"]{40,}"', picture) for picture in pictures)
