"""The notebooks in JupyterLab and in Notebook 7, as people open, run and answer them.

`make lab` serves a copy of the series on the loopback address, with its token; headless
Chromium opens it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from compare import cell_differences
from jupyter_server.serverapp import list_running_servers
from nbformat.sign import NotebookNotary
from series import ROOT, printed

pytestmark = pytest.mark.slow

SECONDS = 120
SETTINGS = """
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.LabApp.check_for_updates_class = 'jupyterlab.NeverCheckForUpdate'
c.LabApp.expose_app_in_browser = True
c.JupyterNotebookApp.expose_app_in_browser = True
"""
# The notebook that is open in the window, in JupyterLab as in Notebook 7.
OPEN = 'window.jupyterapp?.shell?.currentWidget?'
LOADED = f'{OPEN}.content?.model?.cells.length === '
KERNEL = f'{OPEN}.sessionContext?.session?.kernel?'
IDLE = f"{KERNEL}.status === 'idle'"
# What asks for an answer before anybody did a thing, such as JupyterLab about news.
ASKED = "[...document.querySelectorAll('.jp-Dialog, .Toastify__toast')]"


@pytest.fixture(scope='module')
def server(browser, tmp_path_factory):
    """`make lab` in a folder of its own, so that nothing of the reader's is touched."""
    if not shutil.which('make'):
        pytest.skip('make is missing, which starts JupyterLab here.')
    folder = tmp_path_factory.mktemp('jupyter')
    for name in ('notebooks', 'tools/lab'):
        shutil.copytree(ROOT / name, folder / 'work' / name)
    shutil.copy(ROOT / 'Makefile', folder / 'work')
    (folder / 'config').mkdir()
    (folder / 'config' / 'jupyter_server_config.py').write_text(SETTINGS)
    mine = ('JUPYTER', 'IPYTHON', 'MAKE', 'MFLAGS', 'PYTEST')
    env = {key: os.environ[key] for key in os.environ if not key.startswith(mine)}
    env |= {'HOME': str(folder), 'JUPYTER_CONFIG_DIR': str(folder / 'config')}
    env |= {'JUPYTER_DATA_DIR': str(folder / 'data')}
    process = subprocess.Popen(
        # The environment that runs this test; READY= leaves it as it is.
        ['make', 'lab', f'VENV={sys.prefix}', 'READY='],
        cwd=folder / 'work',
        env=env,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + SECONDS
        while not (running := [*list_running_servers(folder / 'data' / 'runtime')]):
            assert process.poll() is None, '`make lab` did not start.'
            assert time.monotonic() < end, '`make lab` takes too long.'
            time.sleep(0.1)
        (told,) = running
        assert told['token'], 'Whoever finds the address can use it.'
        yield told | {'data': str(folder / 'data')}
        os.kill(told['pid'], signal.SIGTERM)  # it stops its kernels, too
        assert process.wait(SECONDS) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture
def page(browser, server):
    page = browser.new_page(viewport={'width': 1280, 'height': 900})
    page.set_default_timeout(1000 * SECONDS)
    page.elsewhere = []
    page.on('request', lambda request: page.elsewhere.append(request.url))
    yield page
    page.evaluate(f'{OPEN}.sessionContext.shutdown()')
    page.close()


@pytest.mark.parametrize('front_end', ['lab', 'notebook'])
def test_the_notebook_runs_and_its_exercises_can_be_answered(
    page, server, notebook, front_end
):
    trusted = notebook.number % 2 == 0  # then explorers run before any cell does
    if trusted:
        NotebookNotary(data_dir=server['data']).sign(notebook.node)
    path = f'notebooks/{notebook.path.name}'
    place = {'lab': f'lab/workspaces/{notebook.number}/tree/', 'notebook': 'notebooks/'}
    page.goto(f'{server["url"]}{place[front_end]}{path}?token={server["token"]}')
    page.wait_for_function(f'{LOADED}{len(notebook.cells)}')
    figures_are_seen(page, notebook, trusted)

    page.wait_for_function(IDLE)
    page.evaluate(f'{KERNEL}.info.then(() => {KERNEL}.spec)')
    assert not page.evaluate(f'{OPEN}.content.model.dirty'), 'It opens as unsaved.'
    ran = page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    for cell, shown in zip(notebook.cells, cells(page), strict=True):
        if cell.cell_type == 'code':
            assert not cell_differences(cell, shown.outputs), cell.source
    assert ran
    figures_are_seen(page, notebook, True)

    for exercise in notebook.exercises():
        number = notebook.cells.index(exercise.opened)
        assert 'Right' not in printed(cells(page)[number + 1])
        shown = answer(page, number, exercise.solution)
        assert shown.startswith('Right'), f'{shown}\n{exercise.solution}'

    assert page.evaluate(f'{ASKED}.map(question => question.innerText)') == []
    here = (server['url'], 'data:', 'blob:')
    other = [url for url in page.elsewhere if not url.startswith(here)]
    assert other == []


def cells(page):
    """The cells in the window, as they would be saved: none has raised an error."""
    saved = page.evaluate(f'JSON.stringify({OPEN}.content.model)')
    found = nbformat.reads(saved, as_version=4).cells
    for output in [output for cell in found for output in cell.get('outputs', [])]:
        assert output.output_type != 'error', output
    return found


def shown_cell(page, number):
    """The element of a cell, scrolled into view: others need not be on the page."""
    page.evaluate(f'{OPEN}.content.scrollToItem({number})')
    node = page.evaluate_handle(f'{OPEN}.content.widgets[{number}].node')
    return node.as_element()


def figures_are_seen(page, notebook, scripts):
    """Each figure is shown whole, and an explorer can be used where scripts run."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get('outputs', []):
            if 'image/png' in output.get('data', {}):
                node = shown_cell(page, number)
                if scripts and '\nexplore(' in cell.source:
                    node.wait_for_selector('.ex')
                    explorer_is_used(page, node)
                    continue
                image = node.wait_for_selector('.jp-OutputArea-output img')
                image.scroll_into_view_if_needed()
                assert image.get_attribute('alt') == output['data']['text/plain']
                assert image.evaluate('image => image.decode().then(() => true)')
                box = image.bounding_box()
                assert box['width'] > 200, box
                assert box['x'] + box['width'] <= page.viewport_size['width'], box


def explorer_is_used(page, node):
    """The mouse and the arrow keys move its slider, and not the notebook's cells."""
    slider, say = node.query_selector('.ex input'), node.query_selector('.ex .say')
    slider.click(position={'x': 60, 'y': 10})
    clicked = float(slider.evaluate('slider => slider.value'))
    cell = page.evaluate(f'{OPEN}.content.activeCellIndex')
    for _ in range(3):
        page.keyboard.press('ArrowUp')
    assert float(slider.evaluate('slider => slider.value')) > clicked
    button = node.query_selector('.ex button + button')
    said = say.inner_text()
    button.click()
    assert 'loss is' in say.inner_text() != said
    node.query_selector('.ex .view').press('ArrowLeft')
    assert page.evaluate(f'{OPEN}.content.activeCellIndex') == cell


def answer(page, number, solution):
    """Type an answer, run its cell and the check below it; what the check says."""
    editor = shown_cell(page, number).wait_for_selector('.cm-content')
    editor.click()
    page.keyboard.press('Control+A')
    page.keyboard.insert_text(solution)
    assert cells(page)[number].source == solution
    count = f'{OPEN}.content.model.cells.get({number + 1}).executionCount'
    before = page.evaluate(count)
    page.keyboard.press('Shift+Enter')
    page.keyboard.press('Shift+Enter')
    page.wait_for_function(f'{count} > {before} && {IDLE}')
    return printed(cells(page)[number + 1])
