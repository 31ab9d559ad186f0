"""The site: complete, readable for everyone, and made of nothing but its own files."""

import functools
import io
import itertools
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from paper import gather, number_pages
from PIL import Image
from series import ROOT, Notebook, listed, paths

SIZES = {
    'desktop': {'width': 1280, 'height': 900},
    'phone': {'width': 390, 'height': 844},
}
NOTEBOOKS = [f'notebooks/{path.stem}.html' for path in paths()]
OF_EACH_KIND = ['index.html', 'README.html', 'bench.html', NOTEBOOKS[3]]
OTHERS = ['CONTRIBUTING', 'TEACHING', 'search', 'tools/site/glossary']
PAGES = sorted({*OF_EACH_KIND, *NOTEBOOKS, *(f'{name}.html' for name in OTHERS)})


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """The folder of the site, built as `make site` does."""
    folder = tmp_path_factory.mktemp('built')
    command = [sys.executable, '-m', 'sphinx', '-qEW', '-c', 'tools/site']
    command += ['-d', folder / 'doctrees', '.', folder / 'site']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / 'site'


@pytest.fixture(scope='module')
def pages(site):
    """Each page of the site, parsed."""
    return {path: parsed(path) for path in site.rglob('*.html')}


def parsed(path):
    return BeautifulSoup(path.read_bytes(), 'html.parser')


def links(page):
    return [link['href'] for link in page.select('a[href]')]


def test_the_site_is_complete_and_its_pages_are_not_large(site, pages):
    assert {path.relative_to(site).as_posix() for path in pages} == {*PAGES}
    for path in pages:
        assert path.stat().st_size < 1_000_000, path.name
    assert not (ROOT / 'jupyter_execute').exists()
    first = site / 'index.html'
    loads = pages[first].select('script[src], link[href]')
    loads = [first, *(site / (load.get('src') or load['href']) for load in loads)]
    assert sum(path.stat().st_size for path in loads) < 300_000


def test_links_lead_somewhere(site, pages):
    ids = {path: {it['id'] for it in pages[path].select('[id]')} for path in pages}
    for path, page in pages.items():
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve()
            target = target if parts.path else path
            assert target.is_relative_to(site), f'{path.name} leaves the site: {link}'
            assert target.is_file(), f'{path.name} links to nothing: {link}'
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in ids[target], (path.name, link)


def test_each_page_offers_its_notebook(pages, site, notebook):
    page = site / 'notebooks' / f'{notebook.path.stem}.html'
    (link,) = [link for link in links(pages[page]) if link.endswith('.ipynb')]
    assert Path(link).name == notebook.path.name
    assert (page.parent / link).read_bytes() == notebook.path.read_bytes()


def test_a_repository_gives_links_to_run_a_notebook(site, pages, tmp_path):
    name = f'notebooks/{paths()[3].stem}'
    make = ['make', '-n', 'site', 'BIN=bin', 'REPO=me/mine']
    printed = subprocess.check_output(make, cwd=ROOT, text=True)
    assert '-A repo=me/mine ' in printed
    command = [sys.executable, '-m', 'sphinx', '-q', '-c', 'tools/site']
    command += ['-d', site.parent / 'doctrees', '-A', 'repo=me/mine', '.', tmp_path]
    subprocess.run([*command, f'{name}.ipynb'], cwd=ROOT, check=True)
    added = {*links(parsed(tmp_path / f'{name}.html'))}
    added -= {*links(pages[site / f'{name}.html'])}
    assert added == {
        f'https://mybinder.org/v2/gh/me/mine/HEAD?labpath={name}.ipynb',
        f'https://colab.research.google.com/github/me/mine/blob/main/{name}.ipynb',
    }


# From here on in a browser.


class Window:
    """A browser window without a network, and what went wrong in it."""

    def __init__(self, browser, site, size, scheme):
        self.site, self.wrong = site, []
        self.page = browser.new_context(
            viewport=SIZES[size],
            color_scheme=scheme,
            has_touch=size == 'phone',
            offline=True,
        ).new_page()
        self.page.on('pageerror', lambda error: self.wrong.append(str(error)))
        self.page.on('requestfailed', lambda request: self.wrong.append(request.url))
        self.page.on('request', self._note)

    def _note(self, request):
        if not request.url.startswith(('file:', 'data:')):
            self.wrong.append(request.url)

    def open(self, name):
        self.page.goto((self.site / name).as_uri())
        return self.page


@pytest.fixture(scope='module')
def window(browser, site):
    """A function that opens a window, one for each size and scheme."""
    return functools.cache(
        lambda size='desktop', scheme='light': Window(browser, site, size, scheme)
    )


@pytest.fixture
def page(window, notebook):
    """The page of each notebook in turn, on a desktop."""
    return window().open(f'notebooks/{notebook.path.stem}.html')


