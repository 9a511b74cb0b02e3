"""Modes and operators that a file of their own says: a table without positions, for `--join`.

CSV, TSV or another delimited text, NDJSON, Parquet or Arrow IPC, with `vehicle_id`, a time
and `control_mode` or `operator` (or both), under the names and in the words of a plain log.
The file is held in memory, so it is limited to `MOST_BYTES` and `MOST_RECORDS`.
"""

import io
from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import TIMES, named_columns
from analyzer.logs._files import refuse_no_file, sha256_of
from analyzer.logs._format import NO_REJECTS, POLARS_FAILS, ReadOptions
from analyzer.logs._plain import clean_text
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._remarks import Remark
from analyzer.logs._times import instants
from analyzer.logs._words import mapped, words_of
from analyzer.quiet import without_panics
from analyzer.records import record

MOST_BYTES = 256_000_000
MOST_RECORDS = 20_000_000
SAID = ("control_mode", "operator")
_SEPARATORS = (",", "\t", ";", "|")


@record(frozen=True, eq=False)
class States:
    """What a file says of vehicles over time.

    `table` has vehicle_id, time and what of SAID the file has, sorted by vehicle, time and
    record; `rejects` record, reason, text. `record_count = table + rejects`.
    """

    path: str
    sha256: str | None
    table: pl.DataFrame
    rejects: pl.DataFrame
    record_count: int
    remarks: tuple[Remark, ...]


def read_states(path: Path, options: ReadOptions) -> States:
    """Return the states of a file; LogError says why it cannot be joined."""
    profile = load_profile(options.profile)
    with without_panics():
        frame = _frame(path)
    columns = named_columns(str(path), frame.columns, Profile())
    _complete(path, frame, columns)
    kind = next(name for name in TIMES if name in columns)
    zone = profile.fixed.get("timezone") or options.timezone
    remarks: list[Remark] = []
    series = [
        pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias("record"),
        words_of(frame[columns["vehicle_id"]]).text.alias("vehicle_id"),
        instants(str(path), frame[columns[kind]], kind, zone, remarks).alias("time"),
    ]
    for name in SAID:
        if name in columns:
            ours, _, said = mapped(str(path), name, frame[columns[name]], profile.values.get(name, {}))
            series.append(ours.alias(name))
            remarks += said
    table = pl.DataFrame(series)
    reason = pl.when(pl.col("vehicle_id").is_null()).then(pl.lit("no-vehicle"))
    reasons = table.select(reason.when(pl.col("time").is_null()).then(pl.lit("bad-time")).alias("r"))["r"]
    bad = reasons.is_not_null()
    text = [clean_text(" ".join("" if v is None else str(v) for v in row)) for row in frame.filter(bad).iter_rows()]
    parts = {"record": table["record"].filter(bad), "reason": reasons.filter(bad), "text": text}
    good = table.filter(~bad).sort("vehicle_id", "time", "record").drop("record")
    if good.is_empty():
        raise LogError(f"{path}: not one record has a vehicle and a time; nothing can be joined")
    rejects = pl.DataFrame(parts, schema=NO_REJECTS.schema)
    return States(str(path), sha256_of(str(path)), good, rejects, frame.height, tuple(remarks))


def _complete(path: Path, frame: pl.DataFrame, columns: dict[str, str]) -> None:
    """Refuse a table that says no vehicle, no time, or nothing to join."""
    missing = [] if "vehicle_id" in columns else ["vehicle_id"]
    missing += [] if any(name in columns for name in TIMES) else ["timestamp"]
    missing += [] if any(name in columns for name in SAID) else ["control_mode or operator"]
    if missing:
        shown = clean_text(", ".join(frame.columns[:12]))
        raise LogError(f"{path}: no column for {', '.join(missing)}; it has: {shown}; rename its columns to join it")


def _frame(path: Path) -> pl.DataFrame:
    """Return the table of a file."""
    refuse_no_file(str(path))
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise LogError(f"{path}: a file to join holds at most {MOST_BYTES // 1_000_000} MB; divide it by day")
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith((b"PAR1", b"ARROW1")):
            return _typed(path, head)
        data = _text(path)
        if path.suffix.lower() in {".ndjson", ".jsonl"}:
            return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
        line = data.split(b"\n", 1)[0].decode()
        separator = max(_SEPARATORS, key=line.count)
        return pl.read_csv(io.BytesIO(data), separator=separator, infer_schema=False)
    except (*POLARS_FAILS, OSError) as error:
        raise LogError(f"{path}: cannot be read as a table to join ({str(error).splitlines()[0]})") from error


def _typed(path: Path, head: bytes) -> pl.DataFrame:
    """Return the columns of a typed table that are joined; their number of rows is looked at first."""
    lazy = pl.scan_parquet(path, glob=False) if head.startswith(b"PAR1") else pl.scan_ipc(path, glob=False)
    if lazy.select(pl.len()).collect().item() > MOST_RECORDS:
        raise LogError(f"{path}: a file to join holds at most {MOST_RECORDS} records; divide it by day")
    names = lazy.collect_schema().names()
    wanted = [v for k, v in named_columns(str(path), names, Profile()).items() if k in (*TIMES, "vehicle_id", *SAID)]
    return lazy.select(wanted or names[:1]).collect()


def _text(path: Path) -> bytes:
    """Return a text as UTF-8 without a byte order mark; UTF-8 is tried first, then cp949."""
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding).encode()
        except UnicodeDecodeError:
            continue
    raise LogError(f"{path}: is neither UTF-8 nor cp949 text; save it as UTF-8")
