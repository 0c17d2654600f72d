"""One operator's day: his calls and what his time went into."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core.clock import microseconds
from appliance.core.intervals import Interval, total, without
from appliance.core.statements import Question, value
from appliance.models import Call, Gap, Ring, Talk, User
from appliance.people import pauses, presence
from appliance.telephony.calls.wrapping import wrap_ups


def _own(query: ModelSelect) -> ModelSelect:
    """Of the talks in which the operator spoke with a citizen since a moment."""
    since = Talk.started_at >= value("since")
    return query.where(Talk.who == value("login"), Talk.party == "operator", since)


_TALKS = Question(lambda: _own(Talk.select()))
_GAPS = Question(lambda: _own(Gap.select().join(Talk)))
_MARKS = Question(
    lambda: Call.select(Call.id, Call.rating).where(
        Call.rating.is_null(False), Call.id.in_(_own(Talk.select(Talk.call)))
    )
)
_PLACED = Question(
    lambda: (
        Talk.select()
        .join(Call)
        .where(
            *(Call.by == value("login"), Talk.party == "outside"),
            Talk.started_at >= value("since"),
        )
    )
)
_MISSED = Question(
    lambda: Ring.select(fn.COUNT(Ring.id)).where(
        *(Ring.operator == value("login"), Ring.started_at >= value("since")),
        Ring.result == "no_answer",
    )
)


@dataclass(frozen=True)
class Day:
    """An operator's day so far; seconds of talk are of talks that have ended."""

    answered: int  # calls
    talk_seconds: float
    talks: int
    wrap_up_seconds: float
    pauses: dict[str, float]  # reason → seconds; "" where none was told
    back_office_seconds: float
    missed_rings: int
    ratings: tuple[int, ...]

    @property
    def average_talk(self) -> float | None:
        """Seconds, or None before the first talk has ended."""
        return self.talk_seconds / self.talks if self.talks else None

    @property
    def average_rating(self) -> float | None:
        """Mean mark, or None before the first."""
        return sum(self.ratings) / len(self.ratings) if self.ratings else None


def day_of_operator(
    user: User, since: dt.datetime, until: dt.datetime, wrap_up: Callable[[dt.datetime], float]
) -> Day:
    """What this operator did from a moment to now (`until`). `wrap_up`: see routing.wrap_ups."""
    asked = {"login": user.login, "since": microseconds(since)}
    talks, placed = _TALKS.rows(**asked), _PLACED.rows(**asked)
    gaps: defaultdict[int, list[Gap]] = defaultdict(list)
    for gap in _GAPS.rows(**asked):
        gaps[gap.talk_id].append(gap)
    for talk in talks:
        talk.gaps = gaps[talk.id]  # as `prefetch` sets them
    ended = [talk for talk in talks if talk.ended_at]
    marks = dict(_MARKS.ask(**asked))
    [(missed,)] = _MISSED.ask(**asked)
    states = presence.intervals_of(user, since, until)
    ready, wrapping = (
        [(one.begin, one.end) for one in states if one.state == state]
        for state in ("ready", presence.WRAP_UP)
    )

    def span(talk: Talk) -> Interval:
        return talk.started_at, talk.ended_at or until

    def length_at(moment: dt.datetime) -> dt.timedelta:
        return dt.timedelta(seconds=wrap_up(moment))

    rests = wrap_ups(map(span, talks), map(span, placed), ready, length_at, until)
    return Day(
        answered=len({talk.call_id for talk in talks}),
        talk_seconds=sum(total(talk.spoken) for talk in ended),
        talks=len(ended),
        wrap_up_seconds=total(rests) + total(without(wrapping, map(span, [*talks, *placed]))),
        pauses=pauses.by_reason(states),
        back_office_seconds=sum(one.seconds for one in states if one.state == "back_office"),
        missed_rings=missed,
        ratings=tuple(marks.values()),
    )
