"""Recordings of ROS: walked from the front, decoded by rosbags, gathered in columns."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs import _bag1, _db3, _mcap
from analyzer.logs._format import Log, Part, Plan, ReadOptions
from analyzer.logs._plain import clean_text, vehicle_from_file
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._recordings import BAG1_MAGIC, DB3_MAGIC, MCAP_MAGIC
from analyzer.logs._remarks import Remark, first_words
from analyzer.logs._ros_clock import settled
from analyzer.logs._ros_files import is_metadata, recording_of
from analyzer.logs._ros_rows import Rows, Take
from analyzer.logs._ros_types import decoder_of
from analyzer.logs._ros_walk import ESTIMATE_KIND, ESTIMATE_PACKAGE, MODE_KINDS, Course, Messages, Topic
from analyzer.logs._unpack import unpacked_file
from analyzer.terms import CONTROL_MODES

MOST_TOPICS = 256
"""So many topics are decoded at the most: no vehicle has more that say a position, speed or mode."""
MESSAGE_BYTES = 200
"""A guess, for planning only."""
LATEST_NS = 1 << 62
_WALKS: dict[bytes, Callable[[Path, Course], Messages]] = {
    MCAP_MAGIC: _mcap.walk_mcap,
    DB3_MAGIC: _db3.walk_db3,
    BAG1_MAGIC[:8]: _bag1.walk_bag1,
}


@dataclass
class _Reading:
    """What is read of a recording, file by file; `last_ns` is the latest log time."""

    options: ReadOptions
    course: Course
    rows: Rows = field(default_factory=Rows)
    takers: dict[Topic, Take | None] = field(default_factory=dict)
    undecoded: dict[Topic, int] = field(default_factory=dict)
    count: int = 0
    last_ns: int = 0

    def taker(self, topic: Topic) -> Take | None:
        """Return what takes the messages of a topic, null where they are of no use."""
        if topic not in self.takers:
            self.takers[topic] = self._new_taker(topic) if topic.wanted else None
        return self.takers[topic]

    def _new_taker(self, topic: Topic) -> Take | None:
        """Return what takes the messages of a wanted topic."""
        decode = decoder_of(topic, self.options.msgs) if len(self.rows.topics) < MOST_TOPICS else None
        return None if decode is None else self.rows.taker(topic, decode)

    def take(self, messages: Messages) -> None:
        """Take all messages, numbered from where the last file ended."""
        number, last = self.count, self.last_ns
        takers: dict[int, Take | None] = {}  # by identity: the course keeps each topic once
        for number, (topic, log_ns, raw) in enumerate(messages, start=self.count + 1):
            if (known := id(topic)) not in takers:
                takers[known] = self.taker(topic)
            take = takers[known]
            if not 0 <= log_ns < LATEST_NS:
                log_ns = 0  # noqa: PLW2901 - no time at all
            if log_ns > last:  # noqa: PLR1730 - of every message: no call
                last = log_ns
            if take is not None:
                take(number, log_ns, raw)
            elif topic.wanted:
                self.undecoded[topic] = self.undecoded.get(topic, 0) + 1
        self.count, self.last_ns = number, last


def plan_ros(path: str, name: str) -> Plan:
    """Return a recording as one part; LogError where its files cannot be used."""
    recording = recording_of(path)
    size = sum(file.stat().st_size for file in recording.files)
    files = tuple(str(file) for file in recording.files) if is_metadata(path) else ()
    return Plan(path, name, (Part(0, None, size // MESSAGE_BYTES),), files=files)


def read_ros(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    """Return the log of a recording; LogError where it cannot be read or holds no position."""
    recording = recording_of(plan.path)
    reading = _Reading(options, Course(plan.path))
    for file in recording.files:
        if not file.stat().st_size:  # as a crash leaves one that was only just begun
            reading.course.cut = True
            continue
        with unpacked_file(file) as whole, closing(_walk(whole, reading.course)) as messages:
            reading.take(messages)
    reading.rows.choose()
    remarks = list(_remarks(plan.path, reading, recording.missing, len(recording.files)))
    if not reading.count and not reading.course.cut and not reading.course.bad_chunks:
        remarks.append(Remark("empty-recording", plan.path))
    elif not reading.rows.positions:
        raise LogError(_without_position(plan.path, reading))
    _refuse_unknown_modes(plan.path, reading)
    return _log(plan, options, reading, remarks)


def _walk(file: Path, course: Course) -> Messages:
    """Return the messages of a file, by what its first bytes say it is."""
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        message = f"{course.path}: cannot be opened ({error.strerror}); check path and permissions"
        raise LogError(message) from error
    walk = next((walk for magic, walk in _WALKS.items() if head.startswith(magic)), None)
    if walk is None:
        raise LogError(f"{course.path}: {file.name} is no MCAP, SQLite or ROS 1 bag; was its beginning lost?")
    return walk(file, course)


def _without_position(path: str, reading: _Reading) -> str:
    """Return what to say of a recording without a position."""
    rejects = reading.rows.rejects()
    first = rejects.row(0, named=True) if rejects.height else {}
    example = f" (the first is {first['reason']}: {clean_text(first['text'])})" if first else ""
    shown = ", ".join(sorted({clean_text(topic.name) for topic in reading.course.topics})[:12])
    state = "; it is damaged or was cut off" if reading.course.cut or reading.course.bad_chunks else ""
    missing = f"; types without definition, to be given by --msgs DIR: {_types(reading.undecoded)}"
    nowhere = "; Autoware's map has no place on Earth (projector LOCAL), so record the receiver's NavSatFix"
    return (
        f"{path}: holds no position (sensor_msgs/NavSatFix or {ESTIMATE_PACKAGE}{ESTIMATE_KIND}); messages: "
        f"{reading.count}, rejected: {rejects.height}{example}{missing if reading.undecoded else ''}"
        f"{nowhere if reading.rows.lost else ''}; its topics are: {shown or 'none'}{state}"
    )


def _types(topics: dict[Topic, int]) -> str:
    """Return the names of types."""
    return ", ".join(sorted({clean_text(topic.type) for topic in topics}))


def _refuse_unknown_modes(path: str, reading: _Reading) -> None:
    """Refuse a recording that says modes in words that nobody knows: none would be assumed instead."""
    modes = {topic: n for topic, n in reading.undecoded.items() if topic.kind in MODE_KINDS}
    if modes:
        message = (
            f"{path}: says its control mode by {_types(modes)}, but not what the numbers in it mean (they have changed "
            "over the years); give the folder of the .msg files that the vehicle used: --msgs DIR"
        )
        raise LogError(message)


def _remarks(path: str, reading: _Reading, missing: tuple[str, ...], files: int) -> Iterator[Remark]:
    """Yield what must be said of how the reading went."""
    course = reading.course
    if course.cut:
        last = _instant(reading.last_ns) if reading.count else "-"
        yield Remark("recording-cut", path, reading.count, (last,))
    if course.bad_chunks:
        yield Remark("damaged-chunks", path, course.bad_chunks)
    if course.wal:
        yield Remark("wal-ignored", path)
    if course.journal:
        yield Remark("journal-ignored", path)
    if missing:
        yield Remark("missing-files", path, len(missing), first_words(map(clean_text, missing)))
    if files > 1:
        yield Remark("split-recording", path, files)
    if reading.undecoded:
        types = first_words(clean_text(topic.type) for topic in reading.undecoded)
        yield Remark("undecoded-messages", path, sum(reading.undecoded.values()), types)
    yield from _of_positions(path, reading.rows)
    strangers = reading.rows.modes.strangers
    if strangers:
        words = first_words(clean_text(word) for word in strangers)
        yield Remark("unmapped-control-mode", path, sum(strangers.values()), words)


def _of_positions(path: str, rows: Rows) -> Iterator[Remark]:
    """Yield what must be said of whose positions were read."""
    receivers = [topic for topic in rows.topics if topic.kind == "NavSatFix"]
    estimates = [topic for topic in rows.topics if topic.kind == ESTIMATE_KIND]
    read = receivers if rows.received else estimates
    if len({topic.name for topic in read}) > 1:
        yield Remark("several-positions", path, len(read), first_words(clean_text(t.name) for t in read))
    if rows.estimated:
        code = "estimates-left" if rows.received else "estimated-positions"
        yield Remark(code, path, rows.estimated, first_words(clean_text(t.name) for t in estimates))


def _instant(time_ns: int) -> str:
    """Return an instant as text."""
    return f"{np.datetime64(time_ns // 1000, 'us')}Z"


def _log(plan: Plan, options: ReadOptions, reading: _Reading, remarks: list[Remark]) -> Log:
    """Return the log; the vehicle is the profile's or called after the file (or the folder)."""
    profile = load_profile(options.profile)
    place = Path(plan.path).resolve().parent if is_metadata(plan.path) else Path(plan.path)
    stem = place.name.split(".")[0]
    vehicle = profile.fixed.get("vehicle_id", stem)
    if "vehicle_id" not in profile.fixed:
        remarks.append(vehicle_from_file(plan.path, vehicle))
    records, rejects = pl.DataFrame(), reading.rows.rejects()
    if reading.rows.positions:
        clock = settled(plan.path, reading.rows)
        remarks += clock.remarks
        records = _records(reading.rows, clock.time)
        if clock.session is not None:
            records = records.with_columns(trip_id=pl.format("{}#{}", pl.lit(stem), pl.Series(clock.session + 1)))
        records = _fixed(records, vehicle, profile)
    others = reading.count - records.height - rejects.height
    return Log(plan.path, plan.format, None, records, rejects, reading.count, others, tuple(remarks))


