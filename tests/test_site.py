"""The site: complete, readable for everyone, and made of nothing but its own files."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from conftest import NOTEBOOKS, ROOT, Notebook, exercises_of, wait_until

MEGABYTE = 1_000_000
DESKTOP, PHONE = {'width': 1440, 'height': 900}, {'width': 390, 'height': 844}
PAGES = [
    'index.html',
    'CONTRIBUTING.html',
    'bench.html',
    'search.html',
    *[f'notebooks/{path.stem}.html' for path in NOTEBOOKS],
]


@pytest.fixture(scope='session')
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp('built') / 'site'
    script = ROOT / 'tools' / 'build_site.py'
    done = subprocess.run(
        [sys.executable, script, folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """What a page links to, what it loads, and where one can jump to in it."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.loads, self.ids = path, [], [], set()
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get('id'))
        if tag == 'a':
            self.links.append(attributes.get('href'))
        elif tag == 'link':
            self.loads.append(attributes.get('href'))
        self.loads += [attributes.get('src'), attributes.get('data')]
        self.loads += re.findall(r'url\(([^)]+)\)', attributes.get('style', ''))


@pytest.fixture(scope='session')
def pages(site):
    return {path: Page(path) for path in site.rglob('*.html')}


def test_the_site_has_a_page_for_each_notebook(site):
    found = {path.relative_to(site).as_posix() for path in site.rglob('*.html')}
    assert found == set(PAGES)


def test_no_page_is_too_large(pages):
    for path in pages:
        assert path.stat().st_size < 1.5 * MEGABYTE, path.name


def test_links_and_anchors_inside_the_site(site, pages):
    for path, page in pages.items():
        for link in filter(None, page.links + page.loads):
            parts = urlsplit(link)
            if parts.scheme in ('http', 'https', 'data'):
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            assert target.is_relative_to(site), f'{path.name} leaves the site: {link}'
            assert target.is_file(), f'{path.name} links to nothing: {link}'
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, (path.name, link)


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for path, page in pages.items():
        for load in filter(None, page.loads):
            assert urlsplit(load).scheme in ('', 'data'), f'{path.name}: {load}'
            assert not load.startswith('//'), f'{path.name}: {load}'
    for path in site.rglob('*.css'):
        text = path.read_text(encoding='utf-8')
        for load in re.findall(r'(?:url\(|@import\s)["\']?([^"\')\s]+)', text):
            assert not re.match(r'(https?:)?//', load), f'{path.name}: {load}'


def test_each_page_offers_its_notebook(site, notebook):
    page = Page(site / 'notebooks' / f'{notebook.path.stem}.html')
    (link,) = [link for link in page.links if link and link.endswith('.ipynb')]
    offered = (page.path.parent / link).resolve()
    assert offered.name == notebook.path.name
    assert offered.read_bytes() == notebook.path.read_bytes()


def test_pages_follow_each_other(site):
    order = ['index.html', *[path.stem + '.html' for path in NOTEBOOKS]]
    for number, path in enumerate(NOTEBOOKS, start=1):
        text = (site / 'notebooks' / f'{path.stem}.html').read_text(encoding='utf-8')
        ahead = re.findall(r'<a class="next-page" href="([^"]+)"', text)
        back = re.findall(r'<a class="prev-page" href="([^"]+)"', text)
        assert [os.path.basename(link) for link in ahead] == order[number + 1 :][:1]
        assert [os.path.basename(link) for link in back] == [order[number - 1]]


def test_external_links_are_listed():
    listed = (ROOT / 'tests' / 'external-links.txt').read_text().split()
    assert listed == sorted(set(listed)), 'Keep tests/external-links.txt in order.'
    texts = [(ROOT / name).read_text('utf-8') for name in ('README.md', 'LICENSE')]
    texts += [(ROOT / name).read_text('utf-8') for name in ('CONTRIBUTING.md',)]
    texts += [cell.source for path in NOTEBOOKS for cell in Notebook(path).cells]
    found = set(re.findall(r'https?://[^\s)\]>`\'"]*[\w/]', ' '.join(texts)))
    ours = r'//(127\.|localhost|HOST/|mybinder\.org/v2/)'  # or a place for the reader's
    found = {link for link in found if not re.search(ours, link)}
    assert found == set(listed), (
        'tests/external-links.txt names each external link once. '
        f'Add {sorted(found - set(listed))}, remove {sorted(set(listed) - found)}.'
    )


