"""helpers.data reads a table completely, or says where it is wrong."""

import itertools

import numpy as np
import pytest
from oracles import INPUTS, TARGETS

from exercises.questions import REGIONS
from helpers.data import COWPEA_MAIZE_CSV, read_csv

GOOD = 'region,temp,rain,apples\nKanto,73,67,56\nJohto,91,88.5,81\n'


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / 'my.csv'
        path.write_bytes(text.encode(errors='surrogateescape'))
        return read_csv(path, 'region', ['temp', 'rain'], ['apples'])

    return read_text


def test_the_articles_table():
    assert np.array_equal(REGIONS.inputs, INPUTS)
    assert np.array_equal(REGIONS.targets, TARGETS)


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


@pytest.mark.parametrize(
    'text',
    [
        GOOD,
        GOOD.replace('\n', '\r\n'),
        '\ufeff' + GOOD,
        GOOD + '\n\n',
        GOOD.replace(',', ' , '),
        GOOD.replace('Kanto', '"Kanto"'),
        'apples,rain,temp,region\n56,67,73,Kanto\n81,88.5,91,Johto\n',
    ],
)
def test_what_is_read(read, text):
    names, inputs, targets = read(text)
    assert names == ['Kanto', 'Johto']
    assert inputs.tolist() == [[73, 67], [91, 88.5]]
    assert targets.tolist() == [[56], [81]]
    assert inputs.dtype == targets.dtype == np.float32


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('88.5', 'wet', "line 3: expected a number in column rain, found 'wet'"),
        ('88.5', '', 'line 3: expected a number in column rain, found an empty cell'),
        ('88.5', 'NaN', "line 3: .* in column rain, found 'NaN'"),
        ('88.5', '8_8', "line 3: .* in column rain, found '8_8'"),
        ('88.5', '٨٨', "line 3: .* in column rain, found '٨٨'"),
        ('88.5', '-1e99', "line 3: .* in column rain, found '-1e99'"),
        ('88.5,', '', 'line 3: expected 4 values .*, found 3'),
        ('88.5', '88.5,9', 'line 3: expected 4 values .*, found 5'),
        ('rain,', '', 'line 1: .* region, temp, rain, apples; found region, temp, app'),
        ('rain', 'rain,rain', 'line 1: .*; found region, temp, rain, rain, apples'),
        (GOOD, '', 'line 1: expected a header .*; found none'),
        (GOOD[24:], '', 'line 1: expected rows of data below the header, found none'),
        ('Kanto', '"Kanto', 'line 3: unexpected end of data'),
        ('Johto', 'J\udcf6hto', 'line 3: expected text in UTF-8, found the byte 0xf6'),
    ],
)
def test_what_is_refused(read, old, new, message):
    with pytest.raises(ValueError, match=f'my.csv, {message}'):
        read(GOOD.replace(old, new))