@pytest.fixture(scope='module')
def axe():
    return pytest.importorskip('axe_playwright_python.base').AXE_SCRIPT


def violations(page, axe):
    """What axe-core objects to, one line each.

    Of the coloured words of the code, a thousand on a page, one of each kind is left.
    """
    page.evaluate(axe)
    found = page.evaluate(
        """() => {
            const seen = new Set();
            for (const word of document.querySelectorAll('.highlight span')) {
                const box = word.closest('.cell_input, .cell_output')?.className;
                const kind = [word.className, box, word.childElementCount].join();
                if (seen.has(kind)) word.replaceWith(...word.childNodes);
                seen.add(kind);
            }
            return axe.run({preload: false, resultTypes: ['violations']});
        }"""
    )['violations']
    return [f'{rule["id"]}: {node["html"]}' for rule in found for node in rule['nodes']]


def views():
    """Every page in every way; `make test` shows what differs most."""
    for view in itertools.product(SIZES, ('light', 'dark'), PAGES):
        size, scheme, name = view
        shown = (size, scheme) == ('phone', 'dark')
        shown |= (size, scheme) == ('desktop', 'light') and name in OF_EACH_KIND
        yield pytest.param(*view, marks=[] if shown else pytest.mark.slow)


@pytest.mark.parametrize(('size', 'scheme', 'name'), [*views()])
def test_everyone_can_read_the_page(window, axe, size, scheme, name):
    shown = window(size, scheme)
    page = shown.open(name)
    page.eval_on_selector_all('details', 'all => all.map(d => d.open = true)')
    assert violations(page, axe) == []
    assert shown.wrong == []
    assert page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    figures = page.locator('article img').evaluate_all(
        """images => images.map(image => ({
            alt: image.alt,
            drawn: image.complete && image.naturalWidth > 0,
            ground: getComputedStyle(image).backgroundColor,
        }))"""
    )
    for seen in figures:
        assert len(seen['alt']) >= 40
        assert seen['drawn'], seen
        assert seen['ground'] == 'rgb(255, 255, 255)', seen


@pytest.mark.parametrize('width', [390, 320])
@pytest.mark.parametrize('name', PAGES)
def test_nothing_is_cut_on_a_phone(window, name, width):
    page = window('phone').open(name)
    page.set_viewport_size({'width': width, 'height': 844})
    page.eval_on_selector_all('details', 'all => all.map(d => d.open = true)')
    code = 'div.notranslate:not(.output) > .highlight pre, #common-mistakes pre'
    wide = page.eval_on_selector_all(
        f'{code}, article table',
        """all => all.filter(it => it.scrollWidth > it.clientWidth + 1 ||
            it.getBoundingClientRect().right > innerWidth).map(it => it.innerText)""",
    )
    beyond = page.evaluate(
        """[...document.querySelectorAll('body *:not(aside, aside *)')]
            .filter(it => it.checkVisibility({visibilityProperty: true}) &&
                !it.closest('pre, div.math, .table-wrapper, .visually-hidden, svg') &&
                it.getBoundingClientRect().right > innerWidth + 1)
            .map(it => it.outerHTML.slice(0, 200))"""
    )
    covered = page.eval_on_selector_all(
        'button.copybtn',
        """all => all.filter(button => {
            const box = button.getBoundingClientRect(), words = document.createRange();
            const code = button.parentElement.querySelector('pre');
            // Spaces at the end of a broken line hang out of it, unseen.
            if (!code.querySelector('span[class]'))
                code.textContent = code.textContent.replace(/ +#/g, ' #');
            words.selectNodeContents(code);
            return box.width < 24 || box.height < 24 ||
                [...words.getClientRects()].some(it => it.width &&
                    it.right > box.left && it.top < box.bottom && it.bottom > box.top);
        }).map(it => it.parentElement.innerText)""",
    )
    page.evaluate('scrollTo(0, 900); scrollTo(0, 600)')
    page.wait_for_timeout(50)
    assert page.locator('.back-to-top:visible').count() == 0, 'It lies on the text.'
    page.set_viewport_size(SIZES['phone'])
    assert (wide, beyond, covered) == ([], [], [])
    buttons = page.locator('.output button.copybtn').count()
    assert buttons == 0, 'Outputs are not there to be copied.'


@pytest.mark.parametrize('name', ['index.html', NOTEBOOKS[3]])
def test_headings_fit_a_phone(window, name):
    sizes = (
        window('phone')
        .open(name)
        .eval_on_selector_all(
            'h1, h2, h3',
            'all => [...new Set(all.map(it => getComputedStyle(it).fontSize))]',
        )
    )
    assert sizes == ['32px', '24px', '19.2px']


