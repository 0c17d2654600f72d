"""Which script a call is spoken by: of those that are for it, the one that says most about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.scripts.definition import INCOMING, OPEN, When


@dataclass(frozen=True)
class Situation:
    """What of a call decides: the number dialled, its topics, language, the hour, its kind.

    `topics`: what was chosen in the menu, and the direction of its form.
    """

    number: str = ""
    topics: frozenset[str] = frozenset()
    language: str = ""
    hours: str = OPEN
    kind: str = INCOMING


def fits(when: When, call: Situation) -> bool:
    """Whether a script is for a call; one for some languages is for no call of an unknown one."""
    return (
        (not when.numbers or call.number in when.numbers)
        and (not when.topics or not call.topics.isdisjoint(when.topics))
        and (not when.languages or call.language in when.languages)
        and when.hours in ("", call.hours)
        and (not when.kinds or call.kind in when.kinds)
    )


def chosen[Key](scripts: Iterable[tuple[Key, When]], call: Situation) -> list[Key]:
    """The scripts that are for a call, the one to take first.

    That is the one with most conditions; of two with as many, a topic decides before a number, a
    kind of call, a language and the hour; then the order in which they were handed in.
    """
    fitting = [(key, when) for key, when in scripts if fits(when, call)]
    return [key for key, when in sorted(fitting, key=lambda one: _weight(one[1]), reverse=True)]


def _weight(when: When) -> tuple[int, ...]:
    conditions = (when.topics, when.numbers, when.kinds, when.languages, when.hours)
    held = tuple(int(bool(one)) for one in conditions)
    return (sum(held), *held)