# From here on in a browser.

# `make test` shows these on a desktop, and all pages on a phone; `make test-all` shows
# all pages on both, in the light and in the dark.
ONE_OF_EACH_KIND = ['index.html', 'bench.html', f'notebooks/{NOTEBOOKS[3].stem}.html']


class Visitor:
    """A browser window without a network, and what went wrong in it."""

    def __init__(self, browser, site, size=DESKTOP, scheme='light'):
        self.site, self.wrong = site, []
        context = browser.new_context(
            viewport=size, color_scheme=scheme, has_touch=size is PHONE, offline=True
        )
        self.page = context.new_page()
        self.page.on('pageerror', lambda error: self.wrong.append(str(error)))
        self.page.on('requestfailed', lambda request: self.wrong.append(request.url))
        self.page.on('request', self._note)

    def _note(self, request):
        if not request.url.startswith(('file:', 'data:')):
            self.wrong.append(request.url)

    def open(self, name, query=''):
        self.page.goto((self.site / name).as_uri() + query)
        return self.page

    def unfold(self):
        self.page.eval_on_selector_all('details', 'all => all.map(d => d.open = true)')


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.fixture(scope='module', params=['light', slow('dark')])
def desktop(browser, site, request):
    visitor = Visitor(browser, site, DESKTOP, request.param)
    yield visitor
    visitor.page.context.close()


@pytest.fixture(scope='module', params=['dark', slow('light')])
def phone(browser, site, request):
    visitor = Visitor(browser, site, PHONE, request.param)
    yield visitor
    visitor.page.context.close()


@pytest.fixture(scope='module')
def visitor(browser, site):
    visitor = Visitor(browser, site)
    yield visitor
    visitor.page.context.close()


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


@pytest.mark.parametrize(
    'name', [name if name in ONE_OF_EACH_KIND else slow(name) for name in PAGES]
)
def test_everyone_can_read_the_page_on_a_desktop(desktop, axe, name):
    page = desktop.open(name)
    desktop.unfold()
    assert violations(page, axe) == []
    assert desktop.wrong == []
    assert no_overflow(page)


@pytest.mark.parametrize('name', PAGES)
def test_everyone_can_read_the_page_on_a_phone(phone, axe, name):
    page = phone.open(name)
    phone.unfold()
    assert violations(page, axe) == []
    assert phone.wrong == []
    assert no_overflow(page)
    figures_are_readable(page)


def no_overflow(page):
    return page.evaluate('document.documentElement.scrollWidth <= innerWidth')


def figures_are_readable(page):
    """Each figure is described, drawn, fits, and stands on white in the dark too."""
    for image in page.locator('article img').all():
        seen = image.evaluate(
            """image => ({
                alt: image.alt,
                drawn: image.complete && image.naturalWidth > 0,
                right: image.getBoundingClientRect().right,
                ground: getComputedStyle(image).backgroundColor,
            })"""
        )
        assert len(seen['alt']) >= 40
        assert seen['drawn'], seen
        assert seen['right'] <= PHONE['width'], seen
        assert seen['ground'] == 'rgb(255, 255, 255)', seen


def test_the_page_shows_the_committed_outputs(visitor, notebook):
    page = visitor.open(f'notebooks/{notebook.path.stem}.html')
    shown = page.locator('.cell_output pre').all_text_contents()
    committed, figures = [], []
    for cell in notebook.code:
        for output in cell.outputs:
            data = output.get('data', {})
            if 'text/html' in data:
                figures += re.findall(r'alt="([^"]+)"', data['text/html'])
            else:
                committed.append(output.get('text') or data['text/plain'])
    assert [text.strip() for text in shown] == [text.strip() for text in committed]
    assert page.locator('.cell_output img').count() == len(figures)


