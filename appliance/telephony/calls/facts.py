"""What is known of one call: the shape between the interpreter and the tables.

Outcomes mean what docs/figures.md says.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.core.intervals import Interval, merged, total, without

type OpenInterval = tuple[dt.datetime, dt.datetime | None]  # from, until; None: it goes on


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
    """One stay in one queue. `why` he came: first, overflow, returned or callback."""

    queue: str
    joined_at: dt.datetime
    left_at: dt.datetime | None = None
    result: str | None = None  # answered | abandoned | overflow | callback | timed_out | failed
    why: str = "first"
    rings: list[RingFacts] = field(default_factory=list)


@dataclass
class TalkFacts:
    """One stretch with one operator, one employee, or (outgoing) the one called outside.

    `extension` is the phone of ours that took part; None between the citizen and an employee.
    `gaps`: while the operator was away, as when his page was loaded anew, and the citizen was kept
    for him. One in which he did not come back begins where the talk ends.
    """

    party: str  # operator | employee | outside
    who: str  # an operator's login, else a number
    extension: str | None
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    gaps: list[OpenInterval] = field(default_factory=list)

    @property
    def spoken(self) -> list[Interval]:
        """It without its gaps, holding included; nothing while it goes on."""
        return without(_ended([(self.started_at, self.ended_at)]), _ended(self.gaps))

    @property
    def seconds(self) -> float:
        """Length of `spoken`."""
        return total(self.spoken)


@dataclass
class TransferFacts:
    """A caller handed over, or an attempt at it. `returned`: he came back to us."""

    kind: str  # blind | attended | automatic
    to: str  # as dialled
    by: str | None  # an operator's login; None: the line itself
    at: dt.datetime
    result: str | None = None  # answered | busy | no_answer | failed; None while it goes on
    returned: bool = False


@dataclass
class DialFacts:
    """One attempt to reach somebody outside over one trunk."""

    trunk: str
    at: dt.datetime  # when the attempt was over
    status: str  # Asterisk's DIALSTATUS
    cause: str | None  # Q.850, as the exchange told it


@dataclass
class RecordingFacts:
    """One sound file, begun at that moment. `aside`: an operator asks somebody, unheard by the
    citizen; it is no part of the call's talks."""

    file: str
    begun_at: dt.datetime
    aside: bool = False


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
    sip: str | None = None  # the carrier's Call-ID
    language: str | None = None
    topic: str | None = None
    menu: list[str] = field(default_factory=list)
    stage: str = "menu"
    outcome: str | None = None
    ended_by: str | None = None
    rating: int | None = None
    rating_channel: str | None = None
    synthetic: bool = False
    by: str | None = None  # outgoing: the operator who placed it; None: the machine
    reason: str | None = None  # outgoing: phone | page | follow_up | callback | ministry
    serves: str | None = None  # outgoing: the id of what it serves
    visits: list[VisitFacts] = field(default_factory=list)
    talks: list[TalkFacts] = field(default_factory=list)
    holds: list[OpenInterval] = field(default_factory=list)
    transfers: list[TransferFacts] = field(default_factory=list)
    attempts: list[DialFacts] = field(default_factory=list)
    recordings: list[RecordingFacts] = field(default_factory=list)

    @property
    def wait_seconds(self) -> float | None:
        """First wait: joining a queue to an answer, or to leaving it; None: never joined.

        Passing on to another queue, or back to one, before anybody answered goes on waiting.
        """
        if not self.visits:
            return None
        first, *later = self.visits
        last = first
        for visit in later:
            if last.result == "answered" or visit.why not in ("overflow", "returned"):
                break
            last = visit
        return _length(first.joined_at, last.left_at)

    @property
    def menu_seconds(self) -> float:
        """From arrival to joining the first queue, or to the end; 0 for calls of our own."""
        if self.direction != "inbound":
            return 0.0
        return _length(self.arrived_at, self.visits[0].joined_at if self.visits else self.ended_at)

    @property
    def talk_seconds(self) -> float:
        """Talks that have ended; what two of them share (a conference) counts once, holds and gaps
        not."""
        spoken = merged(piece for talk in self.talks for piece in talk.spoken)
        held = _ended(self.holds)
        shared = sum(
            max(0.0, (min(a[1], b[1]) - max(a[0], b[0])).total_seconds())
            for a in spoken
            for b in held
        )
        return total(spoken) - shared

    @property
    def hold_seconds(self) -> float:
        """How long the citizen was kept waiting by an operator, music in his ear."""
        return total(_ended(self.holds))


def _length(begin: dt.datetime, end: dt.datetime | None) -> float:
    """Never negative, whatever was done to the clock in between."""
    return max(0.0, (end - begin).total_seconds()) if end else 0.0


def _ended(intervals: Iterable[OpenInterval]) -> list[Interval]:
    """Those that have ended, merged."""
    return merged((begin, end) for begin, end in intervals if end)
