"""Sphinx's settings for the site, which it builds from the files where they lie.

No notebook is executed: a page shows the outputs that are committed.
"""

import re
import sys
from pathlib import Path

import nbformat
from docutils.nodes import SkipNode, math_block
from latex2mathml.converter import convert
from myst_parser.slugs import github_slugify
from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge

sys.path += map(str, Path(__file__).parents[:2])  # this folder and tools
from landing import hero
from series import Notebook, defined, is_folded, listed, paths, printed, statements

project = 'Linear regression and gradient descent with PyTorch'
html_title = project
extensions = ['myst_nb', 'sphinx_copybutton']

root_doc = 'README'
include_patterns = [
    'README.md',
    'CONTRIBUTING.md',
    'TEACHING.md',
    'bench.md',
    'tools/site/glossary.md',
    'notebooks/[0-9][0-9]-*.ipynb',
]
exclude_patterns = ['.*', 'build']  # folders that need not be searched
# README.md links to the two other pages; the side bar names the series alone.
suppress_warnings = ['toc.not_included']

nb_execution_mode = 'off'
myst_enable_extensions = ['attrs_block', 'deflist', 'dollarmath']
myst_heading_anchors = 3
highlight_language = 'none'  # where a block does not name its own

html_theme = 'furo'
html_static_path = ['static']
templates_path = ['templates']
html_additional_pages = {'index': 'index.html'}
# The groups of the series, each under the number of the notebook with which it begins.
BEGINS = {
    '01': 'By hand',
    '07': 'With PyTorch',
    '09': 'Understand it',
    '11': 'With real data',
    '13': 'At large scale',
}
GROUPS = {}
for row in listed():
    if row['number'] in BEGINS:
        group = GROUPS[BEGINS[row['number']]] = []
    group.append(row)
html_context = {'rows': [*listed()], 'groups': GROUPS, 'hero': hero()}
html_css_files = ['site.css']
html_js_files = [('site.js', {'defer': 'defer'})]
copybutton_selector = 'div.notranslate:not(.output) > div.highlight > pre'
html_sourcelink_suffix = ''  # the page's .ipynb lies in _sources under its own name
html_show_copyright = False
html_theme_options = {'top_of_page_buttons': []}
html_use_index = False
# Mathematics becomes MathML, which browsers draw and screen readers read: no script, no
# second language at build time. Its font is static/math.woff.
html_math_renderer = 'mathml'

# The indentation of a line of code; where a long one breaks: behind ( and before a dot.
INDENT = re.compile('((?:<[^>]+>)*)( *)')
BREAKS = re.compile(r'(?<=\(</span>)|(?=<span class="o">\.</span>)')


class Lines(HtmlFormatter):
    """Each line a block that knows its indentation, for where it is broken."""

    def _format_lines(self, tokens):
        for is_code, line in super()._format_lines(tokens):
            spaces = INDENT.match(line)[2]
            line = INDENT.sub(r'\1<span class="indent">\2</span>', line, count=1)
            line = BREAKS.sub('<wbr>', line)
            yield is_code, f'<span style="--indent: {len(spaces)}ch">{line}</span>'


PygmentsBridge.html_formatter = Lines

ANSWER_HERE = 'In JupyterLab you can type your answer here, and check it below.'

# `make links`: these are examples, or need the reader's own server.
linkcheck_ignore = [r'https?://(127\.|localhost|HOST)', r'https://mybinder\.org/v2/']
linkcheck_retries = 3


def add_contents(app, docname, source):
    """Let README.md end in the contents of the series, which make the side bar."""
    if docname == root_doc:
        contents = {
            group: [f'{row["number"]} {row["title"]} <{row["page"]}>' for row in rows]
            for group, rows in GROUPS.items()
        }
        contents['More'] = [
            'Glossary <tools/site/glossary>',
            'How fast is it? <bench>',
            'How to run it <self>',
        ]
        for caption, entries in contents.items():
            head = ['\n```{toctree}', ':hidden:', f':caption: {caption}', '']
            source[0] += '\n'.join([*head, *entries, '```\n'])


def add_terms(app, docname, source):
    """Let the glossary hold every term, in the order of the alphabet."""
    if docname == 'tools/site/glossary':
        found = [
            (term[0].upper() + term[1:], sentence.replace('**', ''), heading, path.name)
            for path in paths()
            for term, sentence, heading in Notebook(path).terms()
        ]
        for term, sentence, heading, name in sorted(found, key=lambda x: x[0].lower()):
            page = f'../../notebooks/{name}#{github_slugify(heading)}'
            where = f'[{name[:2]}, {heading}]({page})'
            source[0] += f'\n**{term}**\n: {sentence} {where}\n'


def prompt(cell, draws):
    """What the fold of a cell says of it: the names of what it makes."""
    made = [it for it in statements([cell]) if not hasattr(it, 'names')]  # no import
    names = [*dict.fromkeys(name for one in made for name in defined(one))]
    if draws or not names:
        return 'Code of the figure' if draws else 'Code of the output'
    return 'Code: ' + ', '.join(names[:4]) + ' …' * (len(names) > 4)


def markdown(text):
    return nbformat.v4.new_output('display_data', {'text/markdown': text})


def suit_readers(app, docname, source):
    """Fold cells as JupyterLab does, and those that draw; show a script as code, and
    what is to be guessed as a box; let exercises say where to answer them.
    """
    if not docname.startswith('notebooks/'):
        return
    notebook = Notebook(app.env.doc2path(docname))
    asked = notebook.section('Check yourself')
    notebook.cells.remove(asked[-1])  # progress, which counts answers
    for cell in notebook.cells:
        cell.source = re.sub(r'(^|\n+)(\*\*Guess )', r'\n\n{.guess}\n\2', cell.source)
    beside = notebook.path.parent.glob('*.py')
    scripts = [path.read_text('utf-8').strip() for path in beside]
    for cell in notebook.code:
        draws = ['image/png' in output.get('data', {}) for output in cell.outputs]
        if is_folded(cell) or draws and all(draws):
            cell.metadata.tags = [*cell.metadata.get('tags', []), 'hide-input']
            words = prompt(cell, any(draws))
            prompts = {'code_prompt_show': words, 'code_prompt_hide': words}
            cell.metadata['mystnb'] = prompts
        shown = printed(cell).strip()
        if shown in scripts:
            cell.outputs = [markdown(f'```python\n{shown}\n```')]
        if cell in asked:
            cell.outputs = []
    for exercise in notebook.exercises():
        exercise.opened.outputs = [markdown(ANSWER_HERE)]
    source[0] = nbformat.writes(notebook.node)


def write_math(self, node):
    block = isinstance(node, math_block)
    level = '<mo stretchy="false">&#x02016;'  # both bars of a norm, whatever is between
    formula = convert(node.astext(), display='block' if block else 'inline')
    formula = formula.replace('<mo>&#x02016;', level)
    self.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise SkipNode


def setup(app):
    app.connect('source-read', add_contents)
    app.connect('source-read', add_terms)
    app.connect('source-read', suit_readers)
    app.add_html_math_renderer('mathml', (write_math, None), (write_math, None))
