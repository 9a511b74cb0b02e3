"""Delimited text read line by line: slow, but it names every line that does not fit."""

import csv
import io

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._format import NO_REJECTS
from analyzer.logs._plain import clean_text


def read_by_line(
    path: str, text: str, separator: str, names: list[str]
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Return the rows of a text without a header, their record numbers, and the lines that do not fit."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    rows, numbers, bad = [], [], []
    try:
        for record, row in enumerate(filter(None, csv.reader(io.StringIO(lines), delimiter=separator)), start=1):
            if len(row) > len(names):
                bad.append((record, "ragged-line", clean_text(separator.join(row))))
            else:
                rows.append((*row, *[None] * (len(names) - len(row))))
                numbers.append(record)
    except csv.Error as error:
        raise LogError(f"{path}: cannot be read as a table ({error})") from error
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    rejects = pl.DataFrame(bad, schema=NO_REJECTS.schema, orient="row")
    return frame, pl.Series(numbers, dtype=pl.Int64), rejects
