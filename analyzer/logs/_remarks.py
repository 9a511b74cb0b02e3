"""What the reading of a log must say: counted part by part, put into sentences once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from analyzer.language import Both, marked, several
from analyzer.logs._ros_remarks import ROS_SENTENCES
from analyzer.records import record
from analyzer.terms import Notice

SHOWN_WORDS = 5


@record(frozen=True)
class Remark:
    """Something to say of a log, in a form that adds up over the parts of a file.

    `code` and `subject` are those of the notice; `count` is how many values it is about;
    `words` are what it names (parts need to give no more than the first few in order).
    """

    code: str
    subject: str
    count: int = 0
    words: tuple[str, ...] = ()


def first_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words that a notice can show: the first few in order."""
    return tuple(sorted(set(words))[:SHOWN_WORDS])


def notices_of(remarks: Iterable[Remark]) -> tuple[Notice, ...]:
    """Return the remarks as sentences, one per subject and code, in this order."""
    return tuple(Notice(r.code, r.subject, **_sentence(r)) for r in _added_up(remarks))


def _sentence(remark: Remark) -> Both:
    """Return a remark in both languages."""
    one, many = _SENTENCES[remark.code]
    words = remark.words
    said = {"words": ", ".join(words), "quoted": ", ".join(map(repr, words)), "first": next(iter(words), "")}
    said["listed"] = said["words"] + (", …" if remark.count > len(words) else "")
    text = several(remark.count, one, many or one, **said)
    return {lang: f"{remark.subject}: {sentence}" for lang, sentence in text.items()}


def _added_up(remarks: Iterable[Remark]) -> Iterator[Remark]:
    """Yield one remark per subject and code: counts added up, words united."""
    found: dict[tuple[str, str], Remark] = {}
    for remark in remarks:
        key = (remark.subject, remark.code)
        before = found.get(key, replace(remark, count=0, words=()))
        words = first_words((*before.words, *remark.words))
        found[key] = replace(before, count=before.count + remark.count, words=words)
    for key in sorted(found):
        yield found[key]


def built_in(path: str, name: str | None) -> tuple[Remark, ...]:
    """Return the remark that a built-in profile was used, none where none was."""
    return () if name is None else (Remark("built-in-profile", path, words=(name,)),)