def test_a_copy_button_shows_its_focus(window):
    page = window().open(NOTEBOOKS[3])
    page.keyboard.press('Tab')  # from here on the focus is one of the keyboard's
    button = page.locator('button.copybtn').first
    button.focus()
    style = button.evaluate('it => getComputedStyle(it).outlineStyle')
    assert style == 'solid'


def test_the_head_says_where_one_is(page, notebook):
    (row,) = [row for row in listed() if int(row['number']) == notebook.number]
    section = (
        f'the article: {row["section"]}' if row['article'] else 'beyond the article'
    )
    of = f'{row["number"]} of {len(paths())} · {row["minutes"]} min · {section}'
    assert page.locator('h1 + .place').inner_text() == of
    contents = page.get_by_role('link', name='What you learned').bounding_box()
    assert contents['x'] + contents['width'] <= SIZES['desktop']['width']


def test_recaps_and_cells_that_draw_are_folded(page, notebook):
    drawing = '.cell:has(.cell_output img):not(:has(.cell_output pre))'
    for cells in ('#where-we-left-off .cell', drawing):
        assert page.locator(f'{cells} .cell_input pre:visible').count() == 0
        assert page.locator(f'{cells} .cell_input pre').count() > 0 or (
            notebook.number == 1 and 'where' in cells
        )


def test_a_mistake_is_a_card(page, notebook):
    cards = page.locator('#common-mistakes > ul').evaluate_all(
        """all => all.map(list => {
            const [above, box, below] =
                [list.previousElementSibling, list, list.nextElementSibling]
                .map(it => it?.getBoundingClientRect());
            return {apart: box.top - above.bottom,
                    gap: list.matches(':has(+ .cell)') ? below.top - box.bottom : 0,
                    edge: getComputedStyle(list).borderLeft};
        })"""
    )
    assert len(cards) == notebook.path.read_text().count('**Symptom:**')
    for card in cards:
        assert card['apart'] >= 15
        assert abs(card['gap']) < 1
        assert card['edge'] == '5px solid rgb(213, 94, 0)'


def test_an_exercise_says_where_to_answer(page, notebook):
    words = page.locator('article').inner_text()
    found = words.count('In JupyterLab you can type your answer here')
    assert found == len(notebook.exercises())
    assert 'Not answered yet:' not in words
    assert 'right in this kernel' not in words


def test_solutions_are_folded_and_printed_open(page, notebook, wait_until):
    folds = page.locator('article details:not(.hide)')
    assert folds.count() == len(notebook.exercises())
    assert page.locator('article details:not(.hide) pre:visible').count() == 0
    code = folds.locator('.highlight-python pre')
    for fold, solution in zip(folds.all(), code.all(), strict=True):
        fold.locator('summary').press('Enter')
        assert solution.is_visible()
        fold.locator('summary').press('Enter')
    page.emulate_media(media='print')
    # The page is laid out for paper in a frame of its own.
    wait_until(
        lambda: code.evaluate_all(
            'all => all.every(it => it.checkVisibility({contentVisibilityAuto: true}) '
            '&& it.getBoundingClientRect().height > 10)'
        )
    )
    page.emulate_media(media='screen')


def test_figures_do_not_glare_in_the_dark(window):
    page = window(scheme='dark').open(NOTEBOOKS[3])
    shown = page.locator('.cell_output img').last.screenshot()
    white = max(
        high for _, high in Image.open(io.BytesIO(shown)).convert('RGB').getextrema()
    )
    assert 190 < white < 225


def test_the_first_page_leads_through_the_series(window, site):
    page = window().open('index.html')
    cards = page.locator('li a')
    assert [text.split(' ', 1) for text in cards.all_inner_texts()] == [
        [path.name[:2], Notebook(path).title] for path in paths()
    ]
    assert page.locator('li .mark').count() == 8
    page.get_by_role('slider', name='slope').first.press('ArrowLeft')
    assert 'At slope = 2.19' in page.locator('.say').inner_text()
    minutes = Notebook(paths()[0]).minutes
    page.get_by_role('link', name=f'Start with notebook 01 · {minutes} min').click()
    page.wait_for_url('**/01-*.html')
    assert page.get_by_text(f'01 of {len(paths())} · {minutes} min').is_visible()


def test_the_side_bar_lists_the_series(window):
    page = window().open(NOTEBOOKS[0])
    assert page.locator('.sidebar-tree a').all_inner_texts() == [
        *(f'{path.name[:2]} {Notebook(path).title}' for path in paths()),
        'Glossary',
    ]


