"""The explorer on the first page of the site."""

import matplotlib.pyplot as plt

from helpers.data import REGIONS_CSV, read_csv
from helpers.explore import explore
from helpers.plots import named_points


def hero():
    """Apples over rain, and the steepness of a line through them, to be turned.

    The words are for who has read nothing yet, and the rate finds it in five steps.
    """
    table = read_csv(
        REGIONS_CSV,
        label='region',
        inputs=['temp_F', 'rainfall_mm', 'humidity_pct'],
        targets=['apples_ton', 'oranges_ton'],
    )
    rain, apples = table.inputs[:, 1], table.targets[:, 0]
    plt.style.use('helpers.series')
    labels = ['rain (mm)', 'apples (tons)']
    ax = named_points(
        rain, apples, table.names, labels, lines={'steepness 2.2': (2.2, 0)}
    )
    return explore(
        'line',
        ax,
        'Five regions as points, apples over rain, and a line that is far too steep.',
        title='The steepness of a line, its squared errors and their mean',
        task='Turn the line until the squares are as small as they can be.',
        xname=labels[0],
        yname=labels[1],
        names=table.names,
        label='steepness',
        unit='tons per mm',
        factor=rain,
        rest=[0] * len(rain),
        targets=apples,
        fixed=0,
        count=len(rain),
        start=2.2,
        low=0,
        high=2.5,
        rate=4e-5,
        loss='error (mean of the squares, tons²)',
    ).html
