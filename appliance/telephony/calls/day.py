"""One operator's calls since a moment: the figures of his own day."""

import datetime as dt
from dataclasses import dataclass

from peewee import prefetch

from appliance.core.intervals import total
from appliance.models import Call, Gap, Ring, Talk


@dataclass(frozen=True)
class Day:
    """An operator's day so far; seconds are of talks that have ended."""

    answered: int  # calls
    talk_seconds: float
    talks: int
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


def day_of_operator(login: str, since: dt.datetime) -> Day:
    """What this operator's calls came to since a moment."""
    own = (
        Talk.select(Talk, Call)
        .join(Call)
        .where(Talk.who == login, Talk.party == "operator", Talk.started_at >= since)
    )
    talks = list(prefetch(own, Gap))
    ended = [talk for talk in talks if talk.ended_at]
    marks = {talk.call_id: talk.call.rating for talk in talks if talk.call.rating}
    missed = Ring.select().where(
        Ring.operator == login, Ring.started_at >= since, Ring.result == "no_answer"
    )
    return Day(
        answered=len({talk.call_id for talk in talks}),
        talk_seconds=sum(total(talk.spoken) for talk in ended),
        talks=len(ended),
        missed_rings=missed.count(),
        ratings=tuple(marks.values()),
    )
