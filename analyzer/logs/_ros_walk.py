"""What a walk through the bytes of a recording gives, whatever its container."""

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.logs._unpack import Growth
from analyzer.records import record


@record(frozen=True)
class Topic:
    """A stream of messages of one type; `definition` is empty where the file holds none.

    `grammar` is msg or idl, `encoding` cdr or ros1 (others are not read).
    """

    name: str
    type: str
    definition: str = ""
    grammar: str = "msg"
    encoding: str = "cdr"

    @cached_property
    def kind(self) -> str:
        """Return the last part of the name of the type."""
        return self.type.rsplit("/", 1)[-1]

    @cached_property
    def wanted(self) -> bool:
        """Return whether its messages say a position, a speed or a mode."""
        return self.kind in KINDS and (self.kind != ESTIMATE_KIND or self.type.startswith(ESTIMATE_PACKAGE))


@dataclass
class Course:
    """How a walk went: whether the file is cut off or was never closed, and what was beyond reading.

    `wal` and `journal` say that such a file lies beside a database, which is not read; `path`
    is what the recording is called in messages.
    """

    path: str
    cut: bool = False
    bad_chunks: int = 0
    wal: bool = False
    journal: bool = False
    topics: dict[Topic, Topic] = field(default_factory=dict)
    growth: Growth = field(default_factory=Growth)

    def topic(self, topic: Topic) -> Topic:
        """Return the one object that stands for a topic from now on: it is told by its identity, message by message."""
        return self.topics.setdefault(topic, topic)


Message = tuple[Topic, int, bytes]
"""Topic, log time (nanoseconds since 1970 UTC), and what it says; nothing of a topic that is not wanted."""

Messages = Generator[Message, None, None]

SPEED_KINDS = ("TwistStamped", "Odometry", "VelocityReport")
MODE_KINDS = ("ControlModeReport", "VehicleStateReport", "OperationModeState", "MrmState")
ESTIMATE_KIND, ESTIMATE_PACKAGE = "VehicleKinematics", "autoware_adapi_v1_msgs/"
"""Autoware's own estimate of position and speed, as its AD API tells it."""
KINDS = frozenset(("NavSatFix", ESTIMATE_KIND, *SPEED_KINDS, *MODE_KINDS))
UNKNOWN = Topic("", "")
"""The topic of messages of which the file does not say the topic."""
