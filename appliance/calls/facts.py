"""What is known of one call: the shape between the interpreter and the tables (KPI.md's words)."""

import datetime as dt
from dataclasses import dataclass, field

OUTCOMES = (
    "answered",
    "abandoned_menu",
    "abandoned_queue",
    "callback",
    "timed_out",
    "closed",
    "self_served",
    "rejected",
    "failed",
)


@dataclass
class RingFacts:
    """One phone that rang for a visit."""

    operator: str  # login; the extension where the log does not know the login
    extension: str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    result: str | None = None  # answered | no_answer | busy | rejected | cancelled | failed


@dataclass
class VisitFacts:
    """One stay in one queue."""

    queue: str
    joined_at: dt.datetime
    left_at: dt.datetime | None = None
    result: str | None = None  # answered | abandoned | timed_out | failed
    rings: list[RingFacts] = field(default_factory=list)


@dataclass
class TalkFacts:
    """One stretch with one operator."""

    party: str
    who: str
    extension: str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None

    @property
    def seconds(self) -> float:
        """Its length; 0 while it goes on."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else 0.0


@dataclass
class CallFacts:
    """One call, finished or not. Seconds are derived where they are stored."""

    id: str
    direction: str
    arrived_at: dt.datetime
    ended_at: dt.datetime | None = None
    hotline_number: str | None = None
    diverted_from: str | None = None
    caller: str | None = None
    callee: str | None = None
    trunk: str | None = None
    technology: str = "sip"
    language: str | None = None
    menu: list[str] = field(default_factory=list)
    stage: str = "menu"
    outcome: str | None = None
    ended_by: str | None = None
    rating: int | None = None
    rating_channel: str | None = None
    visits: list[VisitFacts] = field(default_factory=list)
    talks: list[TalkFacts] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)

    @property
    def wait_seconds(self) -> float | None:
        """First wait: joining a queue to an answer, or to leaving it; None: never joined."""
        if not self.visits:
            return None
        visit = self.visits[0]
        return (visit.left_at - visit.joined_at).total_seconds() if visit.left_at else 0.0

    @property
    def menu_seconds(self) -> float:
        """From arrival to joining the first queue, or to the end."""
        until = self.visits[0].joined_at if self.visits else self.ended_at
        return (until - self.arrived_at).total_seconds() if until else 0.0
