"""The series and its notebooks, as checks and tools look at them."""

import ast
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / 'notebooks'
# Outputs of a cell with this tag of nbval's are facts of the machine: never compared.
MACHINE_FACT = 'nbval-ignore-output'
# A term is bold where it is explained. A label ends with a colon or a full stop.
BOLD = re.compile(r'\*\*(\w[^*]*[^*.:?]|\w)\*\*')
NO_TERMS = ('Beyond the article', 'the article', 'To run the cells yourself')


def paths():
    """The notebooks in the order in which they are read."""
    return sorted(NOTEBOOKS.glob('[0-9][0-9]-*.ipynb'))


ROW = re.compile(
    r'^\| \[(?P<number>\d\d) (?P<title>[^]]+)\]\((?P<page>notebooks/[^)]+)\.ipynb\)'
    r' \| (?P<what>.+?) \| (?P<section>.+?) \| (?P<minutes>\d+) \|$',
    re.MULTILINE,
)


def listed():
    """The rows of README's table of the series, a dict each."""
    for row in ROW.finditer((ROOT / 'README.md').read_text(encoding='utf-8')):
        yield row.groupdict() | {
            'what': row['what'].replace('`', ''),
            'article': 'beyond' not in row['section'],
            'minutes': int(row['minutes']),
        }


def numbered(number):
    """The path of one notebook."""
    (path,) = NOTEBOOKS.glob(f'{number:02}-*.ipynb')
    return path


class Notebook:
    """A notebook file: its number, its cells, and the parts that they make."""

    def __init__(self, path):
        self.path, self.number = Path(path), int(Path(path).name[:2])
        self.node = nbformat.read(path, as_version=4)
        self.cells = self.node.cells
        self.code = [cell for cell in self.cells if cell.cell_type == 'code']
        self.outputs = [output for cell in self.code for output in cell.outputs]

    @property
    def title(self):
        return self.cells[0].source.partition('\n')[0].removeprefix('# ')

    @property
    def minutes(self):
        return int(re.search(r'about (\d+) minutes', self.cells[0].source)[1])

    def section(self, title):
        """The cells from the heading `## title` to the next heading of that level."""
        inside, cells = False, []
        for cell in self.cells:
            if cell.cell_type == 'markdown' and cell.source.startswith('## '):
                inside = cell.source.splitlines()[0] == f'## {title}'
            if inside:
                cells.append(cell)
        return cells

    def prose(self):
        """The Markdown cells without their code blocks."""
        for cell in self.cells:
            if cell.cell_type == 'markdown':
                yield '```'.join(cell.source.split('```')[::2])

    def terms(self):
        """What is explained here: (term, its sentence, the section's heading) each."""
        heading = self.title
        for text in self.prose():
            for line in text.splitlines():
                heading = line.lstrip('# ') if line.startswith('#') else heading
                for term in BOLD.findall(line):
                    if term not in NO_TERMS:
                        yield term, line.lstrip('- '), heading

    def exercises(self):
        """The exercises of *Check yourself*, in order."""
        cells = self.section('Check yourself')
        return [
            Exercise(*cells[position : position + 3])
            for position, cell in enumerate(cells)
            if re.search(r'^answer = \.\.\.', cell.source, re.M)
            and cell.cell_type == 'code'
        ]


class Exercise:
    """The open cell, the cell with the check, and the fold behind them."""

    def __init__(self, opened, checking, fold):
        self.opened, self.checking, self.fold = opened, checking, fold
        check = re.search(r'^(check_\w+)\(answer\)$', checking.source, re.M)
        solution = re.search(r'```python\n(.*?)\n```', fold.source, re.S)
        if not (check and solution):
            missing = 'a cell with check_...(answer) and a fold with the solution'
            raise ValueError(f'Below this belong {missing}:\n{opened.source}')
        self.check, self.solution = check[1], solution[1]


def printed(cell):
    """All text that a code cell put out."""
    texts = [
        output.get('text') or output.get('data', {}).get('text/plain', '')
        for output in cell.outputs
    ]
    return '\n'.join(texts)


def placed(cells):
    """Each cell behind its name: code cells count from 1, as Jupyter shows them."""
    number = texts = 0
    for cell in cells:
        if cell.cell_type == 'code':
            number, texts = number + 1, 0
            yield f'Cell {number}', cell
        else:
            texts += 1
            yield f'Text {texts} after cell {number}', cell


def statements(cells):
    """The top-level statements of code cells, as syntax trees."""
    for cell in cells:
        if cell.cell_type == 'code':
            yield from ast.parse(cell.source).body


def defined(statement):
    """The names that a statement of a lesson defines, in order; a loop teaches none."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [each.asname or each.name for each in statement.names]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    assigned = isinstance(statement, ast.Assign)
    return list(names(statement, ast.Store)) if assigned else []


def names(tree, context):
    """The names in a syntax tree that are read (ast.Load) or set (ast.Store)."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return dict.fromkeys(node.id for node in found if isinstance(node.ctx, context))


def is_folded(cell):
    """Whether JupyterLab, and the site after it, shows the cell without its source."""
    return cell.metadata.get('jupyter', {}).get('source_hidden', False)


def is_machine_fact(cell):
    """Whether a cell's outputs are facts of the machine, such as a timing."""
    return MACHINE_FACT in cell.metadata.get('tags', [])
