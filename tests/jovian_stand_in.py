"""A stand-in for the Jovian service on this machine, as far as the SDK uses it."""

import json
import posixpath

from pytest_httpserver import HTTPServer
from werkzeug import Response

KEY = 'k3y-0f-a-test-c0ffee'
USER = 'tester'


def answer(status=200, **data):
    errors = [{'message': 'This does not work.'}]
    return Response(json.dumps({'data': data, 'errors': errors}), status)


class Jovian(HTTPServer):
    """The service, with one project at most, and the home of somebody who uses it.

    Attributes:
        instead: path: a function that answers there.
        keep: turns a path and the bytes that were sent for it into those that are kept,
            or into the `Response` that says why not.
        files: path: bytes, of the project `title`.
    """

    def __init__(self, home):
        super().__init__('127.0.0.1', threaded=True)
        self.home, self.credentials = home, home / '.jovian' / 'credentials.json'
        self.instead, self.keep = {}, lambda path, content: content
        self.title, self.files = None, {}

    def thread_target(self):
        self.server.serve_forever(poll_interval=0.01)  # and so ends at once

    def log_in(self, key=KEY):
        url = self.url_for('').rstrip('/')
        stored = {'API_URL': url, 'WEBAPP_URL': url, 'API_KEY': key}
        self.credentials.parent.mkdir(parents=True, exist_ok=True)
        self.credentials.write_text(json.dumps({k: v for k, v in stored.items() if v}))

    def dispatch(self, request):
        if request.path in self.instead:
            return self.instead[request.path]()
        match request.path.strip('/').split('/'):
            case ['raw', *path]:
                return Response(self.files['/'.join(path)])
            case _ if request.headers.get('Authorization') != f'Bearer {KEY}':
                return answer(401)
            case ['user', 'profile']:
                return answer(username=USER)
            case ['user', _, 'gist', title] if title == self.title:
                return self.project()
            case ['gist', 'create'] | ['gist', 'slug', 'upload']:
                return self.receive(request.form, request.files['files'])
        return answer(404)

    def receive(self, form, sent):
        self.title = form.get('title', self.title)
        path = posixpath.join(form.get('folder', ''), sent.filename)
        kept = self.keep(path, sent.read())
        if isinstance(kept, Response):
            return kept
        self.files[path] = kept
        return self.project()

    def project(self):
        files = []
        for path in self.files:
            folder, filename = posixpath.split(path)
            place = {'folder': folder or None, 'filename': filename, 'artifact': False}
            files.append(place | {'rawUrl': self.url_for(f'/raw/{path}')})
        about = {'slug': 'slug', 'title': self.title, 'version': 1, 'files': files}
        return answer(**about, owner={'username': USER})