def test_the_page_shows_the_committed_outputs(page, notebook):
    shown = page.locator('.cell_output pre').all_text_contents()
    asked = notebook.section('Check yourself')
    seen = [cell for cell in notebook.code if cell not in asked]
    outputs = [output for cell in seen for output in cell.outputs]
    committed = [
        output.get('text') or output.data['text/plain']
        for output in outputs
        if 'text/html' not in output.get('data', {})
    ]
    assert [text.strip() for text in shown] == [text.strip() for text in committed]
    drawn = page.locator('.cell_output img').count()
    assert drawn == len(outputs) - len(committed)


def test_mathematics_is_drawn(page, notebook):
    wanted = sum(text.count('$$') // 2 for text in notebook.prose())
    drawn = page.locator('div.math math')
    assert drawn.count() == wanted
    assert all(box.bounding_box()['height'] > 20 for box in drawn.all())
    assert '$$' not in page.locator('article').inner_text()
    devtools = page.context.new_cdp_session(page)
    devtools.send('DOM.enable')
    devtools.send('CSS.enable')
    root = devtools.send('DOM.getDocument')['root']['nodeId']
    query = {'nodeId': root, 'selector': 'math *'}
    for node in devtools.send('DOM.querySelectorAll', query)['nodeIds']:
        fonts = devtools.send('CSS.getPlatformFontsForNode', {'nodeId': node})['fonts']
        assert all(font['isCustomFont'] for font in fonts), (
            f'static/math.woff lacks a glyph, drawn from {fonts}.'
        )


def test_the_keyboard_opens_the_side_bars_of_a_phone(window):
    page = window('phone').open(NOTEBOOKS[0])
    for name, inside in (('Series and search', '.sidebar'), ('On this page', '.toc')):
        link = page.locator(f'{inside}-drawer a:visible').first
        assert link.count() == 0
        button = page.get_by_role('button', name=name, exact=True)
        button.press('Enter')
        assert button.get_attribute('aria-expanded') == 'true'
        link.wait_for(state='visible')
        focus = f"!!document.activeElement.closest('{inside}-drawer')"
        assert page.evaluate(focus)
        page.keyboard.press('Escape')
        assert button.get_attribute('aria-expanded') == 'false'
        link.wait_for(state='hidden')


def test_the_glossary_leads_to_where_each_term_is_explained(pages, site):
    glossary = links(pages[site / 'tools/site/glossary.html'])
    explained = [link for link in glossary if '/notebooks/' in link and '#' in link]
    assert len(explained) == sum(len([*Notebook(path).terms()]) for path in paths())


MOMENTS = re.findall(r'`(\S+\.html)#(\S+)`', (ROOT / 'TEACHING.md').read_text('utf-8'))
assert MOMENTS


@pytest.mark.parametrize(('name', 'address'), MOMENTS)
def test_what_a_teacher_shows_stands_at_its_address(name, address, browser, site):
    page = browser.new_page(offline=True)
    page.goto((site / 'notebooks' / name).as_uri() + f'#{address}')
    page.wait_for_function("document.querySelector('.explorer').explorer")
    state = page.evaluate("document.querySelector('.explorer').explorer.state()")
    state |= {'lr': state.get('rate'), 'w11': state.get('value')}
    state['scaled'] = int(state.get('limit', 0) > 0.5)
    state['steps'] = len(state.get('path', [])) - 1
    for key, wanted in parse_qsl(address):
        assert float(wanted) == pytest.approx(state[key], rel=1e-3), (key, state)
    page.close()


def test_the_series_prints_as_one_pdf(browser, site):
    page = gather(browser, site)
    page.set_viewport_size({'width': 642, 'height': 900})  # A4 without its margins
    page.emulate_media(media='print')
    heads = [head for head in page.locator('h1').all_inner_texts() if head[0].isdigit()]
    assert [head[:3] for head in heads] == [f'{row["number"]} ' for row in listed()]
    amiss = page.evaluate(
        """() => [...document.querySelectorAll('a[href], img, pre, table, math')]
            .filter(it => it.href?.startsWith('file:') && !it.hash
                || it.hash && it.href.startsWith(location.href.split('#')[0])
                    && !document.getElementById(decodeURIComponent(it.hash.slice(1)))
                || it.getBoundingClientRect().right > innerWidth + 1
                || it.localName === 'img' && !it.alt)
            .map(it => it.outerHTML.slice(0, 200))"""
    )
    assert amiss == []
    pages = number_pages(page)
    printed = page.pdf(outline=True, tagged=True, prefer_css_page_size=True)
    assert b'/Outlines' in printed
    assert b'/Alt' in printed
    assert printed.count(b'/Type /Page\n') == pages > 100
    starts = page.eval_on_selector_all('nav a', 'all => all.map(it => it.dataset.page)')
    assert len(starts) == len(heads) + 1
    assert 3 == int(starts[0]) < int(starts[-1]) <= pages
    page.context.close()
