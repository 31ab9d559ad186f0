"""The benchmark compares what it says, in small. No test here looks at a time."""

import ast
import math
import sys

import bench
import nbformat
import numpy as np
import pytest
import torch
from conftest import NOTEBOOKS, ROOT


def numbers(section):
    """All values of a section, those of the picture."""
    for value in section.values.values():
        yield from value.values() if isinstance(value, dict) else [value]


@pytest.fixture(scope='module')
def quick(tmp_path_factory):
    """The sections a, b and d in small, one extra missing, and what was written."""
    folder, found = tmp_path_factory.mktemp('bench'), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, 'lightning', None)
        patch.setattr(bench, 'save', keep(found, bench.save))
        bench.main(['--quick', '--only', 'abd', '--to', str(folder)])
    return found, folder


def keep(found, save):
    def kept(sections, folder):
        found.update(zip('abd', sections, strict=True))
        save(sections, folder)

    return kept


def test_every_number_is_positive_and_finite(quick):
    for section in quick[0].values():
        found = list(numbers(section))
        assert found
        assert all(math.isfinite(value) and value > 0 for value in found), section


def test_every_line_is_there(quick):
    a, b, d = quick[0].values()
    assert [line[0].split(' (')[0] for line in a.lines] == list(bench.TRAINERS)
    ways = ['reading', 'DataLoader', 'whole', 'slices', 'full', 'sums,', 'sums,']
    assert [line[0].split()[0] for line in b.lines] == ways
    assert all(len(line) == len(b.head) for line in b.lines)
    assert [line[0] for line in d.lines] == list(d.values)
    text = (quick[1] / 'bench.md').read_text(encoding='utf-8')
    for section in (a, b, d):
        assert f'## {section.title}' in text
        for line in section.lines:
            assert f'| {" | ".join(line)} |' in text


def test_a_missing_extra_is_named(quick):
    (line,) = [line for line in quick[0]['a'].lines if line[0] == 'Lightning']
    assert 'pip install lightning' in line[1]
    assert 'Lightning' not in quick[0]['a'].values


def test_what_is_written(quick):
    assert sorted(path.name for path in quick[1].iterdir()) == ['bench.md', 'bench.png']
    text = (quick[1] / 'bench.md').read_text(encoding='utf-8')
    assert '](bench.png)' in text
    assert str(ROOT) not in text
    assert (quick[1] / 'bench.png').read_bytes().startswith(b'\x89PNG')


def test_updates(quick):
    counts = quick[0]['d'].values
    raw, best, scaled, momentum, newton = counts.values()
    assert newton == 1
    assert newton < momentum < scaled < 100 < best < raw
    assert raw == pytest.approx(13e6, rel=0.01)
    assert [momentum, scaled] == [12, 22]


def test_counting_by_bisection_agrees_with_descending():
    curvatures = np.array([0.286, 0.728, 1, 1.986])
    errors = np.random.default_rng(1).standard_normal((4, 2)) * 100
    lr, enough, count = 0.88, 0.005, 0
    weights = 0.5 * curvatures * (errors**2).sum(axis=1)
    while weights @ (1 - lr * curvatures) ** (2 * count) > enough:
        count += 1
    found = bench.plain_updates(curvatures, errors, lr, enough)
    assert found == count
    assert bench.momentum_updates(curvatures, errors, lr, 0, enough) == count


def test_the_sums_give_least_squares():
    columns = bench.made_up(1000)
    x = torch.cat([columns[:3].t(), torch.ones(1000, 1)], dim=1).double()
    expected = torch.linalg.lstsq(x, columns[3:].t().double()).solution
    assert torch.allclose(bench.answer(columns), expected, atol=1e-4)


def test_the_chunks_of_the_sums(monkeypatch):
    columns = bench.made_up(1000)
    whole = bench.sums(columns)
    monkeypatch.setattr(bench, 'CHUNK', 300)
    assert torch.allclose(bench.sums(columns), whole, rtol=1e-4)


def test_a_slow_contender_is_not_repeated_and_all_take_turns():
    calls = []
    ready = {'a': lambda: calls.append('a'), 'b': lambda: calls.append('b')}
    bench.medians(ready, rounds=3, least=0)
    assert calls == ['a', 'b', 'a', 'b'] + 3 * ['a', 'b']


def test_other_work_is_not_compared(monkeypatch):
    def lazy(x, y, epochs):
        return bench.by_fit(x, y, 1)

    monkeypatch.setitem(bench.TRAINERS, 'skorch', ('torch', lazy))
    monkeypatch.setitem(sys.modules, 'lightning', None)
    with pytest.raises(AssertionError, match='skorch does other work'):
        bench.trainers(quick=True)


def test_the_floor_does_only_imports(tmp_path):
    bench.write_bare(tmp_path)
    bare = sorted(tmp_path.iterdir())
    assert [path.name for path in bare] == [path.name for path in NOTEBOOKS]
    for path in bare:
        (cell,) = nbformat.read(path, as_version=4).cells
        body = ast.parse(cell.source).body
        assert body
        assert all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)
        assert 'import torch' in cell.source or path.name.startswith('01-')


def test_a_stopped_run_leaves_the_old_files(quick, tmp_path, monkeypatch):
    def stopped(sections, path):
        raise KeyboardInterrupt

    (tmp_path / 'bench.md').write_text('old')
    monkeypatch.setattr(bench, 'draw', stopped)
    with pytest.raises(KeyboardInterrupt):
        bench.save([quick[0]['d']], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['bench.md']
    assert (tmp_path / 'bench.md').read_text() == 'old'


def test_the_committed_page_has_what_is_compared(quick):
    text = (ROOT / 'bench.md').read_text(encoding='utf-8')
    for section in quick[0].values():
        assert f'## {section.title}' in text, 'Run `make bench`.'
        for name in section.values:
            assert f'| {name}' in text, f'{name}: run `make bench`.'
    assert text.count('\n## ') == len(bench.SECTIONS), 'Run `make bench`.'
    assert (ROOT / 'bench.png').exists()
    assert '](bench.md)' in (ROOT / 'README.md').read_text(encoding='utf-8')
