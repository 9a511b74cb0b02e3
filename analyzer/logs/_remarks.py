"""What the reading of a log must say: counted part by part, put into sentences once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from analyzer.logs._ros_remarks import ROS_SENTENCES
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


def built_in(path: str, name: str | None) -> tuple[Remark, ...]:
    """Return the remark that a built-in profile was used, none where none was."""
    return () if name is None else (Remark("built-in-profile", path, words=(name,)),)


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


def _clock_back(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 기록 중 시계가 {remark.count}번 뒤로 갔습니다. 그때마다 새 운행으로 나누었습니다.",
        f"{remark.subject}: the clock steps back {remark.count} time(s) in the recording; each starts a new trip.",
    )


def _leap_second(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 윤초(23:59:60 UTC) {remark.count}건은 다음 날 00:00:00으로 보았습니다.",
        f"{remark.subject}: {remark.count} leap second(s) (23:59:60 UTC) count as 00:00:00 of the next day.",
    )


def _finer_times(remark: Remark) -> tuple[str, str]:
    path, count = remark.subject, remark.count
    return (
        f"{path}: RMC 시각에 소수점 이하가 없어, 위치 {count}건은 같은 위치의 GGA 시각을 따랐습니다.",
        f"{path}: RMC says whole seconds only; {count} position(s) take the time of the GGA of the same fix.",
    )


def _no_checksum(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 문장 {remark.count}개에 체크섬이 없어 손상 여부를 확인할 수 없습니다.",
        f"{remark.subject}: {remark.count} sentence(s) have no checksum; whether they are damaged cannot be told.",
    )


def _obfuscated(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 모든 바이트가 같은 값과 XOR 처리되어 있어, "
        "파일 안의 소수점 자리로 그 값을 알아내 읽었습니다.",
        f"{remark.subject}: every byte is obfuscated (XOR) by the same value; "
        "it was read off the decimal points in the file.",
    )


def _outside_sentences(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: {remark.count}바이트는 NMEA 문장이 아니어서 읽지 않았습니다.",
        f"{remark.subject}: {remark.count} byte(s) outside NMEA sentences are not read.",
    )


def _week_jump(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 날짜가 1024주(7168일)만큼 {remark.count}번 건너뜁니다. 수신기의 주 번호가 "
        "넘어갔을 수 있으며, 날짜는 바꾸지 않았습니다.",
        f"{remark.subject}: the date steps by 1024 weeks (7168 days) {remark.count} time(s), as when the week number "
        "of the receiver rolls over; the dates are not changed.",
    )


def _week_roll_over(remark: Remark) -> tuple[str, str]:
    path, first = remark.subject, remark.words[0]
    return (
        f"{path}: 위치 {remark.count}건의 날짜가 2010년 이전입니다({first} 등). "
        "수신기의 주 번호가 넘어가 1024주(7168일) 이르게 기록되었을 수 있습니다. 날짜는 바꾸지 않았습니다.",
        f"{path}: {remark.count} position(s) are dated before 2010 ({first}, …); the week number of the receiver may "
        "have rolled over, so that they are 1024 weeks (7168 days) early. The dates are not changed.",
    )


def _built_in(remark: Remark) -> tuple[str, str]:
    path, name = remark.subject, remark.words[0]
    return (
        f"{path}: 열 이름이 내장 프로파일 '{name}'과(와) 같아 그 프로파일로 읽었습니다.",
        f"{path}: its columns are those of the built-in profile '{name}', by which it was read.",
    )


def _epoch(remark: Remark) -> tuple[str, str]:
    path, kind = remark.subject, ", ".join(remark.words)
    return (
        f"{path}: 시각 열의 이름에 단위가 없어 값의 크기로 {kind}(1970년 UTC 기준)으로 보았습니다.",
        f"{path}: no name says the unit of its times; by their size they were read as {kind} since 1970 UTC.",
    )


def _whole_names(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 차량 이름 {remark.count}건에서 소수점 이하(.0)를 지웠습니다.",
        f"{remark.subject}: {remark.count} vehicle name(s) were numbers with a point; the '.0' was dropped.",
    )


def _clock_gap(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 시계가 건너뛰어 존재하지 않는 현지 시각이 있어, 그다음 존재하는 시각으로 보았습니다.",
        f"{remark.subject}: holds local times that the clock skipped; each counts as the next that exists.",
    )


def _clock_fold(remark: Remark) -> tuple[str, str]:
    return (
        f"{remark.subject}: 시계가 되돌려져 두 번 있는 현지 시각이 있어, 앞의 것으로 보았습니다.",
        f"{remark.subject}: holds local times that came twice when the clock went back; each counts as the first.",
    )


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


def _other_times(remark: Remark) -> tuple[str, str]:
    path, shown = remark.subject, "; ".join(remark.words)
    return (
        f"{path}: 시각 열이 여럿이어서 다음 중 맨 앞의 것을 썼습니다: {shown}.",
        f"{path}: several columns say times; the first of these is used: {shown}.",
    )


def _other_columns(remark: Remark) -> tuple[str, str]:
    path, shown = remark.subject, ", ".join(remark.words)
    return (
        f"{path}: 같은 뜻의 열이 여럿입니다. 사용한 열과 사용하지 않은 열(괄호): {shown}. 다른 열을 쓰려면 프로파일로 "
        "지정하십시오.",
        f"{path}: several columns by their names say the same; used, and in brackets not used, are: {shown}. A profile "
        "chooses others.",
    )


def _time_of_receipt(remark: Remark) -> tuple[str, str]:
    path, shown = remark.subject, ", ".join(remark.words)
    return (
        f"{path}: 측정 시각 열이 없어 수신·저장 시각({shown})을 썼습니다. 위치는 그보다 먼저 측정되었을 수 있습니다.",
        f"{path}: no column says when positions were measured; when they were received or written is used ({shown}), "
        "so they may be older.",
    )


def _times_apart(remark: Remark) -> tuple[str, str]:
    path, shown = remark.subject, "; ".join(remark.words)
    return (
        f"{path}: 다른 시각 열이 사용한 시각과 다릅니다(중앙값): {shown}. 시간이나 30분 단위로 꼭 맞으면 어느 한쪽의 "
        "시간대나 날짜가 틀린 것입니다. 고치지 않았으니 어느 것이 맞는지 확인하십시오.",
        f"{path}: other columns of times differ from the one that is used (median): {shown}. Whole or half hours mean "
        "that one of them has a wrong time zone or date. Nothing was corrected: check which is right.",
    )


def _left_out(ko: str, en: str) -> Callable[[Remark], tuple[str, str]]:
    """Return what to say of files that are no logs, for the reasons given."""

    def sentences(remark: Remark) -> tuple[str, str]:
        path, count = remark.subject, remark.count
        shown = ", ".join(remark.words) + (", …" if count > len(remark.words) else "")
        return (
            f"{path}: {ko} 파일 {count}개는 운행 기록으로 읽지 않았습니다: {shown}.",
            f"{path}: {count} file(s) {en} were not read as logs: {shown}.",
        )

    return sentences


_SENTENCES: dict[str, Callable[[Remark], tuple[str, str]]] = {
    "built-in-profile": _built_in,
    "clock-back": _clock_back,
    "clock-fold": _clock_fold,
    "clock-gap": _clock_gap,
    "encoding": _encoding,
    "epoch-unit": _epoch,
    "finer-times": _finer_times,
    "leap-second": _leap_second,
    "left-out-option": _left_out("다른 옵션으로 지정된", "given by another option"),
    "left-out-result": _left_out("zonelog 결과(run.json)에 속한", "of a result of zonelog (run.json)"),
    "left-out-shadow": _left_out("운영체제나 Office가 남긴", "that systems or Office keep for themselves"),
    "left-out-unknown": _left_out("알려진 형식이 아닌", "of no known kind"),
    "left-out-zones": _left_out("구역 자료에 속한", "of a zone set (zones.geojson)"),
    "negative-speed": _negative_speed,
    "no-checksum": _no_checksum,
    "obfuscated": _obfuscated,
    "other-columns": _other_columns,
    "other-times": _other_times,
    "outside-sentences": _outside_sentences,
    "said-twice": _said_twice,
    "time-of-receipt": _time_of_receipt,
    "times-apart": _times_apart,
    "times-taken-as-utc": _times_taken_as_utc,
    "two-speeds": _two_speeds,
    "unmapped-control-mode": _unmapped("control_mode"),
    "unmapped-operator": _unmapped("operator"),
    "values-without-position": _values_without_position,
    "vehicle-from-file": _vehicle_from_file,
    "week-jump": _week_jump,
    "week-roll-over": _week_roll_over,
    "whole-names": _whole_names,
    **ROS_SENTENCES,
}
"""Code of a remark -> its Korean and English sentence."""
