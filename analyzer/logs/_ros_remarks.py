"""What the reading of recordings must say, in Korean and English."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.logs._remarks import Remark

Sentences = Callable[["Remark"], tuple[str, str]]


def _of(korean: str, english: str) -> Sentences:
    """Return what says a sentence with the path, the count and the words of a remark in it."""

    def sentences(remark: "Remark") -> tuple[str, str]:
        values = {"count": remark.count, "words": ", ".join(remark.words)}
        return tuple(f"{remark.subject}: " + text.format(**values) for text in (korean, english))  # type: ignore[return-value]

    return sentences


ROS_SENTENCES: dict[str, Sentences] = {
    "clock-days-off": _of(
        "메시지 {count}건의 측정 시각이 기록 시각과 꼭 {words}일 차이가 나서 기록 시각의 날짜로 옮겼습니다.",
        "the own times of {count} message(s) are {words} day(s) off the log time; they were moved to its date.",
    ),
    "clock-hours-off": _of(
        "위치의 측정 시각이 기록 시각과 {words}시간 차이 납니다. 측정 시각을 따랐으니 시계를 확인하십시오.",
        "the own times of the positions are {words} h off the log time; they were followed: check the clocks.",
    ),
    "clock-set-back": _of(
        "위치의 시각이 {count}번 뒤로 돌아가 그때마다 새 운행으로 나누었습니다.",
        "the time of the positions goes back {count} time(s); a new trip begins at each.",
    ),
    "clocks-apart": _of(
        "메시지 {count}건의 시계가 위치의 시계와 {words}초 차이가 납니다. 그대로 두었습니다.",
        "the clock of {count} message(s) is {words} s off that of the positions; it was left as it is.",
    ),
    "damaged-chunks": _of(
        "기록의 {count}개 구간이 손상되어 읽지 못했습니다. 그 안의 메시지 수는 알 수 없습니다.",
        "{count} piece(s) of the recording are damaged and were left out; how many messages they hold is not known.",
    ),
    "date-recovered": _of(
        "메시지 {count}건의 측정 시각에 날짜가 없어 기록 시각에서 날짜를 가져왔습니다.",
        "the own times of {count} message(s) have no date; it was taken from the log time.",
    ),
    "empty-recording": _of(
        "빈 기록입니다. 파일은 온전하지만 메시지가 하나도 없습니다.",
        "an empty recording: the file is whole, but holds not one message.",
    ),
    "log-clock-rate": _of(
        "기록 시계가 측정 시계의 {words}배로 갑니다. 속도는 측정 시각으로만 계산합니다.",
        "the log clock runs at {words} times the rate of the messages' own; speeds come from the own times alone.",
    ),
    "log-time-used": _of(
        "메시지 {count}건에 측정 시각이 없어 기록 시각을 썼습니다.",
        "{count} message(s) have no time of their own; the log time was taken.",
    ),
    "missing-files": _of(
        "기록의 파일 {count}개가 없습니다: {words}. 나머지를 읽었습니다.",
        "{count} file(s) of the recording are missing: {words}; the others were read.",
    ),
    "recording-cut": _of(
        "기록이 끝까지 온전하지 않습니다. 메시지 {count}건을 살렸고 마지막 시각은 {words}입니다.",
        "the recording is cut off or was never closed; {count} message(s) were recovered, the last of {words}.",
    ),
    "several-positions": _of(
        "위치를 말하는 토픽이 {count}개입니다: {words}. 모두 한 차량의 위치로 읽었습니다.",
        "{count} topics say positions: {words}; all were read as those of one vehicle.",
    ),
    "split-recording": _of(
        "파일 {count}개로 나뉜 하나의 기록으로 읽었습니다.",
        "was read as one recording of {count} files.",
    ),
    "undecoded-messages": _of(
        "메시지 {count}건을 해석할 정의가 없어 쓰지 않았습니다: {words}. --msgs로 .msg 폴더를 지정하십시오.",
        "{count} message(s) were not used, their definition is missing: {words}; give a folder of .msg by --msgs.",
    ),
    "wal-ignored": _of(
        "옆에 있는 -wal 파일은 읽지 않았습니다. 그 안의 메시지는 빠져 있습니다.",
        "the -wal file beside it is not read; messages in it are missing here.",
    ),
}
"""Code of a remark -> its sentences."""
