"""Read a small table of numbers from a CSV file, completely or not at all."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

REGIONS_CSV = Path(__file__).with_name('regions.csv')
"""The article's five regions (invented data): °F, mm, %, and yields in tons."""

COWPEA_MAIZE_CSV = Path(__file__).with_name('cowpea_maize.csv')
"""72 plots of a field trial in Nigeria, in kg/ha (Mead 1990, by way of R's agridat).

Source, licence (MIT) and what was changed: cowpea_maize.txt beside it.
"""

FLOAT32_MAX = float(np.finfo('float32').max)


class Table(NamedTuple):
    """n rows of a CSV file, as `read_csv` returns them."""

    names: list[str]  # n labels
    inputs: np.ndarray  # (n, number of input columns), float32
    targets: np.ndarray  # (n, number of target columns), float32


def read_csv(path, label, inputs, targets):
    """Read a comma-separated file with a header line into two matrices.

    Args:
        path: the file, in UTF-8.
        label: the column that names the rows.
        inputs: the input columns, in the order that the matrix shall have.
        targets: the target columns, likewise.

    Returns:
        A `Table` of names, inputs (n, len(inputs)) and targets (n, len(targets)).
        The units are those of the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not UTF-8, has no header or no rows, lacks a column, has
            one too many or one twice, or a cell is empty, no number, NaN or infinite.
            The message names the file, the line, the column and what was expected.
    """
    path, columns = Path(path), [*inputs, *targets]
    (_, header), *lines = _lines(path) or [(1, [])]
    header = [name.strip() for name in header]
    _check_header(path, header, [label, *columns])
    if not lines:
        raise ValueError(f'{path}: expected rows of data below the header, found none.')
    names, rows = [], []
    for number, fields in lines:
        if len(fields) != len(header):
            raise ValueError(
                f'{path}, line {number}: expected {len(header)} values '
                f'({", ".join(header)}), found {len(fields)}.'
            )
        row = dict(zip(header, fields, strict=True))
        names.append(row[label].strip())
        rows.append([_number(path, number, name, row[name]) for name in columns])
    table = np.array(rows, dtype='float32')
    return Table(names, table[:, : len(inputs)], table[:, len(inputs) :])


def _lines(path):
    """The file's lines that are not blank: (line number, list of fields)."""
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no file {path}. A relative path starts in the folder '
            f'{Path.cwd().name}/ here.'
        )
    raw = path.read_bytes()
    try:
        text = raw.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b'\n') + 1
        raise ValueError(
            f'{path}, line {line}: expected text in UTF-8, found the byte '
            f'{raw[error.start]:#04x}. Save the file as "CSV UTF-8".'
        ) from None
    reader = csv.reader(io.StringIO(text, newline=''), strict=True)
    try:
        return [(reader.line_num, fields) for fields in reader if fields]
    except csv.Error as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}.') from None


def _check_header(path, header, expected):
    found, wanted = Counter(header), Counter(expected)
    wrong = [('missing', wanted - found), ('too many', found - wanted)]
    wrong = [f'{what}: {", ".join(map(repr, names))}' for what, names in wrong if names]
    if wrong:
        raise ValueError(
            f'{path}, line 1: expected a header with the columns '
            f'{", ".join(expected)}; {"; ".join(wrong)}.'
        )


def _number(path, line, column, text):
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if abs(value) <= FLOAT32_MAX:  # False for NaN
        return value
    found = repr(text.strip()) if text.strip() else 'an empty cell'
    raise ValueError(
        f'{path}, line {line}, column {column}: expected a number, found {found}.'
    )
