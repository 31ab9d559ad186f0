"""Deliberate mistakes: some by name, many more made from the notebooks themselves."""

import ast
import difflib
import random
import re
from itertools import accumulate, pairwise
from typing import NamedTuple

from facts import COUNTS, NUMBER, SHOWS, statement
from nbformat import NotebookNode
from series import ROOT, Notebook, numbered, paths, placed


class Mistake(NamedTuple):
    """A text in place of another, in a cell or in a file of the project."""

    kind: str
    name: str
    where: str  # the file's path in the project
    cell: NotebookNode | None  # the notebook's; None for a file's text as it stands
    old: str  # the text: a cell's is whole, a file's is a piece
    new: str  # what stands in its place
    checks: str = ''  # what to run, if not all that looks at the notebook

    @property
    def is_recorded(self):
        return self.cell and self.cell.cell_type == 'code' and not self.checks


# What is wrong: (where, old, new, ...). A number is a notebook: the first cell with the
# text, code before prose, is changed and recorded. A path is a file, only changed.
# fmt: off
NAMED = {
    'the update goes uphill': (6, '        w -= lr', '        w += lr'),
    'the bias is never updated': (6, '        b -= lr * b.grad\n', ''),
    'zero_() dropped from the loop': (6, '        w.grad.zero_()\n', ''),
    'the model without its bias': (2, 'return x @ w.t() + b', 'return x @ w.t()'),
    'sum for mean': (3, ' / diff.numel()', ''),
    'apples and oranges swapped': (3, '[56, 70], [81, 101]', '[70, 56], [101, 81]'),
    'L1 for MSE': (7, 'loss_fn = F.mse_loss', 'loss_fn = F.l1_loss'),
    'no shuffle': (7, 'shuffle=True', 'shuffle=False'),
    'the last batch shown as mean': (7, '{means[-1]:.2f}', '{lasts[-1]:.2f}'),
    'weights saved, never loaded': (8, "loaded.load_state_dict(saved['weights'])\n", ''),
    'a wrong solution': (3, '(squares / around_mean).sqrt()', 'squares / around_mean'),
    'an output edited by hand': ('notebooks/06*', '283.09\\n', '238.09\\n'),
    'a picture that is not recorded': ('notebooks/03*', 'preds[:, 0], reg', 'preds[:, 1], reg'),
    'a picture without description': ('notebooks/04*', ' alt=', ' title='),
    'a warning in an output': ('notebooks/04*', '"name": "stdout"', '"name": "stderr"'),
    'cells run out of order': ('notebooks/05*', '_count": 3', '_count": 23'),
    'a timing that breaks its claim': ('notebooks/13*', "article's loader    0", "article's loader    9"),
    'a notebook that the README lacks': ('README.md', '/04-gradients', '/04-gradient', 'test_form'),
    'a number in the CSV': ('helpers/regions.csv', ',134,', ',143,', 'test_data'),
    'two yields exchanged': ('helpers/cowpea_maize.csv', '259,2121', '2121,259', 'test_data'),
    'columns swapped by the reader': ('helpers/data.py', '[*inputs, *targets]', '[*targets, *inputs]', 'test_data'),
    'gradients of one process': ('*/scale_out.py', 'mse_loss(model(xb)', 'mse_loss(model.module(xb)', 'test_scale_out'),
    'no momentum in the checkpoint': ('*/scale_out.py', "        opt.load_state_dict(stored[0]['opt'])\n", '', 'test_scale_out'),
    'one order for all epochs': ('*/scale_out.py', 'set_epoch(epoch)', 'set_epoch(0)', 'test_scale_out'),
    'an explorer goes uphill': ('helpers/explore.js', 'old - rate * velocity', 'old + rate * velocity', 'test_explore -k pytorch'),
    'an explorer without its velocity': ('helpers/explore.js', 'beta * old + g', 'g', 'test_explore -k pytorch'),
    'an explorer that the mouse alone moves': ('helpers/explore.js', ' tabindex="0"', '', 'test_explore -k keyboard'),
    'an explorer whose bowl is flat': ('helpers/explore.js', 'scale === 1 ? away', 'scale ? away', 'test_explore -k bowl'),
    'an explorer that runs for a minute': ('helpers/explore.js', '(2000 * some)', '(60000 * some)', 'test_explore -k motion'),
    'an open answer is right': ('exercises/*.py', 'if answer is ...:', 'if False:', 'test_exercises'),
    'any tensor is right': ('exercises/*.py', 'if not wrong:', 'if True:', 'test_exercises'),
    'a solution in a handout': ('tools/classroom.py', 'notebook.cells.remove(exercise.fold)', 'pass', 'test_classroom'),
    'the key follows a redirect': ('*/sharing.py', 'add_unredirected_header', 'add_header', 'test_sharing -k redirects'),
    'a clone without its exercises': ('*/sharing.py', "    'exercises/*.py',\n", '', 'test_sharing -k link'),
    'another torch in the README': ('README.md', 'torch==2', 'torch==1', 'test_environment'),
    'six regions in the README': ('README.md', 'a table of five', 'a table of six', 'test_readme'),
    'pictures may differ': ('tools/compare.py', 'TOLERANCE = 2', 'TOLERANCE = 200', 'test_compare'),
    'a hundredth may differ': ('tools/compare.py', '1e-4 * size)', '1e-2 * size)', 'test_compare'),
    'recording keeps everything': ('tools/execute.py', 'if why:', 'if False:', 'test_execute -k record'),
    'every fact holds': ('tools/facts.py', '0.5001 * unit', '5001 * unit', 'test_facts'),
    'no output is compared': ('tests/one_run.py', 'return not found', 'return True', 'test_one_run'),
}
# fmt: on