def test_code_is_coloured_and_can_be_copied(visitor, notebook):
    page = visitor.open(f'notebooks/{notebook.path.stem}.html')
    cells = page.locator('.cell_input .highlight')
    assert cells.count() == len(notebook.code)
    assert cells.first.locator('span.kn').count(), 'No word of the imports is coloured.'
    assert cells.locator('button.copybtn').count() == len(notebook.code)
    cells.first.hover()
    cells.first.locator('button.copybtn').click()
    # Pasting is the proof; a text field of one line makes blanks of the ends of lines.
    page.locator('.sidebar-search').focus()
    page.keyboard.press('Control+V')
    pasted = page.locator('.sidebar-search').input_value()
    assert pasted == notebook.code[0].source.replace('\n', ' ')


def test_mathematics_is_drawn(visitor, notebook):
    page = visitor.open(f'notebooks/{notebook.path.stem}.html')
    wanted = sum(text.count('$$') // 2 for text in notebook.prose())
    drawn = page.locator('div.math math')
    assert drawn.count() == wanted
    assert all(box.bounding_box()['height'] > 20 for box in drawn.all())
    assert '$$' not in page.locator('article').inner_text()


def test_solutions_are_folded_and_coloured(visitor, notebook):
    exercises = exercises_of(notebook)
    page = visitor.open(f'notebooks/{notebook.path.stem}.html')
    drawn = page.locator('article details')
    assert drawn.count() == len(exercises)
    for fold, exercise in zip(drawn.all(), exercises, strict=True):
        code = fold.locator('.highlight-python pre')
        assert not code.is_visible()
        fold.locator('summary').press('Enter')
        assert code.is_visible()
        assert code.locator('span[class]').count(), 'The solution is not coloured.'
        assert fold.locator('button.copybtn').count() == 1
        assert code.inner_text().strip() == exercise.solution.strip()


def test_search_finds_the_word_that_one_types(visitor):
    page = visitor.open('index.html')
    page.locator('.sidebar-search').fill('learning rate')
    page.keyboard.press('Enter')
    page.wait_for_selector('#search-results li a')
    page.wait_for_function(
        "document.querySelector('.search-summary').textContent.includes('found')"
    )
    found = page.locator('#search-results li a').all()
    names = {urlsplit(link.get_attribute('href')).path for link in found}
    assert f'notebooks/{NOTEBOOKS[4].stem}.html' in names
    assert visitor.wrong == []


def test_the_side_bar_lists_the_series(visitor):
    page = visitor.open(f'notebooks/{NOTEBOOKS[0].stem}.html')
    listed = page.locator('.sidebar-tree a').all_inner_texts()
    titles = [Notebook(path).cells[0].source.splitlines()[0] for path in NOTEBOOKS]
    assert listed == [
        f'{path.name[:2]} {title.removeprefix("# ")}'
        for path, title in zip(NOTEBOOKS, titles, strict=True)
    ]
    here = page.locator('.toc-tree a').all_inner_texts()
    assert 'What you learned' in here


def test_the_keyboard_skips_to_the_text(visitor):
    page = visitor.open('index.html')
    page.keyboard.press('Tab')
    assert page.evaluate('document.activeElement.textContent.trim()') == (
        'Skip to content'
    )
    page.keyboard.press('Enter')
    assert page.url.endswith('#furo-main-content')


def test_the_keyboard_opens_the_side_bars_of_a_phone(browser, site):
    visitor = Visitor(browser, site, PHONE)
    page = visitor.open(f'notebooks/{NOTEBOOKS[0].stem}.html')
    for name, inside in (('Series and search', '.sidebar'), ('On this page', '.toc')):
        link = page.locator(f'{inside}-drawer a:visible').first
        assert link.count() == 0
        button = page.get_by_role('button', name=name, exact=True)
        button.press('Enter')
        assert button.get_attribute('aria-expanded') == 'true'
        link.wait_for(state='visible')
        assert page.evaluate(
            'inside => !!document.activeElement.closest(inside)', f'{inside}-drawer'
        )
        page.keyboard.press('Escape')
        assert button.get_attribute('aria-expanded') == 'false'
        wait_until(lambda link=link: link.count() == 0, seconds=5)
    page.context.close()


def test_the_button_turns_the_light_off(visitor):
    page = visitor.open('index.html')
    grounds = set()
    for _ in range(3):
        page.locator('.theme-toggle:visible').first.click()
        grounds.add(page.evaluate('getComputedStyle(document.body).backgroundColor'))
    assert len(grounds) == 2
