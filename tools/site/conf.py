"""Sphinx's settings for the site. `tools/build_site.py` runs it."""

from pathlib import Path

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

HERE = Path(__file__).parent

project = 'Linear regression and gradient descent with PyTorch'
html_title = project
language = 'en'
extensions = ['myst_nb', 'sphinx_copybutton']
exclude_patterns = ['doctrees']

# A page shows the outputs that are committed.
nb_execution_mode = 'off'
nb_ipywidgets_js = {}
myst_enable_extensions = ['dollarmath']
myst_heading_anchors = 3

html_theme = 'furo'
html_static_path = [str(HERE / 'static')]
templates_path = [str(HERE / 'templates')]
html_css_files = ['site.css']
html_js_files = [('site.js', {'defer': 'defer'})]
html_copy_source = True
html_sourcelink_suffix = ''  # the page's .ipynb lies in _sources under its own name
html_show_copyright = False
html_theme_options = {'top_of_page_buttons': []}
highlight_language = 'none'  # where a block does not name its own
html_domain_indices = False
html_use_index = False

# Mathematics becomes MathML, which browsers draw and screen readers read: no script, no
# font, and no second language at build time.
html_math_renderer = 'mathml'


def inline_math(self, node):
    self.body.append(convert(node.astext()))
    raise SkipNode


def block_math(self, node):
    formula = convert(node.astext(), display='block')
    self.body.append(f'<div class="math">{formula}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer('mathml', (inline_math, None), (block_math, None))
