"""Fixtures that several tests share."""

import functools
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from paper import NO_CHROMIUM, launch
from series import ROOT, Notebook, paths

WINDOWS = {
    'desktop': {'viewport': {'width': 1280, 'height': 844}},
    'phone': {'viewport': {'width': 390, 'height': 844}, 'has_touch': True},
}
pytest.register_assert_rewrite('oracles')  # they say which values they compared
pytest_plugins = ['one_run']


@pytest.fixture(scope='session')
def series():
    """All notebooks, in order."""
    return [Notebook(path) for path in paths()]


@pytest.fixture(scope='module', params=paths(), ids=lambda path: path.stem)
def notebook(request):
    """Each notebook in turn."""
    return Notebook(request.param)


@pytest.fixture
def write(tmp_path):
    """A function that writes a notebook of code cells into an empty folder."""

    def write_notebook(*cells, name='01-a.ipynb'):
        node = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        nbformat.write(node, tmp_path / name)
        return tmp_path / name

    return write_notebook


@pytest.fixture(scope='session')
def another_pytest():
    """A function that runs pytest as a reader would, and returns how it ended."""

    def run(*arguments, cwd=ROOT, **variables):
        unwanted = ('PYTEST', 'ROUNDING')
        env = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        anew = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider']
        options = {'cwd': cwd, 'env': env | variables, 'text': True}
        return subprocess.run([*anew, *arguments], capture_output=True, **options)

    return run


@pytest.fixture(scope='module')
def browser():
    """Headless Chromium. Its loop must end with the module: nbval runs loops too."""
    api = pytest.importorskip('playwright.sync_api', reason='playwright is missing.')
    with api.sync_playwright() as playwright:
        chromium = launch(playwright)
        if not chromium:
            assert not os.environ.get('CI'), NO_CHROMIUM
            pytest.skip(NO_CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope='module')
def opened(browser):
    """A function that opens a page without a network, and notes what goes wrong."""

    @functools.cache
    def window(size, scheme, motion):
        settings = {'color_scheme': scheme, 'reduced_motion': motion, 'offline': True}
        page = browser.new_page(**WINDOWS[size], **settings)
        page.wrong = []
        page.on('pageerror', lambda error: page.wrong.append(str(error)))
        page.on('requestfailed', lambda request: page.wrong.append(request.url))
        return page

    def open_it(address, size='desktop', scheme='light', motion='no-preference'):
        page = window(size, scheme, motion)
        page.goto('about:blank')  # so that another state of a page opens it anew
        page.goto(address)
        return page

    return open_it