OPPOSITES = """falls rises, fall rise, falling rising, fell rose, grows shrinks,
below above, positive negative, better worse, more_than less_than, larger smaller,
largest smallest, higher lower, too_high too_low, faster slower,
earlier later, left_branch right_branch""".replace(',', '')
WORDS = [word.replace('_', ' ') for word in OPPOSITES.split()]
OPPOSITE = {word: WORDS[place ^ 1] for place, word in enumerate(WORDS)}
# A line that ends as a question claims nothing.
DIRECTION = re.compile(
    rf'(?<![\w-])(?:{"|".join(OPPOSITE)})(?![\w-])(?!.*\?)', re.IGNORECASE
)
FLIPPED = str.maketrans('+-<>', '-+><')
# Statements that are not dropped, names and strings that are not swapped.
NEEDED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assert)
MODULES = ('torch', 'np', 'F', 'nn', 'plt')
# A string that a figure may show: it has letters, and is no setting of matplotlib's.
LABEL = re.compile('^(?!(left|right|top|black|log|equal|constrained|x|sci)$).*[a-z]')


def named():
    """The mistakes of the table."""
    for name, (where, old, new, *checks) in NAMED.items():
        if isinstance(where, int):
            notebook = Notebook(numbered(where))
            cell = next(c for c in notebook.code + notebook.cells if old in c.source)
            text = cell.source, cell.source.replace(old, new, 1)
            yield Mistake('named', name, place(notebook.path), cell, *text)
        else:
            files = (path for path in ROOT.glob(where) if path.is_file())
            path = next(path for path in files if old in path.read_text('utf-8'))
            yield Mistake('named', name, place(path), None, old, new, *checks)


