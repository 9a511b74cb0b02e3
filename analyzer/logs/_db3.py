"""The tables of a ROS 2 recording in SQLite, opened read only and as if nothing else wrote to it.

Rows come in the order in which they were written. Nothing in the file is trusted: tables
must be plain ones, no value may be larger than the file, no more rows than fit into it.
"""

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from analyzer.errors import LogError
from analyzer.logs._plain import clean_text
from analyzer.logs._ros_walk import UNKNOWN, Course, Messages, Topic
from analyzer.logs._unpack import MOST_CHUNK_BYTES

_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_HEAD_BYTES = 100
ROW_BYTES = 8
"""No row of messages takes less."""
_TABLES = {"topics": ("id", "name", "type", "serialization_format"), "messages": ("topic_id", "timestamp", "data")}
_GRAMMARS = {"ros2msg": "msg", "ros2idl": "idl"}


def walk_db3(path: Path, course: Course) -> Messages:
    """Yield all messages in the order in which they were written; how it went is noted in `course`."""
    course.wal = Path(f"{path}-wal").is_file() and Path(f"{path}-wal").stat().st_size > 0
    course.journal = _is_hot(Path(f"{path}-journal"))
    size = path.stat().st_size
    course.cut |= (cut := size < _said_bytes(path))
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(min(size, 16 * MOST_CHUNK_BYTES), 4096))
            database.execute("PRAGMA trusted_schema = OFF")
            if cut:  # else no table of a database that is shorter than it says is read; nothing is written
                database.execute("PRAGMA writable_schema = ON")
            topics = {number: course.topic(topic) for number, topic in _topics(course.path, database).items()}
            yield from _messages(course.path, database, topics, size // ROW_BYTES)
    except (sqlite3.Error, OverflowError, ValueError, TypeError) as error:
        if not course.topics:
            said = clean_text(str(error))
            message = f"{course.path}: the recording is damaged ({said}); repair a copy with `sqlite3 FILE .recover`"
            raise LogError(message) from error
        course.cut = True


def _said_bytes(path: Path) -> int:
    """Return how many bytes a database says it has: less than it has of one that another program wrote."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        return _HEAD_BYTES
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    is_stated = head[24:28] == head[92:96]  # the number of pages is that of the last change
    return (1 << 16 if page == 1 else page) * pages if is_stated else 0


def _is_hot(journal: Path) -> bool:
    """Return whether a rollback journal belongs to a change that was broken off."""
    try:
        if not journal.is_file():  # opening a pipe would wait for ever
            return False
        with journal.open("rb") as file:
            return file.read(len(_JOURNAL)) == _JOURNAL
    except OSError:
        return False


def _messages(path: str, database: sqlite3.Connection, topics: dict[int, Topic], most: int) -> Messages:
    """Yield the rows; LogError where there are more than the file can hold."""
    rows = database.execute("SELECT topic_id, timestamp, data FROM messages")
    wanted = {number for number, topic in topics.items() if topic.wanted}
    for connection, log_ns, data in islice(rows, most + 1):
        if connection in wanted and type(log_ns) is int and type(data) is bytes:
            yield topics[connection], log_ns, data
        else:
            yield topics.get(connection, UNKNOWN), int(log_ns), b""
    if rows.fetchone() is not None:
        raise LogError(f"{path}: holds more messages than fit into it; it is no recording: ask who sent it")


def _topics(path: str, database: sqlite3.Connection) -> dict[int, Topic]:
    """Return the topics by their number."""
    for table, columns in _TABLES.items():
        if not set(columns) <= _columns(database, table):
            message = f"{path}: is no ROS 2 recording: it has no plain table `{table}` with {', '.join(columns)}"
            raise LogError(message)
    definitions = _definitions(database)
    rows = database.execute("SELECT id, name, type, serialization_format FROM topics").fetchmany(1 << 16)
    return {
        number: Topic(str(name), str(kind), *definitions.get(kind, ("", "msg")), encoding=str(encoding))
        for number, name, kind, encoding in rows
    }


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns of a plain table, none where it is a view, virtual or missing."""
    found = database.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    words = str(found[0][1]).upper().split() if len(found) == 1 and found[0][0] == "table" else []
    if words[:2] != ["CREATE", "TABLE"]:
        return set()
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}  # a generated column is not listed


def _definitions(database: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Return type -> definition and its grammar; none of recordings of Humble and before."""
    if not {"topic_type", "encoding", "encoded_message_definition"} <= _columns(database, "message_definitions"):
        return {}
    rows = database.execute("SELECT topic_type, encoding, encoded_message_definition FROM message_definitions")
    return {str(kind): (str(text), _GRAMMARS.get(encoding, "")) for kind, encoding, text in rows.fetchmany(1 << 16)}
