"""The control mode that Autoware's messages say together, by the names in the file's own definitions.

Numbers of modes have changed over the years; a name means the same in all of them. What the
vehicle reports (ControlModeReport; VehicleStateReport of Autoware.Auto) comes first; the
operator's choice (OperationModeState) says whether its driving is remote and, before any
report, stands alone. A minimal risk manoeuvre (MrmState) is one in every mode but with a
driver driving.
"""

from collections.abc import Callable
from typing import Any

MODE_OF_REPORT = {
    "NO_COMMAND": "unknown",
    "AUTONOMOUS": "autonomous",
    "AUTONOMOUS_STEER_ONLY": "autonomous",
    "AUTONOMOUS_VELOCITY_ONLY": "autonomous",
    "MANUAL": "manual",
    "DISENGAGED": "disengaged",
    "NOT_READY": "not_ready",
}
MODE_OF_OPERATION = {
    "UNKNOWN": "unknown",
    "STOP": "autonomous",
    "AUTONOMOUS": "autonomous",
    "LOCAL": "manual",
    "REMOTE": "remote",
}
_MRM = ("MRM_OPERATING", "MRM_SUCCEEDED", "MRM_FAILED")
_MRM_NAMES = frozenset((*_MRM, "UNKNOWN", "NORMAL"))
_OF_MODE = "MODE_"
"""Begins the names of modes where one message also has names for gears, lamps and wipers."""
_WITH_A_DRIVER = ("manual", "disengaged", "not_ready")

Said = tuple[str, str]
"""A mode of ours, and the log's own words."""


class Names:
    """The names that a definition gives to the values of one field."""

    def __init__(self) -> None:
        self.known: dict[int, str] = {}

    def of(self, message: Any, value: int, wanted: Callable[[str], bool]) -> str:
        """Return the name of a value, the number itself where it has none."""
        if value not in self.known:
            names = (n for n in dir(message) if n.isupper() and wanted(n) and getattr(message, n) == value)
            self.known[value] = min(names, default=str(value))
        return self.known[value]


class Modes:
    """What has been said of the mode so far; `strangers` counts names that nobody knows."""

    def __init__(self) -> None:
        self.report: str | None = None
        self.operation: str | None = None
        self.controls = True
        self.mrm: str | None = None
        self.strangers: dict[str, int] = {}

    def hear(self, kind: str, message: Any, names: Names) -> Said | None:
        """Take a message into account, and return the mode from now on, null where nobody says one."""
        if kind == "ControlModeReport":
            self.report = self._known(names.of(message, message.mode, str.isupper), MODE_OF_REPORT)
        elif kind == "VehicleStateReport":
            name = names.of(message, message.mode, lambda own: own.startswith(_OF_MODE))
            self.report = self._known(name.removeprefix(_OF_MODE), MODE_OF_REPORT)
        elif kind == "OperationModeState":
            self.operation = self._known(names.of(message, message.mode, str.isupper), MODE_OF_OPERATION)
            self.controls = bool(message.is_autoware_control_enabled)
        else:
            name = names.of(message, message.state, _MRM_NAMES.__contains__)
            self.mrm = name if name in _MRM else None if self.mrm is None else ""
        return self._said()

    def _known(self, name: str, known: dict[str, str]) -> str:
        """Return the name, counted where nobody knows it."""
        if name not in known:
            self.strangers[name] = self.strangers.get(name, 0) + 1
        return name

    def _said(self) -> Said | None:
        """Return the mode."""
        mode, words = self._driving()
        if self.mrm and mode not in _WITH_A_DRIVER:
            return "minimal_risk", "/".join(filter(None, (words, self.mrm)))
        if mode is None:
            return None if self.mrm is None else ("unknown", "NORMAL")  # a manoeuvre is over, and then?
        return mode, words

    def _driving(self) -> tuple[str | None, str]:
        """Return the mode without regard to manoeuvres."""
        operation = None if self.operation is None else MODE_OF_OPERATION.get(self.operation, "unknown")
        if self.report is None:
            if operation is not None and not self.controls:
                return "manual", f"{self.operation} (control disabled)"
            return operation, self.operation or ""
        mode = MODE_OF_REPORT.get(self.report, "unknown")
        if mode == "autonomous" and self.controls and operation == "remote":
            return "remote", f"{self.report}/{self.operation}"
        return mode, self.report
