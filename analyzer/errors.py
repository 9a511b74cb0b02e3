"""Everything that can stop an analysis, as one tree.

AnalyzerError
├── LogError      a log cannot be read, or nothing in it is a position
├── ZoneSetError  zones.geojson or fleet.csv cannot be used
│   └── RuleError rules.toml cannot be used
├── VectorError   a file of shapes (a basemap, the source of a zone set) cannot be read
├── PluginError   a log format, check or output breaks its own contract
├── WorkerError   a process that judged a part of the logs was killed, again and again
├── LedgerError   a ledger cannot be read or written, or lacks what a run needs
└── OutputError   the output folder cannot be written or replaced

Each message says what is wrong, where, and what to do. Trouble with a single log
record is not an error but data: it goes to the table of rejects. Only the command
line catches these; bugs are not caught.
"""


class AnalyzerError(Exception):
    """Some input or output cannot be used; the message is meant for the user."""


class LogError(AnalyzerError):
    """A log file cannot be read as a whole."""


class ZoneSetError(AnalyzerError):
    """A zone set cannot be used as a whole."""


class RuleError(ZoneSetError):
    """The rule file of a zone set cannot be used."""


class VectorError(AnalyzerError):
    """A file of shapes cannot be read."""


class PluginError(AnalyzerError):
    """A plug-in module does not say what a plug-in must say."""


class WorkerError(AnalyzerError):
    """A part of the logs could not be judged: every process that tried was killed."""


class LedgerError(AnalyzerError):
    """A ledger cannot be used."""


class OutputError(AnalyzerError):
    """The output folder cannot be written, or is not zonelog's to replace."""
