"""Whether operators see callers' numbers whole, or masked (T4)."""

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.statements import Question
from appliance.models import NumberHiding
from appliance.people import accounts

TOPIC = "numbers"
_NEWEST = Question(
    lambda: NumberHiding.select(NumberHiding.hidden).order_by(NumberHiding.id.desc()).limit(1)
)


def is_on() -> bool:
    """Whether operators see them masked."""
    return any(hidden for (hidden,) in _NEWEST.ask())


def switch(hidden: bool, by: str) -> None:
    """Hide the numbers from operators, or show them; what is so already is not written down."""
    with writing():
        if hidden == is_on():
            return
        NumberHiding.create(hidden=hidden, at=clock.now(), by=by)
        audit.record(by, "numbers.hide" if hidden else "numbers.show")
        live.publish(TOPIC, *(f"operator:{user.login}" for user in accounts.operators()))
