"""Delimited text read line by line: slow, but it names every line that does not fit."""

import csv
import io

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._format import NO_REJECTS
from analyzer.logs._plain import clean_text


def read_by_line(
    path: str, text: str, separator: str, names: list[str], *, each: bool = False
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Return the rows of a text without a header, their record numbers, and the lines that do not fit.

    `each`: every line by itself, so that no quote goes on beyond its line.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = ([line] for line in lines.split("\n")) if each else (io.StringIO(lines),)
    rows, numbers, bad = [], [], []
    try:
        found = (row for piece in pieces for row in csv.reader(piece, delimiter=separator))
        for record, row in enumerate(filter(None, found), start=1):
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
