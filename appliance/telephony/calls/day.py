"""One operator's day: their calls and how their time was used."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core.clock import microseconds_since_epoch
from appliance.core.intervals import Interval, subtract_intervals, total_seconds
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Call, Gap, Ring, Talk, User
from appliance.people import pauses, presence
from appliance.telephony.calls.wrap_up import wrap_up_intervals


def _select_operator_talks(query: ModelSelect) -> ModelSelect:
    """Restrict `query` to the operator's talks with citizens that began at `since` or later."""
    since = Talk.started_at >= query_parameter("since")
    return query.where(Talk.who == query_parameter("login"), Talk.party == "operator", since)


_OPERATOR_TALKS = PreparedQuery(lambda: _select_operator_talks(Talk.select()))
_TALK_GAPS = PreparedQuery(lambda: _select_operator_talks(Gap.select().join(Talk)))
_RATINGS = PreparedQuery(
    lambda: Call.select(Call.id, Call.rating).where(
        Call.rating.is_null(False), Call.id.in_(_select_operator_talks(Talk.select(Talk.call)))
    )
)
_OUTGOING_TALKS = PreparedQuery(
    lambda: (
        Talk.select()
        .join(Call)
        .where(
            *(Call.by == query_parameter("login"), Talk.party == "outside"),
            Talk.started_at >= query_parameter("since"),
        )
    )
)
_MISSED_RINGS = PreparedQuery(
    lambda: Ring.select(fn.COUNT(Ring.id)).where(
        *(Ring.operator == query_parameter("login"), Ring.started_at >= query_parameter("since")),
        Ring.result == "no_answer",
    )
)


@dataclass(frozen=True)
class OperatorDay:
    """An operator's day so far; the seconds of talk are those of ended talks."""

    answered: int  # calls
    talk_seconds: float
    talks: int
    wrap_up_seconds: float
    pauses: dict[str, float]  # reason → seconds; "" where no reason was stated
    back_office_seconds: float
    missed_rings: int
    ratings: tuple[int, ...]

    @property
    def average_talk_seconds(self) -> float | None:
        """Mean seconds of a talk, once one has ended."""
        return self.talk_seconds / self.talks if self.talks else None

    @property
    def average_rating(self) -> float | None:
        """The mean of the ratings, if any."""
        return sum(self.ratings) / len(self.ratings) if self.ratings else None


def operator_day(
    user: User, since: dt.datetime, until: dt.datetime, wrap_up: Callable[[dt.datetime], float]
) -> OperatorDay:
    """Return the figures of the operator's day from `since` to now (`until`).

    `wrap_up` returns how many seconds of wrap-up the plan granted at a given time, see
    routing.wrap_up_rule.
    """
    parameters = {"login": user.login, "since": microseconds_since_epoch(since)}
    talks, outgoing_talks = (
        _OPERATOR_TALKS.fetch_objects(**parameters),
        _OUTGOING_TALKS.fetch_objects(**parameters),
    )
    gaps: defaultdict[int, list[Gap]] = defaultdict(list)
    for gap in _TALK_GAPS.fetch_objects(**parameters):
        gaps[gap.talk_id].append(gap)
    for talk in talks:
        talk.gaps = gaps[talk.id]  # as peewee's `prefetch` would set them
    ended_talks = [talk for talk in talks if talk.ended_at]
    marks = dict(_RATINGS.fetch_tuples(**parameters))
    [(missed_rings,)] = _MISSED_RINGS.fetch_tuples(**parameters)
    states = presence.intervals_of(user, since, until)
    ready_intervals, wrap_up_states = (
        [(interval.begin, interval.end) for interval in states if interval.state == state]
        for state in ("ready", presence.WRAP_UP)
    )

    def talk_interval(talk: Talk) -> Interval:
        return talk.started_at, talk.ended_at or until

    def wrap_up_length(time: dt.datetime) -> dt.timedelta:
        return dt.timedelta(seconds=wrap_up(time))

    wrap_ups_after_talks = wrap_up_intervals(
        map(talk_interval, talks),
        map(talk_interval, outgoing_talks),
        ready_intervals,
        wrap_up_length,
        until,
    )
    return OperatorDay(
        answered=len({talk.call_id for talk in talks}),
        talk_seconds=sum(total_seconds(talk.speech_intervals) for talk in ended_talks),
        talks=len(ended_talks),
        wrap_up_seconds=total_seconds(wrap_ups_after_talks)
        + total_seconds(
            subtract_intervals(wrap_up_states, map(talk_interval, [*talks, *outgoing_talks]))
        ),
        pauses=pauses.seconds_by_reason(states),
        back_office_seconds=sum(
            interval.seconds for interval in states if interval.state == "back_office"
        ),
        missed_rings=missed_rings,
        ratings=tuple(marks.values()),
    )
