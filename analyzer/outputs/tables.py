"""The tables as Parquet, and the findings as CSV that Excel opens without running anything.

Text cells of the CSV that a spreadsheet would take for a formula get an apostrophe in
front; the file starts with a byte order mark, so Korean Excel reads it as UTF-8.
"""

from pathlib import Path

import polars as pl

from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis
from analyzer.tables import PUBLIC

ROW_GROUP_ROWS = 100_000
_FORMULA = r"^[=+\-@\t\r\n]"


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    for table in PUBLIC:
        frame: pl.DataFrame = getattr(analysis, table.name)
        frame.write_parquet(folder / f"{table.name}.parquet", compression="zstd", row_group_size=ROW_GROUP_ROWS)
    safe = analysis.findings.with_columns(_harmless(pl.col(pl.String)))
    safe.write_csv(folder / "findings.csv", include_bom=True, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")


def _harmless(text: pl.Expr) -> pl.Expr:
    """Return texts that no spreadsheet takes for a formula."""
    lone = text.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd")
    return pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + lone).otherwise(lone).name.keep()


OUTPUT = Output(files=(*(f"{t.name}.parquet" for t in PUBLIC), "findings.csv"), write=_write, beside=True)
