"""One run of a notebook by nbval, and all that is checked in it.

A pytest plugin on top of nbval: its item for a code cell compares by value and looks at
the pictures too; between them stand items for the facts of a cell, and after the last
one those for what the kernel ends with (tests/oracles.py).
"""

import os
import time
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from queue import Empty
from unittest import mock

import differences
import pytest
from compare import cell_differences
from execute import environment
from facts import answers, expressions, problems, unbound
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError
from series import ROOT, paths, placed

MATPLOTLIB = version('matplotlib')
PIXELS = f'matplotlib=={MATPLOTLIB}\n' in (ROOT / 'requirements.txt').read_text()
KERNEL = Path(__file__).with_name('kernel')  # its sitecustomize keeps kernels offline


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    return [
        File.from_parent(parent, path=file_path) if isinstance(one, IPyNbFile) else one
        for one in found
    ]


def pytest_terminal_summary(terminalreporter):
    if not PIXELS:
        terminalreporter.write_line(
            f'matplotlib {MATPLOTLIB} is not the pinned one and sets text in its own '
            'way: pictures were drawn, but not compared.'
        )
    reports = map(terminalreporter.getreports, ('passed', 'failed'))
    run = [one for one in chain(*reports) if one.nodeid.startswith('notebooks/')]
    sections = [html for report in run for _, html in report.user_properties]
    if run:
        differences.write(sections)
    if sections:
        page = differences.PAGE.relative_to(ROOT)
        terminalreporter.write_line(f'{page} shows old and new side by side.')


class Kernel(RunningKernel):
    """nbval's kernel, which is not waited for once it is dead."""

    def await_reply(self, msg_id, timeout=None):
        end = time.monotonic() + (timeout or float('inf'))
        while True:
            try:
                return super().await_reply(msg_id, 1)
            except Empty:
                if not self.is_alive():
                    died = 'The kernel died (out of memory, or a crash).'
                    raise RuntimeError(died) from None
                if time.monotonic() > end:
                    raise


class File(IPyNbFile):
    """nbval's collector of a notebook, with further items between and after."""

    def setup(self):
        with mock.patch.dict(os.environ, environment(KERNEL), clear=True):
            try:
                super().setup()
            except RuntimeError:  # now and then, in thousands, one never answers
                super().setup()
        self.kernel.__class__ = Kernel

    def collect(self):
        import oracles  # and PyTorch with it: xdist's controller needs neither

        code, at_the_end = iter([*super().collect()]), []
        number = int(self.path.name[:2]) if self.path in paths() else 0
        for place, cell in placed(self.nb.cells):
            if cell.cell_type == 'code':
                options = next(code).options | {'check': self.compare_outputs}
                of = {'cell_num': place, 'cell': cell, 'options': options}
                yield Cell.from_parent(self, name=place, **of)
            amiss = unbound(cell) if number or cell.metadata.get('facts') else []
            yield from self.facts(f'Facts: {place}', cell, 'facts', amiss)
            name = f'Facts at the end: {place}'
            at_the_end += self.facts(name, cell, 'facts_at_end', [])
        yield from at_the_end
        for check in oracles.CHECKS[number]:
            wanted = {'found': f"__import__('json').dumps([{check.asks}])"}
            of = {'wanted': wanted, 'judge': partial(beside, check)}
            yield Item.from_parent(self, name=check.__name__, **of)

    def facts(self, name, cell, key, amiss):
        def judge(found):
            return amiss + problems(cell, found, key)

        wanted = expressions(cell, key)
        if wanted or amiss:
            yield Item.from_parent(self, name=name, wanted=wanted, judge=judge)


def beside(check, found):
    """What is wrong with what an oracle's expressions gave, an error or values."""
    values = found['found']
    if isinstance(values, str):
        return [values]
    try:
        check(*values)
    except AssertionError as error:
        return [str(error)]


def where(item):
    return item.path, 0, f'{item.path.name}::{item.name}'


class Cell(IPyNbCell):
    """nbval's item for a code cell; what it puts out is compared by `compare`."""

    def compare_outputs(self, outputs, *_):
        found = cell_differences(self.cell, outputs, PIXELS)
        if found:
            of = self.path.name, self.name, self.cell, outputs, found
            self.user_properties.append(('differs', differences.section(*of)))
        self.comparison_traceback = found
        return not found

    def repr_failure(self, excinfo):
        error = excinfo.value
        if not isinstance(error, NbCellError):
            return super().repr_failure(excinfo)
        indented = '\n'.join(f'    {line}' for line in error.source.splitlines())
        said = f'{self.path.name}, {self.name}: {error}'
        return f'{said}\n\n{indented}\n\n{error.inner_traceback or ""}'

    reportinfo = where


class Item(pytest.Item):
    """Expressions for the notebook's kernel, which stay without a trace in it.

    Args:
        wanted: a dict of them.
        judge: a function of the `answers`. It returns lines that say what is wrong.
    """

    def __init__(self, *, wanted, judge, **more):
        super().__init__(**more)
        self.wanted, self.judge = wanted, judge

    def runtest(self):
        kernel = self.parent.kernel
        if self.parent.timed_out or not kernel.is_alive():
            pytest.skip('The kernel stopped in an earlier cell.')
        asked = {'silent': True, 'user_expressions': self.wanted}
        reply = kernel.kc.execute('', **asked, reply=True, timeout=60)
        if wrong := self.judge(answers(reply['content'])):
            lines = '\n'.join(wrong)
            pytest.fail(f'{self.path.name}, {self.name}:\n{lines}', pytrace=False)

    reportinfo = where
