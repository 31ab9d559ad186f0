"""helpers.data reads a table completely, or says where it is wrong."""

import itertools

import numpy as np
import pytest

from helpers.data import COWPEA_MAIZE_CSV, REGIONS_CSV, read_csv

COLUMNS = {'label': 'region', 'inputs': ['temp', 'rain'], 'targets': ['apples']}
GOOD = 'region,temp,rain,apples\nKanto,73,67,56\nJohto,91,88.5,81\n'


@pytest.fixture
def read(tmp_path):
    def read_text(text, encoding='utf-8'):
        path = tmp_path / 'my.csv'
        path.write_bytes(text.encode(encoding))
        return read_csv(path, **COLUMNS)

    return read_text


def test_the_articles_table():
    names, inputs, targets = read_csv(
        REGIONS_CSV,
        label='region',
        inputs=['temp_F', 'rainfall_mm', 'humidity_pct'],
        targets=['apples_ton', 'oranges_ton'],
    )
    assert names == ['Kanto', 'Johto', 'Hoenn', 'Sinnoh', 'Unova']
    assert inputs.dtype == targets.dtype == np.float32
    assert inputs.tolist() == [
        [73, 67, 43],
        [91, 88, 64],
        [87, 134, 58],
        [102, 43, 37],
        [69, 96, 70],
    ]
    assert targets.tolist() == [[56, 70], [81, 101], [119, 133], [22, 37], [103, 119]]


def test_the_field_trial_is_complete():
    _, inputs, targets = read_csv(
        COWPEA_MAIZE_CSV,
        label='plot',
        inputs=['block', 'nitrogen_kg_ha', 'cowpea_variety', 'maize_variety'],
        targets=['cowpea_kg_ha', 'maize_kg_ha'],
    )
    factors = [(1, 2, 3), (0, 40, 80, 120), (1, 2), (1, 2, 3)]
    assert sorted(map(tuple, inputs.tolist())) == sorted(itertools.product(*factors))
    assert targets.sum(axis=0).tolist() == [34248, 293785]
    # The sums of squares of Mead's analysis, as R's agridat prints them (t/ha).
    tons = targets.astype(float) / 1000
    for column, crop, expected in [(3, 1, 18), (1, 1, 29), (3, 0, 0.41), (1, 0, 0.11)]:
        levels, mean = np.unique(inputs[:, column]), tons[:, crop].mean()
        groups = [tons[inputs[:, column] == level, crop] for level in levels]
        between = sum(len(group) * (group.mean() - mean) ** 2 for group in groups)
        assert between == pytest.approx(expected, rel=0.03)


READABLE = {
    'plain': GOOD,
    'windows': GOOD.replace('\n', '\r\n'),
    'byte-order mark': '\ufeff' + GOOD,
    'blank lines': GOOD + '\n\n',
    'spaces': GOOD.replace(',', ' , '),
    'quotes': GOOD.replace('Kanto', '"Kanto"'),
    'order': 'apples,rain,temp,region\n56,67,73,Kanto\n81,88.5,91,Johto\n',
}


@pytest.mark.parametrize('variant', READABLE)
def test_what_is_read(read, variant):
    names, inputs, targets = read(READABLE[variant])
    assert names == ['Kanto', 'Johto']
    assert inputs.tolist() == [[73, 67], [91, 88.5]]
    assert targets.tolist() == [[56], [81]]


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('88.5', 'wet', "line 3, column rain: expected a number, found 'wet'"),
        ('88.5', '', 'line 3, column rain: expected a number, found an empty cell'),
        ('88.5', 'NaN', "line 3, column rain: .* 'NaN'"),
        ('88.5', 'inf', "line 3, column rain: .* 'inf'"),
        ('88.5', '1e99', "line 3, column rain: .* '1e99'"),
        ('88.5,', '', 'line 3: expected 4 values .*, found 3'),
        ('88.5', '88.5,9', 'line 3: expected 4 values .*, found 5'),
        ('rain,', '', "line 1: .* region, temp, rain, apples; missing: 'rain'"),
        ('rain', 'snow', "missing: 'rain'; too many: 'snow'"),
        ('rain', 'rain,sun', "line 1: .* too many: 'sun'"),
        ('rain', 'rain,rain', "line 1: .* too many: 'rain'"),
        (GOOD[:24], '', 'line 1: expected a header'),
        (GOOD, '', 'line 1: expected a header'),
        (GOOD[24:], '', 'expected rows of data below the header, found none'),
        ('Kanto', '"Kanto', 'line .*: unexpected end of data'),
        ('Johto', 'Jöhto', 'line 3: expected text in UTF-8, found the byte 0xf6'),
    ],
)
def test_what_is_refused(read, old, new, message):
    with pytest.raises(ValueError, match=f'my.csv.*{message}'):
        read(GOOD.replace(old, new), encoding='latin-1')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent.csv'):
        read_csv(tmp_path / 'absent.csv', **COLUMNS)
