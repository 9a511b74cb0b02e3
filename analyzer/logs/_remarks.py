"""What the reading of a log must say: counted part by part, put into sentences once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from analyzer.terms import Notice

SHOWN_WORDS = 5


@dataclass(frozen=True)
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
    return tuple(Notice(r.code, r.subject, *_SENTENCES[r.code](r)) for r in _added_up(remarks))


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


def _vehicle_from_file(remark: Remark) -> tuple[str, str]:
    path, name = remark.subject, remark.words[0]
    return (
        f"{path}: 기록에 차량 이름이 없어 파일 이름에서 '{name}'(으)로 정했습니다.",
        f"{path}: the log names no vehicle; it is called '{name}' after the file.",
    )


def _negative_speed(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 0보다 작은 속도 {remark.count}건은 기록되지 않은 것으로 보았습니다.",
        f"{remark.subject}: {remark.count} speed(s) below 0 are taken as not said.",
    )


def _encoding(remark: Remark) -> tuple[str, str]:
    encoding = remark.words[0]
    return (
        f"{remark.subject}: UTF-8이 아니라 {encoding}(으)로 읽었습니다.",
        f"{remark.subject}: is not UTF-8; it was read as {encoding}.",
    )


def _unmapped(name: str) -> Callable[[Remark], tuple[str, str]]:
    """Return what to say of values of a column that nobody maps."""

    def sentences(remark: Remark) -> tuple[str, str]:
        path, shown = remark.subject, ", ".join(repr(word) for word in remark.words)
        return (
            f"{path}: {name} 값 {remark.count}건을 해석할 수 없어 'unknown'으로 처리했습니다: {shown}.",
            f"{path}: {remark.count} value(s) of {name} are not known and count as 'unknown': {shown}.",
        )

    return sentences


def _times_taken_as_utc(remark: Remark) -> tuple[str, str]:
    path, count = remark.subject, remark.count
    return (
        f"{path}: 시간대가 적히지 않은 시각 {count}건을 이 형식의 표준에 따라 UTC로 읽었습니다.",
        f"{path}: {count} time(s) without an offset are taken as UTC, as the standard of this format says.",
    )


def _two_speeds(remark: Remark) -> tuple[str, str]:
    path, count = remark.subject, remark.count
    return (
        f"{path}: 기록 {count}건에 서로 다른 속도가 둘 이상 있어 첫 번째 값을 썼습니다.",
        f"{path}: {count} record(s) say two different speeds; the first is used.",
    )


def _epoch_by_size(remark: Remark) -> tuple[str, str]:
    path, unit = remark.subject, remark.words[0]
    return (
        f"{path}: 단위가 적히지 않은 숫자 시각을 값의 크기에 따라 1970년부터의 {unit}(으)로 읽었습니다.",
        f"{path}: its times are numbers without a unit; by their size they are {unit} since 1970 UTC.",
    )


def _said_twice(remark: Remark) -> tuple[str, str]:
    path, count, shown = remark.subject, remark.count, ", ".join(repr(word) for word in remark.words)
    return (
        f"{path}: 한 객체에 서로 다른 값으로 두 번 적힌 항목 {count}건은 기록되지 않은 것으로 보았습니다: {shown}.",
        f"{path}: {count} member(s) are said twice in one object with two values and count as not said: {shown}.",
    )


def _values_without_position(remark: Remark) -> tuple[str, str]:
    path, count = remark.subject, remark.count
    return (
        f"{path}: 위치가 없는 시각의 값 {count}건은 쓰지 않고 세기만 했습니다.",
        f"{path}: {count} instant(s) with values but without a position are counted and not used.",
    )


_SENTENCES: dict[str, Callable[[Remark], tuple[str, str]]] = {
    "encoding": _encoding,
    "epoch-by-size": _epoch_by_size,
    "negative-speed": _negative_speed,
    "said-twice": _said_twice,
    "times-taken-as-utc": _times_taken_as_utc,
    "two-speeds": _two_speeds,
    "unmapped-control-mode": _unmapped("control_mode"),
    "unmapped-operator": _unmapped("operator"),
    "values-without-position": _values_without_position,
    "vehicle-from-file": _vehicle_from_file,
}
"""Code of a remark -> its Korean and English sentence."""
