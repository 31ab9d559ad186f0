"""The benchmark compares what it says, in small. No test here looks at a time."""

import ast
import itertools
import math
import sys
import time

import bench
import execute
import nbformat
import pytest
from series import ROOT, paths


@pytest.fixture(scope='module')
def small():
    """Three sections in small, with an extra missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, 'lightning', None)
        trainers = bench.trainers(20, 1)
    rows = bench.rows([1000, 10_000], 1, 5000)
    return {'trainers': trainers, 'rows': rows, 'updates': bench.updates()}


def test_what_is_compared(small):
    trainers, rows, _ = (table for table, _ in small.values())
    missing = {'trainer': 'Lightning is not installed: `make bench EXTRAS=1`'}
    assert trainers[-1] == missing
    assert len(trainers) == len(bench.TRAINERS)
    assert [*rows[0]] == ['times reading', '1,000 rows', '10,000 rows']
    for line in trainers[:4] + rows:
        *_, last = line.values()
        assert math.isfinite(last)
        assert last > 0


def test_a_rung_has_its_name():
    make_rows, rungs = bench.taught('make_rows', 'rungs')
    runs = dict(zip(bench.RUNGS, rungs(make_rows(10), 5, 0.1), strict=True))
    assert type(runs['whole batches'].args[0].dataset).__name__ == 'WholeBatches'
    assert type(runs['slices'].args[0]).__name__ == 'Slices'
    functions = [run.func.__name__ for run in runs.values()]
    assert functions[3:] == ['by_hand', 'two_addmm', 'one_bmm', 'sums']


def test_the_page_holds_every_table_and_the_figure(small, tmp_path):
    bench.write(dict.fromkeys(bench.SECTIONS, small['updates']) | small, tmp_path)
    assert (tmp_path / 'bench.png').read_bytes().startswith(b'\x89PNG')
    text = (tmp_path / 'bench.md').read_text(encoding='utf-8')
    assert '](bench.png)' in text
    cells = {cell.strip() for line in text.splitlines() for cell in line.split('|')}
    for table, _ in small.values():
        for line in table:
            assert {*line, *map(bench.shown, line.values())} <= cells
    assert '12,980,134' in cells
    assert text.count('full Newton') == len(bench.SECTIONS) - 2


def test_the_committed_page_has_the_sections_that_are_measured():
    words = bench.TEMPLATE.read_text(encoding='utf-8')
    committed = (ROOT / 'bench.md').read_text(encoding='utf-8')
    for line in words.splitlines():
        if line.startswith('## '):
            assert line in committed, 'Run `make bench`.'
    assert '](bench.md)' in (ROOT / 'README.md').read_text(encoding='utf-8')


def test_updates(small):
    raw, best, *others = (line['updates'] for line in small['updates'][0])
    assert raw == pytest.approx(13e6, rel=0.01)
    assert best == pytest.approx(2.3e6, rel=0.02)
    assert others == [22, 12, 1]


def test_what_is_taught_is_taken_from_the_first_notebook_and_nothing_else_runs(
    write, monkeypatch, capsys
):
    sources = {
        '01-a.ipynb': 'size = 2',
        '02-b.ipynb': 'import math\nsize = 3\nprint(size)\ndef area(r):\n'
        '    return size * math.pi * r',
        '03-c.ipynb': 'def area(r):\n    return 0',
    }
    found = [write(source, name=name) for name, source in sources.items()]
    monkeypatch.setattr(bench, 'paths', lambda: found)
    taught = bench.taught.__wrapped__
    (area,) = taught('area')
    assert area(1) == 3 * math.pi
    assert capsys.readouterr().out == ''
    with pytest.raises(LookupError, match='No notebook defines volume'):
        taught('volume')


def test_all_take_turns():
    calls = []

    def run(name):
        calls.append(name)
        time.sleep(0.1)

    bench.measure({name: lambda name=name: run(name) for name in 'ab'}, turns=3)
    assert [name for name, _ in itertools.groupby(calls)] == ['a', 'b'] * 3


def test_other_work_is_not_compared(monkeypatch):
    def lazy(x, y, epochs):
        return bench.by_fit(x, y, 1)

    two = {'taught fit': ('torch', bench.by_fit), 'skorch': ('torch', lazy)}
    monkeypatch.setattr(bench, 'TRAINERS', two)
    with pytest.raises(AssertionError, match='skorch does other work'):
        bench.trainers(20, 1)


@pytest.mark.slow
def test_two_processes_do_the_work_of_one():
    table, _ = bench.processes([2000], 100_000, 1)
    assert [line['ms'] for line in table] == ['batches of 2,000', 'the sums']


def test_the_floor_does_only_imports(tmp_path):
    bench.write_bare(tmp_path)
    bare = paths(tmp_path)
    assert [path.name for path in bare] == [path.name for path in paths()]
    for path in bare:
        (cell,) = nbformat.read(path, as_version=4).cells
        body = ast.parse(cell.source).body
        assert body
        assert all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)
        assert 'import torch' in cell.source or path.name.startswith('01-')
    execute.execute(bare[-1])  # what it imports lies beside it
