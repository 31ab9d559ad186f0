"""A stand-in for the Jovian service on the loopback address, as far as the SDK uses it.

    with StandIn() as service:
        ...  # talk to service.url with the key KEY

Nothing is sent anywhere. What it received is in `requests`, `keys` and `projects`.
"""

import json
import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

KEY = 'k3y-0f-a-test-c0ffee'
USER = 'tester'


class StandIn:
    """The service. Its ways of going wrong are attributes, to be set at any time.

    Attributes:
        silent: answer no path that begins with one of these, but keep the connection.
        errors: a dict of the beginning of a path to (status, JSON or text) for it.
        attach: 'ok', 'error' (status 413), 'warning' (status 200 with an error in it,
            nothing kept), 'change' (keeps other letters), 'line' (adds an empty line);
            each for attachments only.
        projects: a dict of title to its files, {(folder, filename): bytes}.
        requests: (method, path) of each request; forms: the fields of each upload.
    """

    def __init__(self):
        self.silent, self.errors, self.attach = (), {}, 'ok'
        self.projects, self.requests, self.forms, self.keys = {}, [], [], set()
        self.closing = threading.Event()
        handler = type('Handler', (_Handler,), {'service': self})
        self.server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=[0.05]).start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def write_credentials(self, home, key=KEY):
        """Make `home` the home of somebody who uses this service."""
        path = Path(home) / '.jovian' / 'credentials.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = {'API_URL': self.url, 'WEBAPP_URL': self.url}
        path.write_text(json.dumps(stored | ({'API_KEY': key} if key else {})))
        return path

    def project(self, title):
        files = [
            {
                'filename': filename,
                'folder': folder or None,
                'artifact': False,
                'rawUrl': f'{self.url}/raw/{title}/{index}',
            }
            for index, (folder, filename) in enumerate(self.projects[title])
        ]
        owner = {'username': USER}
        return {
            'data': {'slug': f'slug-{title}', 'title': title, 'version': 1}
            | {'owner': owner, 'files': files}
        }


class _Handler(BaseHTTPRequestHandler):
    service = None

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(self.post)

    def log_message(self, *message):
        pass

    def answer(self, method):
        path, body = urlsplit(self.path).path, self.read()
        self.service.requests.append((self.command, path))
        if path.startswith(tuple(self.service.silent)):
            self.service.closing.wait(60)
            return
        status, content = 404, {'errors': [{'message': 'There is no such thing.'}]}
        key = self.headers.get('Authorization', '').removeprefix('Bearer ')
        self.service.keys.add(key)
        for start, answer in self.service.errors.items():
            if path.startswith(start):
                status, content = answer
                break
        else:
            if key != KEY and (key or path == '/user/profile' or method == self.post):
                status, content = 401, {'errors': [{'message': 'The key is wrong.'}]}
            elif (found := method(path, body)) is not None:
                status, content = found
        if isinstance(content, dict):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def read(self):
        return self.rfile.read(int(self.headers.get('Content-Length', 0)))

    def get(self, path, body):
        match path.strip('/').split('/'):
            case ['user', 'profile']:
                return 200, {'data': {'username': USER}}
            case ['user', user, 'gist', title] if user == USER:
                if title in self.service.projects:
                    return 200, self.service.project(title)
            case ['gist', _, 'check-access']:
                return 200, {'data': {'write': True}}
            case ['raw', title, index]:
                return 200, list(self.service.projects[title].values())[int(index)]

    def post(self, path, body):
        fields, filename, content = self.form(body)
        self.service.forms.append(fields | {'filename': filename})
        match path.strip('/').split('/'):
            case ['gist', 'create']:
                title = fields['title']
                self.service.projects[title] = {('', filename): content}
            case ['gist', slug, 'upload']:
                title = slug.removeprefix('slug-')
                attached = 'gist_version' in urlsplit(self.path).query
                if attached and self.service.attach == 'error':
                    return 413, {'errors': [{'message': 'This file is too large.'}]}
                if attached and self.service.attach == 'warning':
                    return 200, {'data': {}, 'errors': [{'message': 'Not kept.'}]}
                if attached and self.service.attach == 'change':
                    content = content.swapcase()
                if attached and self.service.attach == 'line':
                    content += b'\n'
                place = fields.get('folder', ''), filename
                self.service.projects[title][place] = content
            case _:
                return None
        return 200, self.service.project(title)

    def form(self, body):
        """The text fields, and the name and the bytes of the one file."""
        head = f'Content-Type: {self.headers["Content-Type"]}\r\n\r\n'.encode()
        fields, filename, content = {}, None, None
        for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
            name = part.get_param('name', header='content-disposition')
            if part.get_filename() is None:
                fields[name] = part.get_payload(decode=True).decode()
            else:
                filename, content = part.get_filename(), part.get_payload(decode=True)
        return fields, filename, content
