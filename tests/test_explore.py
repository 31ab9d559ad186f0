"""The explorers: their numbers are PyTorch's, and every hand and eye can use them.

They are tried as they stand in the outputs of the notebooks, in a page of their own, on
the site, and in JupyterLab.
"""

import itertools
import re

import pytest
import torch
from series import Notebook, paths

from helpers import explore, plots

X, Y = [67, 88, 134, 43, 96], [56, 81, 119, 22, 103]
RATE = {
    'title': 'Gradient descent',
    'names': ['Kanto', 'Johto', 'Hoenn', 'Sinnoh', 'Unova'],
    'x': X,
    'y': Y,
    'xname': 'rain (mm)',
    'yname': 'apples (tons)',
    'start': [2.76, 1.93],
    'rate': 1e-5,
    'goals': [(500, 10), (81, 10)],
}
LINE = {
    'title': 'The loss over w11',
    'names': RATE['names'],
    'label': 'w11',
    'unit': 'tons per °F',
    'factor': [73, 91, 87, 102, 69],
    'rest': [193, 254, 380, 126, 277],
    'targets': Y,
    'fixed': 180_000,
    'count': 10,
    'start': 0.96,
    'low': -5,
    'high': 2,
    'rate': 1e-5,
    'xname': '',
    'yname': 'apples (tons)',
}
DATA = {'line': LINE, 'rate': RATE, 'momentum': RATE}
ALT = 'A picture that stands where no script runs.'


def output(kind, **changes):
    ax = plots.loss_curves({'one': [2, 1]})
    explorer = explore.explore(kind, ax, ALT, **DATA[kind] | changes)
    return explorer._repr_mimebundle_()


def recorded():
    """The outputs with an explorer, as they are committed."""
    for path in paths():
        for cell in Notebook(path).code:
            for one in cell.outputs:
                html = one.get('data', {}).get('text/html', '')
                if 'class="explorer"' in html:
                    yield path, html


# Without a browser


def test_the_picture_stands_beneath_the_script():
    bundle = output('line', title="Kanto's <line> & more")
    assert bundle['text/plain'] == ALT
    html = bundle['text/html']
    assert f'base64,{bundle["image/png"]}" alt="{ALT}"' in html
    assert 'Kanto&#39;s &lt;line> &amp; more' in html
    assert html.count('<script') == html.count('</script>') == 1
    assert output('line') == output('line')


def test_the_script_loses_nothing_but_its_comments():
    text = explore.SCRIPT.read_text(encoding='utf-8')
    assert len(explore.script()) < 25_000
    assert '</script' not in text
    assert not re.search(r'https?:|fetch|import\s|Storage|XMLHttp|eval', text)


@pytest.mark.parametrize(
    ('kind', 'changes', 'words'),
    [
        ('line', {'slope': 1}, "look at \\['slope'\\]"),
        ('rate', {'rate': float('nan')}, 'finite'),
        ('rate', {'x': [1, float('inf')]}, 'finite'),
    ],
)
def test_wrong_data_are_refused(kind, changes, words):
    with pytest.raises(ValueError, match=words):
        output(kind, **changes)


def test_every_recorded_explorer_holds_the_script_as_it_is():
    found = list(recorded())
    assert {path.name[:2] for path, _ in found} >= {'04', '05'}
    for path, html in found:
        now = f'<script>{explore.script()}</script>'
        assert now in html, f'{path.name}: run `make record`.'


# In a browser, from a file


PAGE = """<!doctype html><html lang="en"{} style="color-scheme: light dark">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Explorer</title><style>body {{margin: 8px}}
@media (prefers-color-scheme: dark) {{ body {{background: #131416}} }}</style>
<main><h1>Explorer</h1>{}</main></html>"""


