"""What the reading of recordings must say."""

from analyzer.language import marked

ROS_SENTENCES: dict[str, tuple[str, str | None]] = {
    "clock-away": (
        marked(
            "the own times of the positions are {words} s off the log time, as in a recording that was played again; "
            "they were followed: check the clocks."
        ),
        None,
    ),
    "clock-days-off": (
        marked("the own time of {n} message is off the log time by whole days ({words}); it was moved to its date."),
        "the own times of {n} messages are off the log time by whole days ({words}); they were moved to its date.",
    ),
    "clock-hours-off": (
        marked("the own times of the positions are {words} h off the log time; they were followed: check the clocks."),
        None,
    ),
    "clock-hours-moved": (
        marked("the clock of {n} message is {words} h off that of the positions; it was moved to agree with it."),
        "the clock of {n} messages is {words} h off that of the positions; they were moved to agree with it.",
    ),
    "clock-set-back": (
        marked("the time of the positions goes back {n} time; a new trip begins there."),
        "the time of the positions goes back {n} times; a new trip begins at each.",
    ),
    "clocks-apart": (
        marked("the clock of {n} message is {words} s off that of the positions; it was left as it is."),
        "the clock of {n} messages is {words} s off that of the positions; it was left as it is.",
    ),
    "damaged-chunks": (
        marked("{n} piece of the recording is damaged and was left out; how many messages it holds is not known."),
        "{n} pieces of the recording are damaged and were left out; how many messages they hold is not known.",
    ),
    "date-recovered": (
        marked("the own time of {n} message has no date; it was taken from the log time."),
        "the own times of {n} messages have no date; it was taken from the log time.",
    ),
    "empty-recording": (
        marked("an empty recording: the file is whole, but holds not one message."),
        None,
    ),
    "estimated-positions": (
        marked(
            "no receiver says a position; {n} is Autoware's own estimate ({words}), of unknown accuracy: "
            "the default_accuracy_m of the rules holds."
        ),
        "no receiver says a position; {n} are Autoware's own estimates ({words}), of unknown accuracy: "
        "the default_accuracy_m of the rules holds.",
    ),
    "estimates-left": (
        marked("{n} position of Autoware's own estimate ({words}) was left for the receiver's; its speed is used."),
        "{n} positions of Autoware's own estimate ({words}) were left for the receiver's; their speeds are used.",
    ),
    "journal-ignored": (
        marked(
            "its last change was not completed (a -journal file lies beside it, which is not applied); its last "
            "messages may be incomplete."
        ),
        None,
    ),
    "log-clock-rate": (
        marked(
            "the log clock runs at {words} times the rate of the messages' own; speeds come from the own times alone."
        ),
        None,
    ),
    "log-time-used": (
        marked("{n} message has no time of its own; the log time was taken."),
        "{n} messages have no time of their own; the log time was taken.",
    ),
    "missing-files": (
        marked("{n} file of the recording is missing: {words}; the others were read."),
        "{n} files of the recording are missing: {words}; the others were read.",
    ),
    "recording-cut": (
        marked("the recording is cut off or was never closed; {n} message was recovered, of {words}."),
        "the recording is cut off or was never closed; {n} messages were recovered, the last of {words}.",
    ),
    "several-positions": (
        marked("{n} topics say positions: {words}; all were read as those of one vehicle."),
        None,
    ),
    "split-recording": (
        marked("was read as one recording of {n} file."),
        "was read as one recording of {n} files.",
    ),
    "undecoded-messages": (
        marked("{n} message was not used, its definition is missing: {words}; give a folder of .msg by --msgs."),
        "{n} messages were not used, their definition is missing: {words}; give a folder of .msg by --msgs.",
    ),
    "wal-ignored": (
        marked("the -wal file beside it is not read; messages in it are missing here."),
        None,
    ),
}
"""Code of a remark -> its sentence of one and of several, as in `_remarks`."""
