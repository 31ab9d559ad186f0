"""The site: complete, readable for everyone, and made of nothing but its own files."""

import itertools
import re
import subprocess
import sys
from urllib.parse import parse_qsl, unquote, urldefrag, urljoin

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup
from paper import gather, number_pages
from series import ROOT, listed, paths

NOTEBOOKS = [f'notebooks/{path.stem}.html' for path in paths()]
EXPLORERS = [NOTEBOOKS[number - 1] for number in (4, 5, 10)]  # one of each kind
OF_EACH_KIND = ['index.html', 'README.html', 'bench.html', *EXPLORERS]
OTHERS = ['CONTRIBUTING', 'TEACHING', 'search', 'tools/site/glossary']
PAGES = sorted({*OF_EACH_KIND, *NOTEBOOKS, *(f'{name}.html' for name in OTHERS)})


def build(folder, *options):
    """Build the site as `make site` does."""
    command = [sys.executable, '-m', 'sphinx', '-q', '-c', 'tools/site']
    command += ['-d', folder.parent / 'doctrees', '.', folder, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """The folder of the site."""
    folder = tmp_path_factory.mktemp('built') / 'site'
    build(folder, '-EW')
    return folder


@pytest.fixture(scope='module')
def pages(site):
    """Each page of the site, parsed, under its name."""
    found = [path.relative_to(site).as_posix() for path in site.rglob('*.html')]
    return {name: parsed(site / name) for name in found}


def parsed(path):
    return BeautifulSoup(path.read_bytes(), 'html.parser')


def links(page):
    return [link['href'] for link in page.select('a[href]')]


def test_the_site_is_complete_and_its_pages_are_not_large(site, pages):
    assert sorted(pages) == PAGES
    for name in pages:
        assert (site / name).stat().st_size < 1_000_000, name
    assert not (ROOT / 'jupyter_execute').exists()
    loads = pages['index.html'].select('script[src], link[href]')
    loads = ['index.html', *(load.get('src') or load['href'] for load in loads)]
    assert sum((site / name).stat().st_size for name in loads) < 300_000


def test_links_lead_somewhere(site, pages):
    ids = {
        name: {it['id'] for it in page.select('[id]')} for name, page in pages.items()
    }
    here = f'{site.as_uri()}/'
    for name, page in pages.items():
        for link in links(page):
            address, place = urldefrag(urljoin(here + name, link))
            if address.startswith('file:'):
                target = unquote(address.removeprefix(here))
                assert (site / target).is_file(), f'{name} links to nothing: {link}'
                assert not place or unquote(place) in ids[target], (name, link)


def test_pages_lead_through_the_series(pages, series):
    titles = [f'{each.number:02} {each.title}' for each in series]
    first = pages['index.html']
    assert [link.get_text() for link in first.select('li a')] == titles
    assert len(first.select('li .mark')) == sum(row['article'] for row in listed())
    assert {'tools/site/glossary.html', 'bench.html', 'README.html'} < {*links(first)}
    start = first.select_one('.start')
    assert start['href'] == NOTEBOOKS[0]
    minutes = series[0].minutes
    assert start.get_text() == f'Start with notebook 01 · {minutes} min'
    others = ['Glossary', 'How fast is it?', 'How to run it']
    side_bar = pages[NOTEBOOKS[0]].select('.sidebar-tree a')
    assert [link.get_text() for link in side_bar] == [*titles, *others]
    groups = [group.get_text() for group in first.select('h3')]
    captions = pages[NOTEBOOKS[0]].select('.sidebar-tree .caption')
    assert [caption.get_text() for caption in captions] == [*groups, 'More']
    for name in {*pages} - {'index.html'}:
        home = pages[name].select('a.sidebar-brand, a:has(> .brand)')
        assert [link['href'].endswith('index.html') for link in home] == [True, True]
    glossary = links(pages['tools/site/glossary.html'])
    explained = [link for link in glossary if '/notebooks/' in link and '#' in link]
    assert len(explained) == sum(len([*each.terms()]) for each in series)


def test_a_repository_gives_links_to_run_a_notebook(site, pages):
    of_mine, name = site.with_name('mine'), NOTEBOOKS[3].removesuffix('.html')
    build(of_mine, f'{name}.ipynb', '-A', 'repo=me/mine')
    added = {*links(parsed(of_mine / NOTEBOOKS[3]))} - {*links(pages[NOTEBOOKS[3]])}
    assert added == {
        f'https://mybinder.org/v2/gh/me/mine/HEAD?labpath={name}.ipynb',
        f'https://colab.research.google.com/github/me/mine/blob/main/{name}.ipynb',
    }


# From here on in a browser.

WIDTHS = {'desktop': [1280], 'phone': [320, 390]}
# What is amiss with a page as it lies in the window, a line each.
AMISS = """() => {
    const found = [], code = 'div.notranslate:not(.output) > .highlight pre';
    const range = document.createRange();  // each one more slows every change
    const look = (what, selector, wrong) => {
        for (const it of document.querySelectorAll(selector))
            if (wrong(it, it.getBoundingClientRect(), getComputedStyle(it)))
                found.push(`${what}: ${it.outerHTML.slice(0, 200)}`);
    };
    document.documentElement.classList.add('show-back-to-top');
    look('lies on the text', '.back-to-top', it => it.checkVisibility());
    look('is not to be copied', '.output button.copybtn', () => true);
    look('does not move', '.explorer', it => !it.explorer);
    look('is seen twice', '.explorer > img', it => it.checkVisibility());
    look('is hard to touch', 'button.copybtn, .ex :is(button, input, .view)',
        (it, box) => box.width < 24 || box.height < 24);
    look('stands above what it tells of', '.ex', it => {
        const tops = ['.view', 'input', 'button', '.say'].map(part =>
            it.querySelector(part).getBoundingClientRect().top);
        return tops.some((top, i) => top < tops[i - 1]);
    });
    const {Color, getContrast} = axe.commons.color;
    const ink = text => new Color().parseString(text);
    const ground = ink(getComputedStyle(document.body).backgroundColor);
    look('is pale', '.view svg svg *:not(.walk, .walk *)', (it, box, style) =>
        style.stroke !== 'none' && getContrast(ground, ink(style.stroke)) < 3);
    look('says nothing', 'article img', it => it.alt.length < 40);
    look('is not drawn', 'article img', it => !it.complete || !it.naturalWidth);
    look('has a dark ground', 'article img',
        (it, box, style) => style.backgroundColor !== 'rgb(255, 255, 255)');
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    look(dark ? 'glares' : 'is dull', 'article img',
        (it, box, style) => dark === (style.filter === 'none'));
    look('is cut', '.view svg svg :is(circle, path, rect):not([transform] *)', it => {
        const [box, of] = [it.getBBox(), it.ownerSVGElement];
        return [['x', 'width'], ['y', 'height']].some(([start, size]) => {
            const most = of[size].baseVal.value - box[size];
            return -box[size] / 2 <= box[start] && box[start] <= most + box[size] / 2
                && (box[start] < 0 || box[start] > most);
        });
    });
    look('is too wide', 'html', it => it.scrollWidth > innerWidth);
    look('lies beyond the edge', 'body *:not(aside, aside *)',
        (it, box) => it.checkVisibility({visibilityProperty: true}) &&
            !it.closest('pre, div.math, .table-wrapper, .visually-hidden, svg') &&
            box.right > innerWidth + 1);
    look('is cut without a sign', '.cell_output pre', (it, box, style) =>
        it.scrollWidth > it.clientWidth &&
        !style.backgroundAttachment.includes('local'));
    look('goes on left of where it began', `${code} > :has(.indent)`, it => {
        range.selectNodeContents(it);
        range.setStartAfter(it.querySelector('.indent'));
        const lefts = [...range.getClientRects()].map(box => Math.round(box.left));
        return lefts.some(left => left < lefts[0]);
    });
    const words = [], texts = document.createTreeWalker(document.body, 4);
    while (texts.nextNode()) {
        range.selectNode(texts.currentNode);
        if (texts.currentNode.data.trim()) words.push(...range.getClientRects());
    }
    look('lies on words', 'button.copybtn', (it, box) => words.some(word =>
        word.width && word.left < box.right && word.right > box.left &&
        word.top < box.bottom && word.bottom > box.top));
    if (innerWidth > 400) return found;
    // On a phone lines break.
    look('is cut', `${code}, #common-mistakes pre, article table`,
        (it, box) => it.scrollWidth > it.clientWidth + 1 || box.right > innerWidth);
    look('is too large', 'h1, h2, h3',
        (it, box, style) => parseFloat(style.fontSize) > 32);
    return found;
}"""
# Of the coloured words of the code, a thousand on a page, one of each kind is left.
VIOLATIONS = """async () => {
    const seen = new Set();
    for (const word of document.querySelectorAll('.highlight span')) {
        const box = word.closest('.cell_input, .cell_output')?.className;
        const kind = [word.className, box, word.childElementCount].join();
        if (seen.has(kind)) word.replaceWith(...word.childNodes);
        seen.add(kind);
    }
    document.body.normalize();
    const found = await axe.run({preload: false, resultTypes: ['violations']});
    return found.violations.flatMap(({id, nodes}) =>
        nodes.map(({html}) => `${id}: ${html}`));
}"""


@pytest.fixture(scope='module')
def visit(opened, site):
    """A function that opens a page of the site."""
    return lambda name, *window: opened(f'{site.as_uri()}/{name}', *window)


def views():
    """Every page in every way; `make test` shows what differs most."""
    for view in itertools.product(PAGES, WIDTHS, ('light', 'dark')):
        shown = view[1:] == ('phone', 'dark')
        shown |= view[1:] == ('desktop', 'light') and view[0] in OF_EACH_KIND
        yield pytest.param(*view, marks=[] if shown else pytest.mark.slow)


@pytest.mark.parametrize(('name', 'size', 'scheme'), [*views()])
def test_everyone_can_read_the_page(visit, name, size, scheme):
    page = visit(name, size, scheme)
    page.eval_on_selector_all('details', 'all => all.map(it => it.open = true)')
    assert page.wrong == []
    page.evaluate(AXE_SCRIPT)
    for width in WIDTHS[size]:
        page.set_viewport_size({'width': width, 'height': 844})
        assert page.evaluate(AMISS) == []
    assert page.evaluate(VIOLATIONS) == []


def test_the_keyboard_opens_side_bars_and_its_focus_shows(visit):
    page = visit(NOTEBOOKS[0], 'phone')
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
    button = page.locator('button.copybtn').first
    button.focus()
    assert button.evaluate('it => getComputedStyle(it).outlineStyle') == 'solid'
    again = visit('README.html').get_by_role('button', name='Play again')
    again.press('Enter')
    assert again.count() == 1


@pytest.fixture(scope='module')
def page(visit, notebook):
    """The page of each notebook in turn, which each test leaves as it was."""
    return visit(f'notebooks/{notebook.path.stem}.html')


def test_the_head_says_where_one_is_and_offers_the_notebook(page, notebook, site):
    (row,) = [row for row in listed() if int(row['number']) == notebook.number]
    section = f'the article: {row["section"]}'
    section = section if row['article'] else 'beyond the article'
    of = f'{row["number"]} of {len(paths())} · {row["minutes"]} min · {section}'
    assert page.locator('h1 + .place').inner_text() == of
    contents = page.get_by_role('link', name='What you learned').bounding_box()
    assert contents['x'] + contents['width'] <= 1280
    offered = page.locator('.run a').get_attribute('href')
    assert offered.endswith(f'/{notebook.path.name}')
    assert (site / 'notebooks' / offered).read_bytes() == notebook.path.read_bytes()


def test_recaps_and_cells_that_draw_are_folded(page, notebook):
    recap = '#where-we-left-off .cell'
    drawing = '.cell:has(.cell_output img):not(:has(.cell_output pre))'
    for cells in [drawing] if notebook.number == 1 else [recap, drawing]:
        assert page.locator(f'{cells} .cell_input pre').count() > 0
        assert page.locator(f'{cells} .cell_input pre:visible').count() == 0
    assert {*page.locator(f'{drawing} summary').all_inner_texts()} == {
        'Code of the figure'
    }
    assert page.locator('summary[aria-label]').count() == 0


def test_a_mistake_is_a_card(page, notebook):
    cards = page.locator('#common-mistakes > ul').evaluate_all(
        """all => all.filter(it => {
            const [above, box, below] =
                [it.previousElementSibling, it, it.nextElementSibling]
                .map(it => it?.getBoundingClientRect());
            const gap = it.matches(':has(+ .cell)') ? below.top - box.bottom : 0;
            return box.top - above.bottom >= 15 && Math.abs(gap) < 1
                && getComputedStyle(it).borderLeft === '5px solid rgb(213, 94, 0)';
        }).length"""
    )
    assert cards == notebook.path.read_text().count('**Symptom:**')


def test_the_page_says_where_to_guess_and_where_to_answer(page, notebook):
    guesses = sum(text.count('**Guess ') for text in notebook.prose())
    assert page.locator('p.guess').count() == guesses >= 2
    answers = page.get_by_text('In JupyterLab you can type your answer here')
    assert answers.count() == len(notebook.exercises())


def test_solutions_are_folded_and_printed_open(page, notebook):
    solutions = 'article details:not(.hide) .highlight-python pre'
    assert page.locator(solutions).count() == len(notebook.exercises())
    assert page.locator(f'{solutions}:visible').count() == 0
    page.emulate_media(media='print')
    # The page is laid out for paper in a frame of its own.
    page.wait_for_function(
        """solutions => [...document.querySelectorAll(solutions)].every(it =>
            it.checkVisibility({contentVisibilityAuto: true})
            && it.getBoundingClientRect().height > 10)""",
        arg=solutions,
    )
    page.emulate_media(media='screen')


def test_the_page_shows_the_code_and_the_committed_outputs(page, notebook):
    asked = notebook.section('Check yourself')
    outputs = [
        out for cell in notebook.code if cell not in asked for out in cell.outputs
    ]
    texts = [output.get('text') or output.data['text/plain'] for output in outputs]
    shown = page.locator('.cell_output :is(pre, img)').evaluate_all(
        'all => all.map(it => (it.alt ?? it.textContent).trim())'
    )
    assert shown == [text.strip() for text in texts]
    code = page.locator('.cell_input pre').all_text_contents()
    sources = [cell.source for cell in notebook.code if cell != asked[-1]]
    assert [text.strip() for text in code] == sources
    script = page.locator('.cell_output .highlight-python:has(.copybtn)')
    assert script.count() == (notebook.number == 14)


def test_mathematics_is_drawn(page, notebook):
    wanted = sum(text.count('$$') // 2 for text in notebook.prose())
    heights = page.locator('div.math math').evaluate_all(
        'all => all.map(it => it.getBoundingClientRect().height)'
    )
    assert len(heights) == wanted
    assert all(height > 20 for height in heights)
    assert '$$' not in page.locator('article').inner_text()
    assert page.locator('mo:text("‖"):not([stretchy=false])').count() == 0
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


def test_a_few_steps_find_the_best_line_of_the_first_page(visit):
    page = visit('index.html')
    for _ in range(5):
        assert 'Found' not in page.locator('.say').inner_text()
        page.get_by_role('button', name='Step').click()
    assert 'Found' in page.locator('.say').inner_text()


MOMENTS = re.findall(r'`(\S+\.html)#(\S+)`', (ROOT / 'TEACHING.md').read_text('utf-8'))
assert MOMENTS


@pytest.mark.parametrize(('name', 'address'), MOMENTS)
def test_what_a_teacher_shows_stands_at_its_address(name, address, visit):
    page = visit(f'notebooks/{name}#{address}')
    state = page.evaluate("document.querySelector('.explorer').explorer.state()")
    state |= {'lr': state.get('rate'), 'w11': state.get('value')}
    state['scaled'] = int(state.get('limit', 0) > 0.5)
    state['steps'] = len(state.get('path', [])) - 1
    for key, wanted in parse_qsl(address):
        assert float(wanted) == pytest.approx(state[key], rel=1e-3), (key, state)


@pytest.mark.slow
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
    printed = number_pages(page)
    assert b'/Outlines' in printed
    assert b'/Alt' in printed
    starts = page.eval_on_selector_all(
        'nav a', 'all => all.map(it => +it.dataset.page)'
    )
    assert len({*starts}) == len(heads) + 1
    assert starts == sorted(starts)
    assert 3 == starts[0] < starts[-1] <= printed.count(b'/Type /Page\n') > 100
