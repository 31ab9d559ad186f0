"""Nothing secret lies in the project."""

import re
import subprocess

import pytest
from series import ROOT

KEY_NAMES = re.compile(
    r'credentials|\.jovianrc|\.netrc|\.env$|\.pem$|\.key$|id_(rsa|ed\d+)'
)
KEY_TEXTS = re.compile(
    r'-----BEGIN [A-Z ]*PRIVATE KEY|\b(ghp|gho|github_pat|pypi|sk|hf)[-_]\w{20,}'
    r'|(api_?key|token|secret|password)["\']?\s*[:=]\s*["\']?[A-Za-z0-9+/_-]{20,}',
    re.IGNORECASE,
)


def looks_like_a_key(path, text):
    return bool(KEY_NAMES.search(path) or KEY_TEXTS.search(text))


def test_no_file_looks_like_a_key():
    listed = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip('This is no git clone: nobody can say what would be committed.')
    paths = [ROOT / path for path in listed.stdout.splitlines()]
    for path in filter(lambda path: path.is_file(), paths):
        text = path.read_bytes().decode('utf-8', errors='replace')
        name = path.relative_to(ROOT).as_posix()
        assert not looks_like_a_key(name, text), f'{name} looks like a key.'


@pytest.mark.parametrize(
    ('path', 'text', 'secret'),
    [
        ('home/.jovian/credentials.json', '{}', True),
        ('.env', '', True),
        ('notes.txt', 'API_KEY = ' + 'letters' * 4, True),
        ('notes.txt', '-----BEGIN ' + 'OPENSSH PRIVATE KEY-----', True),
        ('environment.yml', 'jovian ==0.2.47', False),
        ('helpers/sharing.py', 'headers = {"Authorization": f"Bearer {key}"}', False),
    ],
)
def test_what_looks_like_a_key(path, text, secret):
    assert looks_like_a_key(path, text) is secret
