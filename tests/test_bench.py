"""The benchmark compares what it says, in small. No test here looks at a time."""

import ast
import itertools
import math
import sys

import bench
import execute
import nbformat
import pytest
from series import ROOT, paths


@pytest.fixture(scope='module')
def quick(tmp_path_factory):
    """Three sections in small, one extra missing, and the folder that was written."""
    folder = tmp_path_factory.mktemp('bench')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, 'lightning', None)
        names = ['trainers', 'rows', 'updates']
        return bench.main([*names, '--quick', '--to', str(folder)]), folder


def test_what_is_compared(quick):
    trainers, rows, _ = quick[0].values()
    assert len(trainers.table) == len(bench.TRAINERS)
    (missing,) = [line for line in trainers.table if 'Lightning' in line['trainer']]
    assert missing == {'trainer': 'Lightning is not installed: `make bench EXTRAS=1`'}
    assert [*rows.table[0]] == ['times reading', '1,000 rows', '10,000 rows']
    for section in quick[0].values():
        assert all(math.isfinite(x) and x > 0 for x in section.bars.values()), section
        assert len(section.bars) > 1


def test_the_page_holds_every_table_and_the_figure(quick):
    found, folder = quick
    assert sorted(path.name for path in folder.iterdir()) == ['bench.md', 'bench.png']
    assert (folder / 'bench.png').read_bytes().startswith(b'\x89PNG')
    text = (folder / 'bench.md').read_text(encoding='utf-8')
    assert '](bench.png)' in text
    cells = {cell.strip() for line in text.splitlines() for cell in line.split('|')}
    for section in found.values():
        for line in section.table:
            assert {*line, *line.values()} <= cells
    assert text.count('Not measured.') == len(bench.SECTIONS) - len(found)
    assert str(ROOT) not in text


def test_the_committed_page_has_the_sections_that_are_measured():
    words = bench.TEMPLATE.read_text(encoding='utf-8')
    committed = (ROOT / 'bench.md').read_text(encoding='utf-8')
    for line in words.splitlines():
        if line.startswith('## '):
            assert line in committed, 'Run `make bench`.'
    assert (ROOT / 'bench.png').exists()
    assert '](bench.md)' in (ROOT / 'README.md').read_text(encoding='utf-8')


def test_updates(quick):
    counts = quick[0]['updates'].bars
    raw, best, scaled, momentum, newton = counts.values()
    assert raw == pytest.approx(13e6, rel=0.01)
    assert best == pytest.approx(2.3e6, rel=0.02)
    assert [scaled, momentum, newton] == [22, 12, 1]


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
    runs = {name: lambda name=name: calls.append(name) for name in 'ab'}
    bench.measure(runs, rounds=3, least=1e-9)
    assert [name for name, _ in itertools.groupby(calls)] == ['a', 'b'] * 3


def test_other_work_is_not_compared(monkeypatch):
    def lazy(x, y, epochs):
        return bench.by_fit(x, y, 1)

    monkeypatch.setattr(bench, 'TRAINERS', dict(bench.TRAINERS))
    monkeypatch.setitem(bench.TRAINERS, 'skorch', ('torch', lazy))
    monkeypatch.setitem(sys.modules, 'lightning', None)
    with pytest.raises(AssertionError, match='skorch does other work'):
        bench.trainers(quick=True)


@pytest.mark.slow
def test_two_processes_do_the_work_of_one():
    found = bench.processes(quick=True)
    assert [*found.bars][-1] == 'the sums'
    assert all(ratio > 0 for ratio in found.bars.values())


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
