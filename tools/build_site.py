"""Build the static site of the series from the committed notebooks.

    python tools/build_site.py [folder]

The site is written to build/site, or to the folder given. No notebook is executed: a
page shows the outputs that are committed. Sphinx reads a copy of what it needs, because
it leaves files beside its sources.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from execute import NOTEBOOKS, ROOT, series

SETTINGS = ROOT / 'tools' / 'site'
FILES = ('LICENSE', 'CITATION.cff', 'picture.png', 'bench.png')
# README.md links to these; the side bar does not name them.
PAGES = ('CONTRIBUTING.md', 'bench.md')


def copy_sources(to, notebooks=NOTEBOOKS):
    """Copy what becomes the site. README.md becomes its start page, with the contents.

    Args:
        to: a folder that does not exist yet.
        notebooks: the folder whose notebooks become pages.
    """
    (to / 'notebooks').mkdir(parents=True)
    for name in FILES:
        shutil.copy(ROOT / name, to)
    for name in PAGES:
        text = (ROOT / name).read_text(encoding='utf-8')
        (to / name).write_text(f'---\norphan: true\n---\n{text}', encoding='utf-8')
    for path in [*series(notebooks), *Path(notebooks).glob('*.py')]:
        shutil.copy(path, to / 'notebooks')
    start = (ROOT / 'README.md').read_text(encoding='utf-8')
    (to / 'index.md').write_text(start + contents(notebooks), encoding='utf-8')


def contents(notebooks=NOTEBOOKS):
    """The table of contents that Sphinx makes the side bar from, in MyST's syntax."""
    entries = []
    for path in series(notebooks):
        title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
        number, title = path.name[:2], title.removeprefix('# ')
        entries.append(f'{number} {title} <notebooks/{path.stem}>')
    return '\n'.join(['\n```{toctree}', ':hidden:', '', *entries, '```\n'])


def build(to, notebooks=NOTEBOOKS):
    """Build the site anew in the folder `to`. A warning of Sphinx is an error.

    Raises:
        subprocess.CalledProcessError: Sphinx found something wrong and has said what.
    """
    to = Path(to)
    sources = to.with_name(f'{to.name}-sources')
    for folder in (to, sources):
        shutil.rmtree(folder, ignore_errors=True)
    copy_sources(sources, notebooks)
    command = [sys.executable, '-m', 'sphinx', '-b', 'html', '-q', '-W', '--keep-going']
    command += ['-c', SETTINGS, '-d', sources / 'doctrees', sources, to]
    subprocess.run(command, check=True)
    shutil.rmtree(sources)


def main(arguments):
    to = Path(arguments[0]) if arguments else ROOT / 'build' / 'site'
    try:
        build(to)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
    print(f'The site is built. Open {os.path.relpath(to)}/index.html in a browser.')


if __name__ == '__main__':
    main(sys.argv[1:])
