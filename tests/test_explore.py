"""The explorers: their numbers are PyTorch's, and every hand can use them.

They are tried with the data of the notebooks, each in a page of its own. test_site
looks at them where readers do, and test_jupyter uses them in JupyterLab and Notebook 7.
"""

import json
import re
from functools import cache, partial

import pytest
import torch
from bs4 import BeautifulSoup
from series import Notebook, paths
from torch.nn.functional import mse_loss

from helpers import explore, plots

exact = partial(torch.tensor, dtype=torch.float64)
ALT = 'A picture that stands where no script runs.'
OUTPUTS = [output for path in paths() for output in Notebook(path).outputs]
SHOWN = ''.join(output.get('data', {}).get('text/html', '') for output in OUTPUTS)
RECORDED = BeautifulSoup(SHOWN, 'html.parser').select('.explorer')
EXAMPLES = [json.loads(div['data-explore']) for div in RECORDED]
DATA = {data['kind']: data for data in reversed(EXAMPLES)}  # the first of each kind
LINE, RATE = DATA['line'], DATA['rate']


@cache
def output(kind, **changes):
    ax = plots.loss_curves({'one': [2, 1]})
    return explore.explore(ax=ax, alt=ALT, **DATA[kind] | changes)._repr_mimebundle_()


# Without a browser


def test_the_picture_stands_beneath_the_script():
    bundle = output('line', title="Kanto's <line> & more")
    assert bundle['text/plain'] == ALT
    html = bundle['text/html']
    assert f'base64,{bundle["image/png"]}" alt="{ALT}"' in html
    assert 'Kanto&#x27;s &lt;line&gt; &amp; more' in html


def test_the_script_is_small_and_keeps_to_itself():
    carried = explore.carried('explore.js') + explore.carried('explore.css')
    assert len(carried) < 25_000
    assert not re.search(r'https?:|fetch|import\s|Storage|XMLHttp|eval|url', carried)


def test_wrong_data_are_refused():
    with pytest.raises(ValueError, match="look at \\['slope'\\]"):
        output('rate', slope=1)
    with pytest.raises(ValueError, match='range float'):
        output('rate', x=(1, float('inf')))


def test_every_recorded_explorer_holds_the_script_as_it_is():
    assert len(RECORDED) >= 4
    for div in RECORDED:
        for tag, name in (div.script, 'explore.js'), (div.style, 'explore.css'):
            assert tag.string == explore.carried(name), 'Run `make record`.'


# In a browser, from a file


PAGE = '<!doctype html><html{}><meta charset="utf-8">{}</html>'
STARTED = "document.querySelector('.explorer').explorer"


@pytest.fixture
def opened(opened, tmp_path):
    """A function that opens an explorer; nothing may go wrong until the end."""
    pages = []

    def open_it(kind, site=False, motion='reduce'):
        path = tmp_path / f'{kind}.html'
        of_the_site = ' data-content_root="./"' if site else ''
        path.write_text(PAGE.format(of_the_site, output(kind)['text/html']), 'utf-8')
        pages.append(opened(path.as_uri(), motion=motion))
        return pages[-1]

    yield open_it
    assert [page.wrong for page in pages if page.wrong] == []


def state(page, **wanted):
    """The state, after it was set as by an address."""
    if wanted:
        page.evaluate(f'wanted => {STARTED}.set(wanted)', wanted)
    return page.evaluate(f'{STARTED}.state()')


def steps(page):
    return len(state(page)['path']) - 1


def words(page, name='say'):
    return page.locator(f'.{name}').inner_text()


def press(page, name, key='Enter'):
    """Press a key on a button, a slider or a view."""
    control = page.locator(f'[aria-label^="{name}"], button:has-text("{name}")')
    control.press(key)
    return control


def table(scaled):
    x = exact(RATE['x'])
    x = (x - x.mean()) / x.std(unbiased=False) if scaled else x
    return torch.stack([x, torch.ones_like(x)], dim=1), exact(RATE['y'])


def trained(lr, steps, start, beta=(0, 0, 0), scaled=False):
    """The same by PyTorch: its loss, autograd and optimizer, in float64."""
    inputs, targets = table(scaled)
    p = exact(start, requires_grad=True)
    losses = [mse_loss(inputs @ p, targets)]
    optimizer = torch.optim.SGD([p])
    for rate, momentum, count in zip(lr, beta, steps, strict=False):
        optimizer.param_groups[0].update(lr=rate, momentum=momentum)
        for _ in range(count):
            optimizer.zero_grad()
            losses[-1].backward()
            optimizer.step()
            losses.append(mse_loss(inputs @ p, targets))
    return p.tolist(), [loss.item() for loss in losses]


