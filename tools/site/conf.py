"""Sphinx's settings for the site. `tools/build_site.py` runs it."""

from pathlib import Path

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
myst_links_external_new_tab = False

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

# Mathematics as MathML: browsers draw it and screen readers read it without a script, a font
# or a second language at build time.
html_math_renderer = 'mathml'


def inline_math(self, node):
    self.body.append(convert(node.astext()))


def block_math(self, node):
    self.body.append('<div class="math">')
    self.body.append(convert(node.astext(), display='block'))
    self.body.append('</div>')


def setup(app):
    def skip(visit):
        def visit_and_skip(self, node):
            visit(self, node)
            raise SkipNode

        return visit_and_skip, None

    from docutils.nodes import SkipNode

    app.add_html_math_renderer('mathml', skip(inline_math), skip(block_math))