class Window:
    """A page with one explorer, offline, and what went wrong in it."""

    def __init__(self, browser, path, **settings):
        settings = {'viewport': {'width': 1280, 'height': 900}} | settings
        settings = {'reduced_motion': 'reduce', 'offline': True} | settings
        self.path, self.wrong = path, []
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.page.on('pageerror', lambda error: self.wrong.append(str(error)))
        self.page.on('request', self._note)
        self.go()

    def _note(self, request):
        if not request.url.startswith(('file:', 'data:')):
            self.wrong.append(request.url)

    def go(self, address=''):
        self.page.goto('about:blank')
        self.page.goto(self.path.as_uri() + address)
        self.page.wait_for_function("document.querySelector('.explorer').explorer")

    def state(self, go=None, **wanted):
        """The state, after one weight went to a value, or a line through its steps."""
        return self.page.evaluate(
            """([go, wanted]) => {
                const { explorer } = document.querySelector('.explorer');
                if (go !== null) explorer.go(go);
                if (Object.keys(wanted).length) explorer.set(wanted);
                return explorer.state();
            }""",
            [go, wanted],
        )

    def says(self):
        return self.page.locator('.ex .say').inner_text()

    def task(self):
        return self.page.locator('.task').inner_text()

    def button(self, name):
        return self.page.get_by_role('button', name=name)

    def view(self, name):
        return self.page.locator(f'[aria-label^="{name}"]')


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens an explorer; nothing may have gone wrong at the end."""
    windows = []

    def open_it(kind, site=False, **settings):
        html = output(kind)['text/html']
        path = tmp_path / f'{kind}.html'
        of_the_site = ' data-content_root="./"' if site else ''
        path.write_text(PAGE.format(of_the_site, html), encoding='utf-8')
        windows.append(Window(browser, path, **settings))
        return windows[-1]

    yield open_it
    for window in windows:
        assert window.wrong == []
        window.context.close()


def table(scaled):
    x = torch.tensor(X, dtype=torch.float64)
    x = (x - x.mean()) / x.std(unbiased=False) if scaled else x
    return torch.stack([x, torch.ones_like(x)], dim=1), torch.tensor(Y).double()


def trained(scaled, lr, steps, start, beta):
    """The same by PyTorch: its autograd and its optimizer, in float64."""
    inputs, targets = table(scaled)
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    losses = []
    optimizer = None
    for rate, momentum, count in zip(lr, beta, steps, strict=True):
        if optimizer is None:
            optimizer = torch.optim.SGD([p], lr=rate, momentum=momentum)
        optimizer.param_groups[0].update(lr=rate, momentum=momentum)
        for _ in range(count):
            loss = ((inputs @ p - targets) ** 2).mean()
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    losses.append(((inputs @ p - targets) ** 2).mean().item())
    return p.tolist(), losses


RUNS = [
    dict(zip(('scaled', 'lr', 'steps', 'start', 'beta'), run, strict=True))
    for run in [
        *itertools.product(
            [False],
            [[1e-6], [1e-5], [1.1e-4], [1.3e-4]],
            [[1], [40]],
            [[2.76, 1.93], [0, -30]],
            [[0]],
        ),
        *itertools.product(
            [True], [[0.01], [0.5], [0.9], [1.1]], [[12]], [[10, 100]], [[0]]
        ),
        *itertools.product(
            [False], [[1e-5], [1.5e-4]], [[200]], [[2, 0]], [[0.5], [0.9]]
        ),
        (True, [0.3], [60], [-10, 120], [0.8]),
        (False, [1e-5, 1e-4, 2e-5], [5, 20, 7], [2, 5], [0, 0, 0]),
        (False, [1e-5, 1e-4], [9, 30], [2, 5], [0.9, 0.5]),
    ]
]


def test_the_numbers_are_those_of_pytorch(opened):
    window = opened('momentum')
    for run in RUNS:
        p, losses = trained(**run)
        found = window.state(**run)
        assert found['p'] == pytest.approx(p, rel=1e-6), run
        assert found['losses'] == pytest.approx(losses, rel=1e-6), run
        assert found['steps'] == sum(run['steps'])


@pytest.mark.parametrize('scaled', [False, True])
def test_limit_and_optimum_are_those_of_pytorch(opened, scaled):
    inputs, targets = table(scaled)
    curvature = 2 * inputs.t() @ inputs / len(X)
    flat, steep = torch.linalg.eigvalsh(curvature).tolist()
    best = torch.linalg.lstsq(inputs, targets[:, None]).solution[:, 0]
    lowest = ((inputs @ best - targets) ** 2).mean().item()
    found = opened('rate').state(scaled=scaled)
    assert [found['flat'], found['steep']] == pytest.approx([flat, steep], rel=1e-6)
    assert found['limit'] == pytest.approx(2 / steep, rel=1e-6)
    assert found['best'] == pytest.approx(best.tolist(), rel=1e-6)
    assert found['lowest'] == pytest.approx(lowest, rel=1e-6)


def test_past_the_limit_it_explodes_and_says_so(opened):
    window = opened('rate')
    limit = window.state()['limit']
    assert window.state(lr=0.99 * limit, steps=2000)['loss'] < 1000
    assert 'explodes' not in window.says()
    assert window.state(lr=1.01 * limit, steps=2000)['loss'] > 1e6
    assert 'It explodes' in window.says()


@pytest.mark.parametrize('value', [0.96, -3, 1.5])
def test_one_weight_has_the_loss_and_slope_of_pytorch(opened, value):
    v = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    factor, rest, targets = (
        torch.tensor(LINE[name]).double() for name in ('factor', 'rest', 'targets')
    )
    loss = (((rest + v * factor - targets) ** 2).sum() + LINE['fixed']) / LINE['count']
    loss.backward()
    window = opened('line')
    found = window.state(go=value)
    assert found['loss'] == pytest.approx(loss.item(), rel=1e-6)
    assert found['slope'] == pytest.approx(v.grad.item(), rel=1e-6)
    best = ((targets - rest) @ factor / (factor @ factor)).item()
    assert found['best'] == pytest.approx(best, rel=1e-6)
    number = f'{found["loss"]:,.1f}'
    assert f'the loss is {number} and its slope' in window.says()
    window.button('Step').click()
    stepped = window.state()['value']
    assert stepped == pytest.approx(max(-5, value - 1e-5 * v.grad.item()), rel=1e-6)


def test_squares_are_square_and_touch_target_and_prediction(opened):
    window = opened('line')
    squares = window.page.locator('.view').first.locator('rect').all()
    assert len(squares) == 5
    for square in squares:
        size = [float(square.get_attribute(side)) for side in ('width', 'height')]
        assert size[0] == size[1] > 20


def test_a_task_is_met_and_the_next_one_asked(opened):
    window = opened('rate')
    assert 'below 500 in 10 steps' in window.task()
    for _ in range(10):
        window.button('Step').click()
    assert 'Met' not in window.says()
    window.state(lr=2e-5, steps=10)
    assert 'below 81 in 10 steps' in window.task()
    window.state(scaled=True, lr=0.5, steps=1)
    assert 'Met: ' in window.says()
    assert window.task() == 'Every task is met.'
    fair = opened('rate')
    fair.state(start=[1.09, -17], steps=1)
    assert 'below 500' in fair.task()


def test_everything_is_reached_and_moved_by_keyboard(opened):
    window = opened('momentum')
    page, state = window.page, window.state
    names, focused = [], 'document.activeElement'
    name = f"{focused}.ariaLabel || ({focused}.closest('label') || {focused}).innerText"
    for _ in range(20):
        page.keyboard.press('Tab')
        names.append(page.evaluate(name))
        if names[-1].startswith('Error left'):
            break
    assert names == [
        'Map of the loss: choose a start',
        'learning rate',
        'momentum β',
        'Run 200',
        'Step',
        'Reset',
        'standardise rain',
        'The regions and the line',
        'The loss, step by step',
        'Error left in each direction',
    ]
    window.view('Map').focus()
    before = state()['p']
    for key in ('ArrowLeft', 'ArrowUp'):
        page.keyboard.press(key)
    after = state()['p']
    assert after[0] < before[0]
    assert after[1] > before[1]
    rate = state()['rate']
    page.get_by_label('learning rate').press('ArrowRight')
    assert state()['rate'] > rate
    page.get_by_label('momentum').press('ArrowRight')
    assert state()['beta'] == 0.01
    window.button('Step').press('Enter')
    assert state()['steps'] == 1
    window.button('Run').press('Enter')
    assert state()['steps'] == 201
    page.get_by_label('learning rate').press('ArrowLeft')
    window.button('Step').press('Space')
    assert state()['steps'] == 202  # another rate, from where it stood
    curve = window.view('The loss, step')
    curve.focus()
    curve.press('Home')
    curve.press('ArrowRight')
    text = curve.get_attribute('aria-valuetext')
    assert text == f'step 1: loss {state()["losses"][1]:,.1f}'
    assert text in curve.inner_text()
    page.get_by_label('standardise').press('Space')
    assert state()['limit'] == pytest.approx(1, rel=0.02)
    window.button('Reset').press('Enter')
    assert state()['steps'] == 0


def test_keys_do_not_leave_the_explorer(opened):
    window = opened('rate')
    page = window.page
    page.evaluate(
        "for (const kind of ['keydown', 'keyup']) document.addEventListener(kind, "
        '(event) => (window.left ??= []).push(event.key))'
    )
    page.get_by_label('learning rate').press('ArrowRight')
    window.view('Map').press('ArrowDown')
    window.button('Step').press('Enter')
    assert page.evaluate('window.left ?? []') == []
    page.keyboard.press('Escape')
    assert page.evaluate('window.left') == ['Escape'] * 2


def test_the_mouse_chooses_a_start_and_reads_values(opened):
    window = opened('rate')
    plot = window.view('Map').locator('svg').first
    box = plot.bounding_box()
    plot.click(position={'x': box['width'] / 2, 'y': box['height'] / 2})
    s, h = window.state()['p']
    assert (s, h) != (2.76, 1.93)
    regions = window.view('The regions')
    regions.locator('circle').first.hover(force=True)
    assert 'Kanto: rain 67' in regions.inner_text()


def test_it_moves_only_where_motion_is_wanted(opened):
    still = opened('rate')
    still.button('Run').click()
    assert still.state()['steps'] == 40
    moving = opened('rate', reduced_motion='no-preference')
    moving.button('Run').click()
    assert moving.state()['steps'] < 40
    assert 'Step 0' in moving.says()  # said once, at the end
    moving.page.get_by_label('learning rate').press('ArrowRight')
    moving.page.wait_for_function(
        "document.querySelector('.explorer').explorer.state().steps === 40"
    )
    moving.page.wait_for_function(
        "document.querySelector('.say').innerText.includes('Step 40')"
    )
    moving.button('Reset').click()
    moving.button('Run').click()
    moving.button('Pause').click()
    assert f'Step {moving.state()["steps"]}:' in moving.says()


def test_on_the_site_the_state_stands_in_the_address(opened):
    window = opened('rate', site=True)
    assert window.page.url.endswith('.html')
    window.page.get_by_label('learning rate').press('ArrowRight')
    window.button('Run').click()
    window.page.wait_for_url('**steps=40')
    address = window.page.url.partition('#')[2]
    assert re.fullmatch(r'lr=1\.0?[0-9]?e-5&steps=40|lr=1e-5&steps=40', address), (
        address
    )
    losses = window.state()['losses']
    window.go(f'#{address}')
    assert window.state()['losses'] == losses
    window.go('#lr=1e-5,1e-4&steps=5,3&start=2,-10&scaled=1')
    assert window.state()['steps'] == 8
    elsewhere = opened('rate')
    elsewhere.button('Step').click()
    elsewhere.page.wait_for_timeout(300)
    assert '#' not in elsewhere.page.url


def views():
    """Each kind in every way; `make test` shows what differs most."""
    for kind, width, scheme in itertools.product(DATA, [1280, 390], ['light', 'dark']):
        shown = (width == 390) == (scheme == 'dark')
        yield pytest.param(kind, width, scheme, marks=[] if shown else pytest.mark.slow)


@pytest.mark.parametrize(('kind', 'width', 'scheme'), [*views()])
def test_everyone_can_use_it(opened, kind, width, scheme):
    script = pytest.importorskip('axe_playwright_python.base').AXE_SCRIPT
    viewport = {'width': width, 'height': 844}
    page = opened(kind, viewport=viewport, color_scheme=scheme).page
    page.wait_for_timeout(100)
    page.evaluate(script)
    found = page.evaluate('axe.run()')['violations']
    assert [
        (rule['id'], node['html']) for rule in found for node in rule['nodes']
    ] == []
    assert page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    assert min(contrasts(page, scheme)) >= 3
    assert not page.locator('img').is_visible()
    for control in page.locator('.ex button, .ex input, .ex .view').all():
        box = control.bounding_box()
        assert min(box['width'], box['height']) >= 24, box
    if kind != 'line':
        tops = [
            page.locator(f'.ex {one}').first.bounding_box()['y']
            for one in ('[aria-label^=Map]', 'input', 'button', '.say')
        ]
        assert tops == sorted(tops)


def contrasts(page, scheme):
    """How far each colour of the marks stands out from the ground, as WCAG measures."""
    marks = "[...document.querySelectorAll('.right polyline, .right circle')]"
    colours = page.evaluate(f'{marks}.map(mark => getComputedStyle(mark).stroke)')
    ground = {'light': [1, 1, 1], 'dark': [19 / 255, 20 / 255, 22 / 255]}[scheme]
    for colour in {colour for colour in colours if 'srgb' in colour}:
        mark = map(float, re.findall(r'\d\.?\d*', colour))
        lower, higher = sorted(map(luminance, [ground, mark]))
        yield (higher + 0.05) / (lower + 0.05)


def luminance(colour):
    linear = [v / 12.92 if v <= 0.04 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_script_that_fails_leaves_the_picture(browser, tmp_path):
    html = output('rate')['text/html'].replace('"start": [2.76, 1.93]', '"start": null')
    path = tmp_path / 'broken.html'
    path.write_text(PAGE.format('', html), encoding='utf-8')
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.locator('img').is_visible()
    assert page.locator('.ex').count() == 0
