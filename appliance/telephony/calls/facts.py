"""The facts of one call: the data that the interpreter of the event log passes to the tables.

The outcomes are defined in docs/figures.md.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.core.intervals import Interval, merge_intervals, subtract_intervals, total_seconds

type OpenInterval = tuple[dt.datetime, dt.datetime | None]  # begin; end, if it has ended


@dataclass
class RingFacts:
    """One phone that rang during a visit (a caller's stay in a queue)."""

    operator: str  # login; or the extension if the event log does not contain the login
    extension: str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    result: str | None = None  # answered | no_answer | busy | rejected | cancelled | failed


@dataclass
class VisitFacts:
    """One stay of the caller in one queue.

    `why` is the reason for joining it: first, overflow, returned or callback.
    """

    queue: str
    joined_at: dt.datetime
    left_at: dt.datetime | None = None
    result: str | None = None  # answered | abandoned | overflow | callback | timed_out | failed
    why: str = "first"
    rings: list[RingFacts] = field(default_factory=list)


@dataclass
class TalkFacts:
    """One talk with an operator, an employee or, on an outgoing call, the number called.

    `extension` is the appliance's own phone that took part; it is missing for a talk of the citizen
    with an employee. `gaps` are the intervals in which the operator was away, for example while
    their page was reloaded, and the citizen waited for them. If the operator did not return from a
    gap, the talk ends when that gap begins.
    """

    party: str  # operator | employee | outside
    who: str  # an operator's login, else a number
    extension: str | None
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    gaps: list[OpenInterval] = field(default_factory=list)

    @property
    def speech_intervals(self) -> list[Interval]:
        """The intervals of the talk outside its gaps, holds included; empty until it has ended."""
        return subtract_intervals(
            _ended_intervals([(self.started_at, self.ended_at)]), _ended_intervals(self.gaps)
        )

    @property
    def seconds(self) -> float:
        """Total length of `speech_intervals`."""
        return total_seconds(self.speech_intervals)


@dataclass
class TransferFacts:
    """A transfer of the caller to somebody else, or an attempt at it.

    `returned` is True if the caller came back to the operator.
    """

    kind: str  # blind | attended | automatic
    to: str  # as dialled
    by: str | None  # an operator's login, unless it was the dialplan itself
    at: dt.datetime
    result: str | None = None  # answered | busy | no_answer | failed, once it has ended
    returned: bool = False


@dataclass
class DialFacts:
    """One attempt to reach a number outside over one trunk."""

    trunk: str
    at: dt.datetime  # when the attempt ended
    status: str  # Asterisk's DIALSTATUS
    cause: str | None  # Q.850 cause, as reported by the exchange


@dataclass
class RecordingFacts:
    """One sound file and when it was begun.

    `aside` is True if the operator consults somebody while the citizen cannot listen; the file does
    not belong to the talks of the call.
    """

    file: str
    begun_at: dt.datetime
    aside: bool = False


@dataclass
class CallFacts:
    """One call, finished or not. The lengths in seconds are computed when the call is stored."""

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
    by: str | None = None  # outgoing: the operator who placed it, unless the automatic dialler did
    reason: str | None = None  # outgoing: phone | page | follow_up | callback | ministry
    serves: str | None = None  # outgoing: the id of the task or call that it serves
    visits: list[VisitFacts] = field(default_factory=list)
    talks: list[TalkFacts] = field(default_factory=list)
    holds: list[OpenInterval] = field(default_factory=list)
    transfers: list[TransferFacts] = field(default_factory=list)
    attempts: list[DialFacts] = field(default_factory=list)
    recordings: list[RecordingFacts] = field(default_factory=list)

    @property
    def wait_seconds(self) -> float | None:
        """Seconds of the first wait, if the call joined a queue.

        The wait begins when the call joins its first queue, and ends when somebody answers or the
        caller leaves. It goes on while the caller is moved to another queue, or back to one, before
        anybody answers.
        """
        if not self.visits:
            return None
        first_visit, *later_visits = self.visits
        last_visit = first_visit
        for visit in later_visits:
            if last_visit.result == "answered" or visit.why not in ("overflow", "returned"):
                break
            last_visit = visit
        return _elapsed_seconds(first_visit.joined_at, last_visit.left_at)

    @property
    def menu_seconds(self) -> float:
        """Seconds from arrival to joining the first queue, or to the end; 0 for outgoing calls."""
        if self.direction != "inbound":
            return 0.0
        return _elapsed_seconds(
            self.arrived_at, self.visits[0].joined_at if self.visits else self.ended_at
        )

    @property
    def talk_seconds(self) -> float:
        """Seconds of all ended talks, without holds and gaps.

        Time in which two talks take place together (a conference) counts once.
        """
        speech = merge_intervals(
            interval for talk in self.talks for interval in talk.speech_intervals
        )
        holds = _ended_intervals(self.holds)
        overlap_seconds = sum(
            max(0.0, (min(a[1], b[1]) - max(a[0], b[0])).total_seconds())
            for a in speech
            for b in holds
        )
        return total_seconds(speech) - overlap_seconds

    @property
    def hold_seconds(self) -> float:
        """Seconds for which an operator kept the citizen on hold, listening to music."""
        return total_seconds(_ended_intervals(self.holds))


def _elapsed_seconds(begin: dt.datetime, end: dt.datetime | None) -> float:
    """Return the seconds from `begin` to `end`; 0 if there is no end yet.

    The result is never negative, even if the clock was changed in between.
    """
    return max(0.0, (end - begin).total_seconds()) if end else 0.0


def _ended_intervals(intervals: Iterable[OpenInterval]) -> list[Interval]:
    """The intervals that have ended, merged."""
    return merge_intervals((begin, end) for begin, end in intervals if end)