def sample(count):
    """So many mistakes in code, chosen at random, as many of each kind.

    13 and 14 are left out, because they run for long.
    """
    by_kind, chosen = {}, []
    for mistake in by_operator(paths()[:12]):
        if 'words' not in mistake.kind:
            by_kind.setdefault(mistake.kind, []).append(mistake)
    for kind, mistakes in sorted(by_kind.items()):
        share = min(count // len(by_kind), len(mistakes))
        chosen += random.Random(f'1 {kind}').sample(mistakes, share)
    return chosen


def by_operator(notebooks):
    """All that the operators make of these notebooks."""
    for notebook in map(Notebook, notebooks):
        where = place(notebook.path)
        for name, cell in placed(notebook.cells):
            for kind, *edits in mistakes_in(cell):
                old = new = cell.source
                for start, stop, text in sorted(edits, reverse=True):
                    new = new[:start] + text + new[stop:]
                lines = difflib.ndiff(old.splitlines(), new.splitlines())
                said = '  '.join(line for line in lines if line[0] in '-+')
                said = f'{notebook.number:02} {name}: {said}'
                # Without an assertion, nothing else runs.
                checks = 'test_form' if 'assert' in kind else ''
                yield Mistake(kind, said, where, cell, old, new, checks)


def place(path):
    return path.relative_to(ROOT).as_posix()


def mistakes_in(cell):
    """Each a kind and its edits (start, stop, text)."""
    if cell.cell_type == 'markdown':
        yield from in_words(statement(cell))
        return
    code = Code(cell.source)
    shows = [call for call in code.nodes(ast.Call) if code.text(call.func) in SHOWS]
    described = [text for show in shows for text in code.strings(show)]
    unseen = described + [node.slice for node in code.nodes(ast.Subscript)]
    labels = [
        text
        for text in code.strings()
        if text not in unseen and LABEL.search(text.value) and shows
    ]
    for one, other in pairwise(labels):
        if one.value != other.value:
            yield 'labels swapped', *code.swapped(one, other)
    for text in described:
        start = code.span(text)[0]
        for kind, (a, b, new) in in_words(code.text(text)):
            yield kind, (start + a, start + b, new)
    for node in [code.tree, *code.nodes()]:
        yield from in_code(code, node)


class Code:
    """A cell's syntax tree, and where its nodes stand in the text."""

    def __init__(self, source):
        self.source = source
        self.tree = ast.parse(re.sub(r'[^\0-\x7f]', 'x', source))  # it counts in bytes
        self.lines = [0, *accumulate(map(len, source.splitlines(keepends=True)))]

    def nodes(self, kind=ast.AST, inside=None):
        """The nodes but those in f-strings, whose places Python 3.11 does not know."""
        for node in ast.iter_child_nodes(inside or self.tree):
            if not isinstance(node, ast.JoinedStr):
                if isinstance(node, kind):
                    yield node
                yield from self.nodes(kind, node)

    def strings(self, inside=None):
        constants = self.nodes(ast.Constant, inside)
        return [node for node in constants if isinstance(node.value, str)]

    def span(self, node):
        start = self.lines[node.lineno - 1] + node.col_offset
        return start, self.lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node):
        return self.source[slice(*self.span(node))]

    def without(self, statement):
        return self.lines[statement.lineno - 1], self.lines[statement.end_lineno], ''

    def flipped(self, left, right):
        """An edit of the operator between two nodes."""
        start, stop = self.span(left)[1], self.span(right)[0]
        return start, stop, self.source[start:stop].translate(FLIPPED)

    def swapped(self, one, other):
        return (*self.span(one), self.text(other)), (*self.span(other), self.text(one))


def in_code(code, node):
    beside = []
    match node:
        case ast.Constant() if type(node.value) in (int, float):
            yield 'digits', (*code.span(node), other_number(code.text(node)))
        case ast.UnaryOp(op=ast.USub()):
            start = code.span(node)[0]
            yield 'signs', (start, start + 1, '')
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            yield 'signs', code.flipped(node.target, node.value)
        case ast.Compare(ops=[ast.Lt() | ast.Gt() | ast.LtE() | ast.GtE(), *_]):
            yield 'comparisons', code.flipped(node.left, node.comparators[0])
        case ast.Assert():
            yield 'asserts dropped', code.without(node)
            yield 'asserts emptied', (*code.span(node.test), 'True')
        case ast.BinOp():
            beside = [node.left, node.right]
            if isinstance(node.op, ast.Add | ast.Sub):
                yield 'signs', code.flipped(*beside)
        case ast.Call(args=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            beside = parts
    for one, other in pairwise(map(beginning, beside)):
        if one and other and one.id != other.id:
            yield 'names swapped', *code.swapped(one, other)
    body = getattr(node, 'body', None)
    for line in body if isinstance(body, list) and len(body) > 1 else []:
        if not isinstance(line, NEEDED):
            yield 'statements dropped', code.without(line)


def beginning(node):
    """The name at which an expression begins: w, of w.grad[0] and of w.t()."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call):
        node = getattr(node, 'value', None) or getattr(node.func, 'value', None)
    return node if isinstance(node, ast.Name) and node.id not in MODULES else None


def in_words(said):
    for found in NUMBER.finditer(said):
        yield 'numbers in words', (*found.span(), other_number(found[0]))
    for found in DIRECTION.finditer(said):
        text = OPPOSITE[found[0].lower()]
        text = text.capitalize() if found[0][0].isupper() else text
        yield 'directions in words', (*found.span(), text)


def other_number(text):
    """A number in digits or as a word, with another last digit."""
    if text.lower() in COUNTS:
        return COUNTS[(COUNTS.index(text.lower()) - 1) % 11 + 2]  # twelve becomes two
    return re.sub(r'\d(?=\D*$)', lambda digit: str(int(digit[0]) % 9 + 1), text)
