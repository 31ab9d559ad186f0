"""Print the series as one PDF, with headless Chromium, from the pages of the site."""

import os
import re
import shutil
import sys
import tomllib
from datetime import date
from pathlib import Path

from series import ROOT, listed

NO_CHROMIUM = (
    'Chromium is missing. Debian and Ubuntu: apt-get install chromium. '
    'Elsewhere: .venv/bin/playwright install chromium. '
    'Or name one that you have: CHROMIUM=/path/to/it make ...'
)
PDF = {'outline': True, 'tagged': True, 'prefer_css_page_size': True}
# A page's article as a chapter: its folds open, its ids and links those of the whole.
CHAPTER = """number => {
    const name = place => place.pathname.split('/').pop().replace('.html', '');
    const here = name(location), article = document.querySelector('article');
    const odd = '.headerlink, .run, script, .hide > summary';
    article.querySelectorAll(odd).forEach(it => it.remove());
    article.querySelectorAll('.hide').forEach(it => it.replaceWith(...it.childNodes));
    article.querySelectorAll('details').forEach(it => it.open = true);
    article.querySelectorAll('img').forEach(it => it.src = it.src);
    article.querySelectorAll('[id]').forEach(it => it.id = `${here}-${it.id}`);
    for (const link of article.querySelectorAll('a:not(.external)')) {
        if (!link.href.includes('/notebooks/')) link.removeAttribute('href');
        else link.href = `#${name(link)}${link.hash.replace('#', '-')}`;
    }
    article.querySelector('h1').prepend(number);
    return `<article id="${here}">${article.innerHTML}</article>`;
}"""
COVER = """
<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="{site}/_static/pygments.css">
<link rel="stylesheet" href="{root}/tools/site/paper.css">
<header><div>{title}</div>{promise}<p>Version {version}, {today:%d %B %Y}</p></header>
<nav><h1>Contents</h1><ol>{rows}</ol></nav>
"""
ROW = '<li><a href="#{name}">{number} {title}</a><p>{what}</p></li>'


def launch(playwright):
    """Headless Chromium, or None where it is missing."""
    names = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
    its_own = playwright.chromium.executable_path
    found = next(filter(None, map(shutil.which, names)), its_own)
    found = os.environ.get('CHROMIUM') or found
    flags = ['--disable-quic', '--disable-gpu']
    if os.path.exists(found):
        return playwright.chromium.launch(executable_path=found, args=flags)


def gather(browser, site):
    """A browser's page that holds the series, from the cover to the glossary."""
    page = browser.new_context(java_script_enabled=False, offline=True).new_page()

    def chapter(name, number=''):
        page.goto((site / f'{name}.html').as_uri())
        return page.evaluate(CHAPTER, number)

    rows = [row | {'name': Path(row['page']).name} for row in listed()]
    chapters = [chapter(row['page'], f'{row["number"]} ') for row in rows]
    rows.append({'name': 'glossary', 'number': '', 'title': 'Glossary', 'what': ''})
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))['project']
    chapter('README')
    cover = COVER.format(
        title=page.locator('h1').inner_text(),
        promise=page.eval_on_selector_all(
            'article section > p', 'all => all[0].outerHTML + all[1].outerHTML'
        ),
        version=project['version'],
        today=date.today(),
        rows=''.join(ROW.format(**row) for row in rows),
        root=ROOT.as_uri(),
        site=site.as_uri(),
    )
    whole = site / 'paper.html'
    whole.write_text(
        cover + ''.join([*chapters, chapter('tools/site/glossary')]), 'utf-8'
    )
    page.goto(whole.as_uri())
    whole.unlink()
    return page


def number_pages(page):
    """Write page numbers into the contents; Chromium has no target-counter.

    Returns:
        The file that says where each chapter begins, itself without the numbers.
    """
    printed = page.pdf(**PDF)
    pages = re.findall(rb'^(\d+) 0 obj\n<</Type /Page\n', printed, re.MULTILINE)
    begins = dict(re.findall(rb'^/(\S+) \[(\d+) 0 R /XYZ', printed, re.MULTILINE))
    for link in page.locator('nav a').all():
        chapter = link.get_attribute('href').removeprefix('#').encode()
        number = pages.index(begins[chapter]) + 1
        link.evaluate('(link, number) => link.dataset.page = number', number)
    return printed


def main():
    """Print it, and say where it lies."""
    from playwright.sync_api import sync_playwright  # which a reader may not have

    with sync_playwright() as playwright:
        browser = launch(playwright)
        if not browser:
            sys.exit(NO_CHROMIUM)
        page = gather(browser, ROOT / 'build' / 'site')
        number_pages(page)
        path = ROOT / 'build' / 'series.pdf'
        page.pdf(path=path, **PDF)
        browser.close()
    print(f'{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB')


if __name__ == '__main__':
    main()
