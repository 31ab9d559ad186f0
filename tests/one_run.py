"""One run of a notebook by nbval, and all that is checked in it.

A pytest plugin on top of nbval: its item for a code cell compares by value and looks at
the pictures too; between them stand items for the facts of a cell, and after the last
one those for what the kernel ends with (tests/oracles.py).
"""

import os
import time
from importlib.metadata import version
from pathlib import Path
from queue import Empty
from unittest import mock

import differences
import oracles
import pytest
from compare import cell_differences
from execute import environment
from facts import Raised, answers, expressions, problems, unbound
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError
from series import NOTEBOOKS, ROOT, places

MATPLOTLIB = version('matplotlib')
PIXELS = f'matplotlib=={MATPLOTLIB}\n' in (ROOT / 'requirements.txt').read_text()
DIFFER = []  # sections of the page that shows what differs, from all processes
KERNEL = Path(__file__).with_name('kernel')  # its sitecustomize keeps kernels offline


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    return [
        File.from_parent(parent, path=file_path) if isinstance(one, IPyNbFile) else one
        for one in found
    ]


def pytest_runtest_logreport(report):
    if report.when == 'call':
        found = report.user_properties
        DIFFER.extend(html for name, html in found if name == 'differs')


def pytest_sessionfinish(session):
    if not hasattr(session.config, 'workerinput'):
        differences.write(DIFFER)


def pytest_terminal_summary(terminalreporter):
    if not PIXELS:
        terminalreporter.write_line(
            f'matplotlib {MATPLOTLIB} is not the pinned one and sets text in its own '
            'way: pictures were drawn, but not compared.'
        )
    if DIFFER:
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

    def ask(self, wanted, timeout=60):
        """What each of the expressions is, without a trace in the kernel."""
        number = self.kc.execute('', silent=True, user_expressions=wanted)
        while True:
            reply = self.get_message('shell', timeout)
            if reply['parent_header'].get('msg_id') == number:
                return reply['content']


class File(IPyNbFile):
    """nbval's collector of a notebook, with further items between and after."""

    def setup(self):
        with mock.patch.dict(os.environ, environment(KERNEL), clear=True):
            super().setup()
        self.kernel.__class__ = Kernel

    def collect(self):
        code, at_the_end = iter([*super().collect()]), []
        ours = self.path.parent == NOTEBOOKS
        number = int(self.path.name[:2]) if ours else 0
        for place, cell in zip(places(self.nb.cells), self.nb.cells, strict=True):
            if cell.cell_type == 'code':
                options = next(code).options
                of = {'cell_num': place, 'cell': cell, 'options': options}
                yield Cell.from_parent(self, name=place, **of)
            amiss = unbound(cell) if ours else []
            if amiss or cell.metadata.get('facts'):
                of = {'cell': cell, 'key': 'facts', 'amiss': amiss}
                yield Facts.from_parent(self, name=f'Facts: {place}', **of)
            if cell.metadata.get('facts_at_end'):
                of = {'cell': cell, 'key': 'facts_at_end', 'amiss': []}
                at_the_end.append((f'Facts at the end: {place}', of))
        for name, of in at_the_end:
            yield Facts.from_parent(self, name=name, **of)
        for name, check in oracles.of(number) if ours else ():
            yield Oracle.from_parent(self, name=name, check=check)


class Cell(IPyNbCell):
    """nbval's item for a code cell; what it puts out is compared by `compare`."""

    def runtest(self):
        self.options['check'] = False
        super().runtest()
        if self.parent.compare_outputs and self.cell.execution_count is not None:
            found = cell_differences(self.cell, self.test_outputs, PIXELS)
            if found and self.path.parent == NOTEBOOKS:
                of = self.path.name, self.name, self.cell, self.test_outputs, found
                self.user_properties.append(('differs', differences.section(*of)))
            if found:
                self.raise_cell_error('its outputs differ', '\n'.join(found))

    def repr_failure(self, excinfo):
        error = excinfo.value
        if not isinstance(error, NbCellError):
            return super().repr_failure(excinfo)
        indented = '\n'.join(f'    {line}' for line in error.source.splitlines())
        where = f'{self.path.name}, {self.name}: {error}'
        return f'{where}\n\n{indented}\n\n{error.inner_traceback or ""}'

    def reportinfo(self):
        return self.path, 0, f'{self.path.name}::{self.name}'


class Item(pytest.Item):
    """An item that asks the notebook's kernel, and changes nothing in it."""

    def ask(self, wanted):
        kernel = self.parent.kernel
        if self.parent.timed_out or not kernel.is_alive():
            pytest.skip('The kernel stopped in an earlier cell.')
        return kernel.ask(wanted)

    def repr_failure(self, excinfo):
        if excinfo.errisinstance(pytest.fail.Exception):
            return f'{self.path.name}, {self.name}:\n{excinfo.value}'
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, f'{self.path.name}::{self.name}'


class Facts(Item):
    """What one cell says in numbers."""

    def __init__(self, *, cell, key, amiss, **more):
        super().__init__(**more)
        self.cell, self.key, self.amiss = cell, key, amiss

    def runtest(self):
        amiss = list(self.amiss)
        if wanted := expressions(self.cell, self.key):
            amiss += problems(self.cell, answers(self.ask(wanted)), self.key)
        if amiss:
            pytest.fail('\n'.join(amiss))


class Oracle(Item):
    """What the kernel holds after the last cell, beside an independent answer."""

    def __init__(self, *, check, **more):
        super().__init__(**more)
        self.check = check

    def runtest(self):
        wanted = f"__import__('json').dumps({self.check.asks})"
        found = answers(self.ask({'found': wanted}))['found']
        if isinstance(found, Raised):
            pytest.fail(f'{self.check.asks}: {found}')
        self.check(found)
