"""Whether operators see callers' numbers in full or masked (requirement T4)."""

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery
from appliance.models import NumberHiding
from appliance.people import accounts

NUMBERS_TOPIC = "numbers"
_NEWEST_SETTING = PreparedQuery(
    lambda: NumberHiding.select(NumberHiding.hidden).order_by(NumberHiding.id.desc()).limit(1)
)


def is_enabled() -> bool:
    """Returns True if operators see the numbers masked."""
    return any(hidden for (hidden,) in _NEWEST_SETTING.fetch_tuples())


def set_enabled(hidden: bool, by: str) -> None:
    """Mask the numbers for operators, or show them; nothing is stored if nothing changes."""
    with write_transaction():
        if hidden == is_enabled():
            return
        NumberHiding.create(hidden=hidden, at=clock.now(), by=by)
        audit.record_entry(by, "numbers.hide" if hidden else "numbers.show")
        live.publish_topics(
            NUMBERS_TOPIC, *(f"operator:{user.login}" for user in accounts.active_operators())
        )