def _fixed(records: pl.DataFrame, vehicle: str, profile: Profile) -> pl.DataFrame:
    """Return the records with what is said of all of them."""
    said = {n: pl.lit(profile.fixed[n]) for n in ("vehicle_type", "operator") if n in profile.fixed}
    if "trip_id" in profile.fixed and "trip_id" not in records.columns:
        said["trip_id"] = pl.lit(profile.fixed["trip_id"])
    return records.with_columns(vehicle_id=pl.lit(vehicle), **said)


def _records(rows: Rows, time_ns: np.ndarray) -> pl.DataFrame:
    """Return the records."""
    table = rows.table()
    mode = pl.Series(np.array(table["mode"]))
    at = mode.set(mode < 0, None)
    said = list(rows.said)
    ours = pl.Series([mode for mode, _ in said], dtype=pl.Enum(CONTROL_MODES))
    raw = pl.Series([clean_text(words) for _, words in said], dtype=pl.String)
    numbers = {
        "longitude": table["longitude"],
        "latitude": table["latitude"],
        "speed_kph": table["speed"],
        "horizontal_accuracy_m": table["sigma"],
    }
    return pl.DataFrame(
        {
            "record": np.array(table["record"]),
            "time": pl.Series(time_ns // 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "is_sample": np.isnan(table["longitude"]),
            **{name: pl.Series(np.array(values)).fill_nan(None) for name, values in numbers.items()},
            "control_mode": ours.gather(at),
            "control_mode_raw": raw.gather(at),
        }
    )
