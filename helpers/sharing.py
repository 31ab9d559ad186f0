"""Upload the series to Jovian with care, or say in one sentence why not.

The SDK (jovian 0.2.47) waits for ever for a silent server, deletes a refused key and
asks for another, and calls an upload successful that lost files. `uploading` checks
before and limits it, `missing` compares after it. No sentence from here holds the key.
"""

import contextlib
import functools
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
CLONE_NEEDS = [
    'notebooks/[0-9][0-9]-*.ipynb',
    'notebooks/*.py',
    'helpers/[!.]*.*',
    'exercises/*.py',
    'environment.yml',
    'requirements.txt',
    'pyproject.toml',
    'README.md',
    'LICENSE',  # a copy carries its licence
]
API_URL = 'https://api.jovian.com'  # the SDK's, where the credentials name no other
CREDENTIALS = '.jovian/credentials.json'  # in the home folder, written by the SDK
SECONDS = 10  # the longest wait for each answer


class NotShared(Exception):
    """Why nothing was uploaded, or what went wrong meanwhile: one sentence."""


def series_files():
    """All that a clone needs to run, as paths relative to the folder of `helpers`."""
    found = [path for pattern in CLONE_NEEDS for path in sorted(ROOT.glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in found]


@contextlib.contextmanager
def uploading(upload, notebook):
    """Guard a `jovian.commit`, in a copy of the series as its working directory.

    `notebook` lies there a second time, at the top: the SDK sends its path as a file
    name, and with a folder in it a clone would hang on what the server makes of that.

    Args:
        upload: whether to, if somebody is here. An unattended run takes the
            environment variable JOVIAN_COMMIT=1.
        notebook: the file name of the notebook that becomes the project's page.

    Yields:
        The paths to upload: the notebook, then `series_files()`.

    Raises:
        NotShared: also in place of every error inside the block.
    """
    if problem := _problem(upload):
        raise NotShared(f'nothing was uploaded, because {problem}.')
    files = series_files()
    try:
        import jovian.utils.request as sdk
        import requests

        patient = functools.partialmethod(requests.Session.request, timeout=SECONDS)
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            mock.patch.object(requests.Session, 'request', patient),
            mock.patch.object(sdk, 'purge_api_key', side_effect=PermissionError),
        ):
            for path in map(Path, files):
                path.parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / path, path)
            shutil.copy(Path('notebooks', notebook), notebook)
            yield [notebook, *files]
    except NotShared:
        raise
    except ImportError:
        raise NotShared(
            'nothing was uploaded, because jovian cannot be imported; '
            'pip install jovian "setuptools<80.9" mends that.'
        ) from None
    except Exception as error:
        raise NotShared(f'the upload broke off: {type(error).__name__}.') from None


def missing(link, files):
    """Those of `files` that a clone would lack or get changed, inside `uploading`.

    `link` is what `jovian.commit` returned, .../user/title. Raises `NotShared` if there
    is none, or if the service does not list its files.
    """
    if not link:
        raise NotShared('nothing was uploaded; jovian says above why.')
    user, title = link.split('/')[-2:]
    key, api = _credentials()
    try:
        listed = json.loads(_get(f'{api}/user/{user}/gist/{title}', key))['data']
        urls = {
            Path(f['folder'] or '', f['filename']): f['rawUrl'] for f in listed['files']
        }
    except Exception:
        raise NotShared('uploaded, but the list of files cannot be read.') from None
    return [path for path in files if not _arrived(Path(path), urls)]


def _arrived(path, urls):
    content = json.loads if path.suffix == '.ipynb' else bytes  # JSON may be rewritten
    try:
        return content(path.read_bytes()) == content(_get(urls[path]))
    except Exception:
        return False


def _problem(upload):
    """Why an upload is not wanted or would fail: the end of a sentence, or None."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), 'kernel', None)  # none in a script
    attended = 'CI' not in os.environ and getattr(kernel, '_allow_stdin', False)
    forced = os.environ.get('JOVIAN_COMMIT') == '1'
    if not (upload or forced):
        return 'upload is False'
    if not (attended or forced):
        return 'nobody is here to decide, and JOVIAN_COMMIT is not 1'
    if absent := [need for need in CLONE_NEEDS if not any(ROOT.glob(need))]:
        return f'{absent[0]} is not beside the folder helpers/'
    try:
        key, api = _credentials()
    except ValueError:
        return f'~/{CREDENTIALS} is damaged'
    if not (key or attended):  # somebody who is here is asked by the SDK
        return f'there is no API key in ~/{CREDENTIALS}'
    try:
        json.loads(_get(f'{api}/user/profile', key))
    except urllib.error.HTTPError as error:
        if error.code != 401:
            return f'the service answers with the error {error.code}'
        return 'the service refuses the key' if key else None
    except OSError:
        return 'the service does not answer (is there a network?)'
    except Exception:
        return 'the service gives no sensible answer'


def _credentials():
    """The stored key, or None, and the address of the service."""
    path = Path.home() / CREDENTIALS
    stored = json.loads(path.read_bytes()) if path.exists() else {}
    return stored.get('API_KEY'), stored.get('API_URL', API_URL)


def _get(url, key=None):
    request = urllib.request.Request(url)
    if key:  # not passed on to wherever the answer redirects
        request.add_unredirected_header('Authorization', f'Bearer {key}')
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return answer.read()