_SENTENCES: dict[str, tuple[str, str | None]] = {
    "built-in-profile": (
        marked("its columns are those of the built-in profile '{words}', by which it was read."),
        None,
    ),
    "clock-back": (
        marked("the clock steps back {n} time in the recording; a new trip begins there."),
        "the clock steps back {n} times in the recording; a new trip begins at each.",
    ),
    "clock-fold": (
        marked("holds local times that came twice when the clock went back; each counts as the first."),
        None,
    ),
    "clock-gap": (
        marked("holds local times that the clock skipped; each counts as the next that exists."),
        None,
    ),
    "document-cut": (
        marked("breaks off; {n} record before that was read."),
        "breaks off; {n} records before that were read.",
    ),
    "coarse-days": (
        marked(
            "its times are days with few decimals, in steps of {words} s: speeds from positions are as coarse, and "
            "records may fall on one time."
        ),
        None,
    ),
    "encoding": (
        marked("is not UTF-8; it was read as {words}."),
        None,
    ),
    "epoch-unit": (
        marked("no name says the unit of its times; by their size they were read as {words} since 1970 UTC."),
        None,
    ),
    "finer-times": (
        marked("RMC says whole seconds only; {n} position takes the time of the GGA of the same fix."),
        "RMC says whole seconds only; {n} positions take the time of the GGA of the same fix.",
    ),
    "leap-second": (
        marked("{n} leap second (23:59:60 UTC) counts as 00:00:00 of the next day."),
        "{n} leap seconds (23:59:60 UTC) count as 00:00:00 of the next day.",
    ),
    "left-out-documents": (
        marked("{n} other .kml in the archive was not read: {listed}; unpack it if it is a log as well."),
        "{n} other .kml in the archive were not read: {listed}; unpack them if they are logs as well.",
    ),
    "left-out-ledger": (
        marked("{n} ledger of zonelog was not read as logs: {listed}."),
        "{n} ledgers of zonelog were not read as logs: {listed}.",
    ),
    "left-out-option": (
        marked("{n} file given by another option was not read as a log: {listed}."),
        "{n} files given by another option were not read as logs: {listed}.",
    ),
    "left-out-result": (
        marked("{n} file of a result of zonelog (run.json) was not read as a log: {listed}."),
        "{n} files of a result of zonelog (run.json) were not read as logs: {listed}.",
    ),
    "left-out-shadow": (
        marked("{n} file that systems or Office keep for themselves was not read as a log: {listed}."),
        "{n} files that systems or Office keep for themselves were not read as logs: {listed}.",
    ),
    "left-out-unknown": (
        marked("{n} file of no known kind was not read as a log: {listed}."),
        "{n} files of no known kind were not read as logs: {listed}.",
    ),
    "left-out-zones": (
        marked("{n} file of a zone set (zones.geojson) was not read as a log: {listed}."),
        "{n} files of a zone set (zones.geojson) were not read as logs: {listed}.",
    ),
    "negative-speed": (
        marked("{n} speed below 0 is taken as not said."),
        "{n} speeds below 0 are taken as not said.",
    ),
    "no-checksum": (
        marked("{n} sentence has no checksum; whether it is damaged cannot be told."),
        "{n} sentences have no checksum; whether they are damaged cannot be told.",
    ),
    "obfuscated": (
        marked("every byte is obfuscated (XOR) by the same value; it was read off the decimal points in the file."),
        None,
    ),
    "open-quote": (
        marked("a quote that is opened and not closed had swallowed {n} line; there, each line was read by itself."),
        "quotes that are opened and not closed had swallowed {n} lines; there, each line was read by itself.",
    ),
    "other-columns": (
        marked(
            "several columns by their names say the same; used, and in brackets not used, are: {words}. "
            "A profile chooses others."
        ),
        None,
    ),
    "other-times": (
        marked("several columns say times; the first of these is used: {words}."),
        None,
    ),
    "outside-sentences": (
        marked("{n} byte outside NMEA sentences is not read."),
        "{n} bytes outside NMEA sentences are not read.",
    ),
    "said-twice": (
        marked("{n} member is said twice in one object with two values and counts as not said: {quoted}."),
        "{n} members are said twice in one object with two values and count as not said: {quoted}.",
    ),
    "several-headers": (
        marked(
            "holds {n} headers, as of files put one after another; the records after each are those of its "
            "vehicle: {words}."
        ),
        None,
    ),
    "time-of-receipt": (
        marked(
            "no column says when positions were measured; when they were received or written is used "
            "({words}), so they may be older."
        ),
        None,
    ),
    "times-apart": (
        marked(
            "other columns of times differ from the one that is used (median): {words}. Whole or half hours "
            "mean that one of them has a wrong time zone or date. Nothing was corrected: check which is right."
        ),
        None,
    ),
    "times-taken-as-utc": (
        marked("{n} time without an offset is taken as UTC, as the standard of this format says."),
        "{n} times without an offset are taken as UTC, as the standard of this format says.",
    ),
    "two-speeds": (
        marked("{n} record says two different speeds; the first is used."),
        "{n} records say two different speeds; the first is used.",
    ),
    "unmapped-control-mode": (
        marked("{n} value of control_mode is not known and counts as 'unknown': {quoted}."),
        "{n} values of control_mode are not known and count as 'unknown': {quoted}.",
    ),
    "unmapped-operator": (
        marked("{n} value of operator is not known and counts as 'unknown': {quoted}."),
        "{n} values of operator are not known and count as 'unknown': {quoted}.",
    ),
    "values-without-position": (
        marked("{n} instant with values but without a position is counted and not used."),
        "{n} instants with values but without a position are counted and not used.",
    ),
    "vehicle-from-file": (
        marked("the log names no vehicle; it is called '{words}' after the file."),
        None,
    ),
    "week-jump": (
        marked(
            "the date steps by 1024 weeks (7168 days) {n} time, as when the week number of the receiver "
            "rolls over; the dates are not changed."
        ),
        "the date steps by 1024 weeks (7168 days) {n} times, as when the week number of the receiver "
        "rolls over; the dates are not changed.",
    ),
    "week-roll-over": (
        marked(
            "{n} position is dated before 2010 ({first}); the week number of the receiver may have "
            "rolled over, so that it is 1024 weeks (7168 days) early. The date is not changed."
        ),
        "{n} positions are dated before 2010 ({first}, …); the week number of the receiver may have "
        "rolled over, so that they are 1024 weeks (7168 days) early. The dates are not changed.",
    ),
    "whole-names": (
        marked("{n} vehicle name was a number with a point; the '.0' was dropped."),
        "{n} vehicle names were numbers with a point; the '.0' was dropped.",
    ),
    **ROS_SENTENCES,
}
"""Code of a remark -> what follows the name of the file: of one, of several (null: the same).

`n` is the count, `words` are the words, `quoted` the same in quotes, `first` is the first of them.
"""
