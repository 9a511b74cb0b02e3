"""Damage as it happens to files: cut off, bits turned, pieces doubled or gone."""

import time
from contextlib import suppress

from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log

MOST_SECONDS = 10.0
OPTIONS = ReadOptions(timezone="Asia/Seoul")


def _cut(data, at):
    return data[: at % (len(data) + 1)]


def _flip(data, at):
    place, bit = divmod(at % (len(data) * 8), 8)
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def _gone(data, at):
    place = at % len(data)
    return data[:place] + data[place + 1 + at % 40 :]


def _doubled(data, at):
    place = at % len(data)
    return data[: place + 1 + at % 40] + data[place:]


DAMAGES = (_cut, _flip, _flip, _flip, _gone, _doubled)


def damaged(*seeds):
    """Return a strategy of seeds with one to six damages."""
    one = st.tuples(st.sampled_from(DAMAGES), st.integers(0, 1 << 24))
    return st.builds(apply, st.sampled_from(seeds), st.lists(one, min_size=1, max_size=6))


def apply(data, damages):
    """Return data with damages: pairs of one of `DAMAGES` and where."""
    for damage, at in damages:
        data = damage(data, at) if data else data
    return data


def read_whatever(path, data=None):
    """Assert that reading gives a log in which everything is counted, or LogError, soon; `data` is written first."""
    if data is not None:
        path.write_bytes(data)
    started = time.perf_counter()
    with suppress(LogError):
        log = read_log(str(path), OPTIONS)
        assert log.record_count == log.records.height + log.rejects.height + log.other_records
    assert time.perf_counter() - started < MOST_SECONDS
