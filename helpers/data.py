"""Read a small table of numbers from a CSV file, completely or not at all."""

import contextlib
import csv
import io
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
    columns, names, rows = [*inputs, *targets], [], []
    reader = csv.reader(io.StringIO(_text(Path(path))), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) != sorted([label, *columns]):
            raise ValueError(
                f'expected a header with the columns {", ".join([label, *columns])}; '
                f'found {", ".join(header) or "none"}'
            )
        for fields in filter(None, reader):  # a blank line has none
            if len(fields) != len(header):
                raise ValueError(
                    f'expected {len(header)} values ({", ".join(header)}), '
                    f'found {len(fields)}'
                )
            row = dict(zip(header, fields, strict=True))
            names.append(row[label].strip())
            rows.append([_number(column, row[column]) for column in columns])
        if not rows:
            raise ValueError('expected rows of data below the header, found none')
    except (ValueError, csv.Error) as error:
        raise ValueError(f'{path}, line {reader.line_num or 1}: {error}.') from None
    table = np.array(rows, dtype='float32')
    return Table(names, table[:, : len(inputs)], table[:, len(inputs) :])


def _text(path):
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        line = error.object.count(b'\n', 0, error.start) + 1
        raise ValueError(
            f'{path}, line {line}: expected text in UTF-8, found the byte '
            f'{error.object[error.start]:#04x}. Save the file as "CSV UTF-8".'
        ) from None


def _number(column, text):
    plain = text.isascii() and '_' not in text  # Python reads 6_7 and ٦٧ as 67
    with contextlib.suppress(ValueError):
        if plain and abs(number := float(text)) <= FLOAT32_MAX:  # false for NaN
            return number
    found = repr(text.strip()) if text.strip() else 'an empty cell'
    raise ValueError(f'expected a number in column {column}, found {found}')
