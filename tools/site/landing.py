"""What the first page of the site shows: an explorer, and the series as in README."""

import matplotlib.pyplot as plt
from series import listed

from helpers.data import REGIONS_CSV, read_csv
from helpers.explore import explore
from helpers.plots import named_points

# Where a group begins; the last of these that a number reaches is its own.
GROUPS = {
    1: 'By hand',
    7: 'With PyTorch',
    9: 'Understand it',
    11: 'With real data',
    13: 'At large scale',
}


def groups(cards):
    """The cards under the name of their group, in order."""
    found = {}
    for card in cards:
        first = max(start for start in GROUPS if start <= int(card['number']))
        found.setdefault(GROUPS[first], []).append(card)
    return list(found.items())


def hero():
    """Apples over rain, and the slope of a line through them, to be turned."""
    table = read_csv(
        REGIONS_CSV,
        label='region',
        inputs=['temp_F', 'rainfall_mm', 'humidity_pct'],
        targets=['apples_ton', 'oranges_ton'],
    )
    rain, apples = table.inputs[:, 1], table.targets[:, 0]
    plt.style.use('helpers.series')
    labels = ['rain (mm)', 'apples (tons)']
    ax = named_points(rain, apples, table.names, labels, lines={'slope 2.2': (2.2, 0)})
    explorer = explore(
        'line',
        ax,
        'Five regions as points, apples over rain, and a line that is far too steep.',
        title='The slope of a line, its squared errors and its loss',
        xname=labels[0],
        yname=labels[1],
        names=table.names,
        label='slope',
        unit='tons per mm',
        factor=rain,
        rest=[0] * len(rain),
        targets=apples,
        fixed=0,
        count=len(rain),
        start=2.2,
        low=0,
        high=2.5,
        rate=1e-5,
    )
    return explorer._repr_mimebundle_()['text/html']


def landing():
    """All that the template needs."""
    found = list(listed())
    minutes = [card['minutes'] for card in found]
    return {
        'count': len(found),
        'first': found[0],
        'shortest': min(minutes),
        'longest': max(minutes),
        'groups': groups(found),
        'hero': hero(),
    }
