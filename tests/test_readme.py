"""The README says what is so: its numbers are facts, too.

The table of the series is held by test_form.py, the versions by test_environment.py.
"""

import re

import pytest
from facts import says, unbound
from nbformat.v4 import new_markdown_cell
from series import ROOT, listed

from helpers.data import REGIONS_CSV

TEXT = (ROOT / 'README.md').read_text(encoding='utf-8')
FACTS = {
    'a table of five': len(REGIONS_CSV.read_text().splitlines()) - 1,
    '## Two commands': len(re.findall(r'^make \w+ +# sets', TEXT, re.M)),
}
# Its own measurements of a set-up and of bench.md, names, versions, the article's year.
CONSTANTS = ['1.3', '0.3', 'ten million', 'two', '1', '2', '2019', '3.11', '4.0']


@pytest.mark.parametrize('text', FACTS)
def test_a_fact(text):
    assert text in TEXT
    assert says(text, [FACTS[text]]), FACTS[text]


def test_every_number_is_a_fact_or_a_constant():
    rest = re.sub(r'^\|.*|^!\[.*', '', TEXT, flags=re.M)
    facts = dict.fromkeys(FACTS, 'README')
    cell = new_markdown_cell(rest, metadata={'facts': facts, 'constants': CONSTANTS})
    assert not unbound(cell), '\n'.join(unbound(cell))


def test_the_plans_for_teachers_add_up():
    minutes = {row['number']: row['minutes'] for row in listed()}
    teaching = (ROOT / 'TEACHING.md').read_text(encoding='utf-8')
    plans = re.findall(r'^\|[^|]+\| ((?:\d\d, )+\d\d) \| (\d+) \|$', teaching, re.M)
    assert len(plans) == 3
    for notebooks, stated in plans:
        assert sum(minutes[n] for n in notebooks.split(', ')) == int(stated)
    listened = re.findall(r'^\| (\d\d) \| "', teaching, re.M)
    assert listened == sorted(minutes)
