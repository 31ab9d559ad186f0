"""The benchmark compares what it says, in small. No test here looks at a time."""

import ast
import itertools
import math
import sys
from functools import partial

import bench
import execute
import nbformat
import pytest
from series import ROOT, paths


def test_only_what_a_name_needs_is_executed(write, monkeypatch):
    area = 'def area(r):\n    return [size * math.pi * r for r in [r]]'
    path = write('import math\nsize = 2\nr = 1 / 0', 'size = 3\nsize / 0', area)
    monkeypatch.setattr(bench, 'numbered', lambda number: path)
    (area,) = bench.taught.__wrapped__(1, 'area')
    assert area(1) == [3 * math.pi]


def test_a_rung_has_its_name():
    make_rows, rungs = bench.taught(13, 'make_rows', 'rungs')
    runs = dict(zip(bench.RUNGS, rungs(make_rows(10), 5, 0.1), strict=True))
    assert type(runs['whole batches'].args[0].dataset).__name__ == 'WholeBatches'
    assert type(runs['slices'].args[0]).__name__ == 'Slices'
    for name in bench.RUNGS[3:]:
        assert name.endswith(runs[name].func.__name__.replace('_', ' '))


def test_all_take_turns():
    calls = []
    runs = {name: partial(calls.append, name) for name in 'ab'}
    bench.measure(runs, turns=3)
    assert [name for name, _ in itertools.groupby(calls)] == ['a', 'b'] * 3


def test_other_work_is_not_compared(monkeypatch):
    def lazy(x, y, epochs):
        return bench.by_fit(x, y, 1)

    monkeypatch.setitem(bench.TRAINERS, 'two addmm', ('torch', lazy))
    monkeypatch.setitem(sys.modules, 'lightning', None)
    with pytest.raises(AssertionError, match='two addmm does other work'):
        bench.trainers(20, 1)


@pytest.mark.slow
def test_two_processes_do_the_work_of_one():
    table, _ = bench.processes([2000], 100_000, 1)
    assert [line['ms'] for line in table] == ['batches of 2,000', 'the sums']


def test_updates():
    raw, best, *others = (line['updates'] for line in bench.updates()[0])
    assert raw == pytest.approx(13e6, rel=0.01)
    assert best == pytest.approx(2.3e6, rel=0.02)
    assert others == [22, 12, 1]


def test_the_floor_does_only_imports(tmp_path):
    bench.write_bare(tmp_path)
    bare = sorted(tmp_path.glob('*.ipynb'))
    assert [path.name for path in bare] == [path.name for path in paths()]
    for path in bare:
        (cell,) = nbformat.read(path, as_version=4).cells
        kinds = {type(node) for node in ast.parse(cell.source).body}
        assert kinds <= {ast.Import, ast.ImportFrom}
        assert 'import torch' in cell.source or path.name.startswith('01-')
    execute.execute(bare[-1])  # what it imports lies beside it


def test_the_page_holds_every_table_and_the_figure(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'lightning', None)
    found = dict.fromkeys(bench.SECTIONS, bench.updates())
    found['trainers'] = bench.trainers(20, 1)
    found['rows'] = bench.rows([1000, 10_000], 1, 5000)
    bench.write(found, tmp_path)
    assert (tmp_path / 'bench.png').read_bytes().startswith(b'\x89PNG')
    text = (tmp_path / 'bench.md').read_text(encoding='utf-8')
    lines = [[cell.strip() for cell in x.split('|')[1:-1]] for x in text.splitlines()]
    for table, _ in found.values():
        for line in table:
            cells = [*map(bench.shown, line.values())]
            assert cells in [line[: len(cells)] for line in lines]
    assert 'Lightning is not installed: `make bench EXTRAS=1`' in text
    assert len(found['trainers'][0]) == len(bench.TRAINERS)


def test_the_committed_page_has_the_sections_that_are_measured():
    measured, committed = (
        [x for x in path.read_text(encoding='utf-8').splitlines() if x.startswith('#')]
        for path in (bench.TEMPLATE, ROOT / 'bench.md')
    )
    assert measured == committed, 'Run `make bench`.'
    assert '](bench.md)' in (ROOT / 'README.md').read_text(encoding='utf-8')
