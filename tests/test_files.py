"""Nothing secret lies in the project."""

import re
import subprocess

import pytest
from series import ROOT

KEY_NAMES = re.compile(r'credentials|\.(jovian|net)rc|\.(env|pem|key)$|id_(rsa|ed\d+)')
KEY_TEXTS = re.compile(
    r'-----BEGIN [A-Z ]*PRIVATE KEY|\b(ghp|gho|github_pat|pypi|sk|hf)[-_]\w{20,}'
    r'|(api_?key|token|secret|password)["\']?\s*[:=]\s*["\']?[A-Za-z0-9+/_-]{20,}',
    re.IGNORECASE,
)


def looks_like_a_key(path, text):
    return bool(KEY_NAMES.search(path) or KEY_TEXTS.search(text))


def test_no_file_looks_like_a_key():
    command = ['git', 'ls-files', '--cached', '--others', '--exclude-standard']
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip('This is no git clone: nobody can say what would be committed.')
    for name in listed.stdout.splitlines():
        path = ROOT / name
        text = path.read_text('utf-8', errors='replace') if path.is_file() else ''
        assert not looks_like_a_key(name, text), f'{name} looks like a key.'


@pytest.mark.parametrize(
    ('path', 'text', 'secret'),
    [
        ('home/.jovian/credentials.json', '', True),
        ('notes.txt', 'API_KEY = ' + 'letters' * 4, True),
        ('notes.txt', '-----BEGIN ' + 'OPENSSH PRIVATE KEY-----', True),
        ('helpers/sharing.py', 'headers = {"Authorization": f"Bearer {key}"}', False),
    ],
)
def test_what_looks_like_a_key(path, text, secret):
    assert looks_like_a_key(path, text) is secret