RUNS = [
    {'lr': [1e-5], 'steps': [40], 'start': [2.5, 1.93]},
    {'lr': [1.3e-4], 'steps': [40], 'start': [0, -30]},
    {'lr': [0.9], 'steps': [12], 'start': [10, 100], 'scaled': True},
    {'lr': [1.5e-4], 'steps': [200], 'start': [2, 0], 'beta': [0.9]},
    {'lr': [0.3], 'steps': [60], 'start': [-10, 120], 'beta': [0.8], 'scaled': True},
    {'lr': [1e-5, 1e-4, 2e-5], 'steps': [5, 20, 7], 'start': [2, 5]},
    {'lr': [1e-5, 1e-4], 'steps': [9, 30], 'start': [2, 5], 'beta': [0.9, 0.5]},
]


def test_the_numbers_are_those_of_pytorch(opened):
    page = opened('momentum')
    for run in RUNS:
        p, losses = trained(**run)
        found = state(page, **run)
        assert found['p'] == pytest.approx(p, rel=1e-6), run
        assert [step['loss'] for step in found['path']] == pytest.approx(losses), run


def test_limit_and_optimum_are_those_of_pytorch(opened):
    page = opened('rate')
    for scaled in (False, True):
        inputs, targets = table(scaled)
        flat, steep = torch.linalg.eigvalsh(inputs.t() @ inputs * 2 / len(inputs))
        best = torch.linalg.lstsq(inputs, targets[:, None]).solution[:, 0]
        lowest = mse_loss(inputs @ best, targets)
        found = state(page, scaled=scaled)
        names = ('flat', 'steep', 'limit', 'lowest')
        wanted = [value.item() for value in (flat, steep, 2 / steep, lowest)]
        assert [found[name] for name in names] == pytest.approx(wanted, rel=1e-6)
        assert found['best'] == pytest.approx(best.tolist(), rel=1e-6)
        below = state(page, scaled=scaled, lr=0.99 * found['limit'], steps=2000)
        assert below['loss'] < 1000
        assert 'explodes' not in words(page)
        beyond = state(page, scaled=scaled, lr=1.01 * found['limit'], steps=2000)
        assert beyond['loss'] > 1e6
        assert 'It explodes' in words(page)


def test_one_weight_has_the_loss_and_slope_of_pytorch(opened):
    page = opened('line')
    factor, rest, y = (exact(LINE[name]) for name in ('factor', 'rest', 'targets'))
    best = ((y - rest) @ factor / (factor @ factor)).item()
    for value in (-3, 1.5, best):
        v = exact(value, requires_grad=True)
        loss = (((rest + v * factor - y) ** 2).sum() + LINE['fixed']) / LINE['count']
        loss.backward()
        loss, slope = loss.item(), v.grad.item()
        wanted = {'value': value, 'loss': loss, 'slope': slope, 'best': best}
        assert state(page, w11=value) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
        assert f'the loss is {loss:,.1f} and its slope' in words(page)
        assert ('a step leads nowhere' in words(page)) == (value == best)
        press(page, 'Step')
        after = value - LINE['rate'] * slope
        assert state(page)['value'] == pytest.approx(after, rel=1e-6)
    state(page, w11=LINE['start'])
    sides = 'all => all.map(one => [one.width, one.height].map(x => x.baseVal.value))'
    squares = page.eval_on_selector_all('.view rect', sides)
    assert len(squares) == 5
    assert all(width == height > 20 for width, height in squares)


def test_a_task_is_met_and_the_next_one_asked(opened):
    page = opened('rate')
    assert 'below 500 in 10 steps' in words(page, 'task')
    press(page, 'Run 10')
    assert words(page).startswith('Not yet: at step 10 it was 901.19.\nStep 10: ')
    state(page, start=[1.09, -17], steps=1)
    assert 'below 500' in words(page, 'task')  # for that start is too good
    assert words(page).startswith('For the task, start at a loss above 10,000.')
    state(page, lr=2e-5, steps=10)
    met = '✓ Met: below 500 at step 6. Next: below 81 in 10 steps or fewer.'
    assert words(page).split('\n')[0] == met
    assert 'below 81 in 10 steps' in words(page, 'task')
    state(page, scaled=True, lr=0.5, steps=1)
    assert words(page).startswith('✓ Met: below 81 at step 1.\n')
    assert words(page, 'task') == 'Every task is met.'


