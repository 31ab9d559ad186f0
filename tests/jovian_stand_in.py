"""A stand-in for the Jovian service on this machine, as far as the SDK uses it."""

import contextlib
import json
import re
import time

from pytest_httpserver import HTTPServer
from werkzeug import Response

KEY = 'k3y-0f-a-test-c0ffee'
USER = 'tester'


@contextlib.contextmanager
def stand_in():
    """A `Jovian` that serves as long as the block runs."""
    with HTTPServer('127.0.0.1', 0, threaded=True) as server:
        service = Jovian(server.url_for('').rstrip('/'))
        server.expect_request(re.compile('')).respond_with_handler(service.answer)
        yield service


def answer(status=200, **data):
    error = {} if data else {'errors': [{'message': 'This does not work.'}]}
    return Response(json.dumps({'data': data} | error), status)


class Jovian:
    """The service, with one project at most.

    Attributes:
        instead: the beginning of a path: a function that answers there.
        attach, page: turn the bytes of an attachment, or of the notebook, into those
            that are kept, or into the `Response` that says why not.
        files: path: bytes, of the project `title`.
        requests, forms: what was received.
    """

    def __init__(self, url):
        self.url, self.instead, self.attach, self.page = url, {}, bytes, bytes
        self.title, self.files, self.requests, self.forms = None, {}, [], []

    def silence(self):
        time.sleep(3)  # longer than anybody waits in these tests
        return answer(503)

    def log_in(self, home, key=KEY):
        """Make `home` the home of somebody who uses this service."""
        path = home / '.jovian' / 'credentials.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = {'API_URL': self.url, 'WEBAPP_URL': self.url, 'API_KEY': key}
        path.write_text(json.dumps({k: v for k, v in stored.items() if v}))
        return path

    def answer(self, request):
        self.requests.append(request)
        for start, function in self.instead.items():
            if request.path.startswith(start):
                return function()
        key = request.headers.get('Authorization')
        private = request.method == 'POST' or request.path == '/user/profile'
        if key != f'Bearer {KEY}' and (key or private):
            return answer(401)
        match request.path.strip('/').split('/'):
            case ['user', 'profile']:
                return answer(username=USER)
            case ['gist', _, 'check-access']:
                return answer(write=True)
            case ['raw', *path]:
                return Response(self.files['/'.join(path)])
            case ['user', _, 'gist', title] if title == self.title:
                return self.project()
            case ['gist', 'create']:
                self.title = request.form['title']
                return self.keep(request, self.page)
            case ['gist', 'slug', 'upload']:
                attached = 'gist_version' in request.args
                return self.keep(request, self.attach if attached else self.page)
        return answer(404)

    def keep(self, request, change):
        sent = request.files['files']
        self.forms.append(request.form)
        content = change(sent.read())
        if isinstance(content, Response):
            return content
        folder = request.form.get('folder', '')
        self.files[f'{folder}/{sent.filename}'.lstrip('/')] = content
        return self.project()

    def project(self):
        listed = []
        for path in self.files:
            folder, _, filename = path.rpartition('/')
            place = {'folder': folder or None, 'filename': filename}
            listed.append(
                place | {'artifact': False, 'rawUrl': f'{self.url}/raw/{path}'}
            )
        owner = {'username': USER}
        return answer(
            slug='slug', title=self.title, version=1, owner=owner, files=listed
        )