def test_everything_is_reached_and_moved_by_keyboard(opened):
    page, names, focused = opened('momentum'), [], 'document.activeElement'
    name = f"{focused}.ariaLabel || ({focused}.closest('label') || {focused}).innerText"
    for _ in range(10):
        page.keyboard.press('Tab')
        names.append(page.evaluate(name))
    assert names == [
        'Map of the loss: choose a start',
        'learning rate',
        'momentum β',
        'Run 400',
        'Step',
        'Reset',
        'standardise rain',
        'The regions and the line',
        'The loss, step by step',
        'Error left in each direction',
    ]
    before = state(page)
    press(page, 'Map', 'ArrowLeft')
    press(page, 'Map', 'ArrowUp')
    after = state(page)['p']
    assert after[0] < before['p'][0]
    assert after[1] > before['p'][1]
    press(page, 'learning rate', 'ArrowRight')
    assert state(page)['rate'] > before['rate']
    press(page, 'momentum', 'ArrowRight')
    assert state(page)['beta'] == 0.01
    press(page, 'Step')
    press(page, 'Run')
    press(page, 'learning rate', 'ArrowLeft')
    press(page, 'Step', 'Space')
    assert steps(page) == 402  # the last at another rate, from where it stood
    press(page, 'The loss, step', 'Home')
    curve = press(page, 'The loss, step', 'ArrowRight')
    text = curve.get_attribute('aria-valuetext')
    loss = state(page)['path'][1]['loss']
    assert f'Step 1: the loss is {loss:,.1f}' in text
    assert text in curve.inner_text()
    text = press(page, 'Error left', 'Home').get_attribute('aria-valuetext')
    assert re.match(r'steep [\d.]+\s% is left, curvature [\d,.]+$', text)
    page.get_by_label('standardise').press('Space')
    assert state(page)['limit'] == pytest.approx(1, rel=0.02)
    press(page, 'Step')
    press(page, 'Reset')
    assert steps(page) == 0


def test_keys_do_not_leave_the_explorer(opened):
    page = opened('rate')
    page.evaluate(
        "for (const kind of ['keydown', 'keyup']) document.addEventListener(kind, "
        '(event) => (window.left ??= []).push(event.key))'
    )
    press(page, 'learning rate', 'ArrowRight')
    press(page, 'Map', 'ArrowDown')
    press(page, 'Step')
    assert page.evaluate('window.left ?? []') == []
    page.keyboard.press('Escape')
    assert page.evaluate('window.left') == ['Escape'] * 2


def test_the_mouse_chooses_a_start_and_reads_values(opened):
    page = opened('rate')
    before = state(page)['p']
    spot = {'position': {'x': 200, 'y': 100}}
    page.locator('.view > svg').first.click(button='right', **spot)
    assert state(page)['p'] == before
    page.locator('.view > svg').first.click(**spot)
    assert all(now < old for now, old in zip(state(page)['p'], before, strict=True))
    regions = page.get_by_label('The regions')
    regions.locator('circle').first.hover(force=True)
    assert 'Kanto: rain 67' in regions.inner_text()


def test_it_moves_only_where_motion_is_wanted(opened):
    page = opened('momentum')
    press(page, 'Run')
    assert steps(page) == 400
    page = opened('momentum', motion='no-preference')
    page.clock.install()
    press(page, 'Run')
    page.clock.run_for(1000)
    assert re.match('Step [1-9]', words(page))
    assert steps(page) < 400
    say = page.locator('.say')
    assert say.get_attribute('aria-live') == 'off'  # it is read aloud at the end
    press(page, 'learning rate', 'ArrowRight')
    page.clock.run_for(4000)  # five seconds in all, of a clock that stands still here
    assert say.get_attribute('aria-live') == 'polite'
    assert 'Step 400: ' in words(page)
    assert steps(page) == 400
    press(page, 'Reset')
    press(page, 'Run')
    press(page, 'Pause')
    assert f'Step {steps(page)}:' in words(page)


def test_standardised_the_bowl_is_round_and_the_rate_keeps_its_share(opened):
    page = opened('rate')
    for round_ in (False, True):
        sizes = page.locator('g[transform] circle').evaluate_all(
            'all => all.map(it => it.getBoundingClientRect())'
            '.map(box => box.width / box.height)'
        )
        assert len(sizes) > 5
        assert all((abs(size - 1) < 0.01) == round_ for size in sizes)
        before = state(page)
        page.get_by_label('standardise').press('Space')
        after = state(page)
        shares = [found['rate'] / found['limit'] for found in (before, after)]
        assert shares[1] == pytest.approx(shares[0], rel=0.02)
        assert re.match(r'The rate is [\d.e-]+ now: the same share', words(page))


def test_on_the_site_the_state_stands_in_the_address(opened):
    page = opened('rate', site=True)
    assert page.url.endswith('.html')
    press(page, 'Map', 'ArrowLeft')
    page.get_by_label('standardise').press('Space')
    press(page, 'Step')
    press(page, 'learning rate', 'ArrowRight')
    press(page, 'Run')
    page.wait_for_url('**#lr=8.3e-2,8.9e-2&steps=1,10&scaled=1&start=*')
    shown = state(page)
    page.reload()
    assert state(page)['p'] == pytest.approx(shown['p'], rel=1e-5)
    odd = state(page, lr='fast', scaled='0', steps='1')
    assert odd['rate'] == DATA['rate']['rate'] > odd['limit'] / 100
    elsewhere = opened('rate')
    press(elsewhere, 'Step')
    elsewhere.wait_for_timeout(300)
    assert '#' not in elsewhere.url


def test_a_script_that_fails_leaves_the_picture(browser):
    page = browser.new_page()
    page.set_content(PAGE.format('', output('rate', start=None)['text/html']))
    assert page.locator('img').is_visible()
    assert page.locator('.ex').count() == 0
