"""Chooses the script for a call: of the applicable ones, the most specific one."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.scripts.definition import INCOMING, OPEN, ScriptConditions


@dataclass(frozen=True)
class Situation:
    """The properties of a call that decide which script is used; "" or empty if unknown.

    `number`: the one that was dialled. `topics`: the codes of the caller's choice in the menu, and
    of the direction (subject) entered in the form. `hours`: OPEN or CLOSED, for a call in or
    outside working hours. `kind`: a key of CALL_KINDS.
    """

    number: str = ""
    topics: frozenset[str] = frozenset()
    language: str = ""
    hours: str = OPEN
    kind: str = INCOMING


def is_applicable(conditions: ScriptConditions, call: Situation) -> bool:
    """Return True if a script with these conditions is for a call; an empty condition always holds.

    A script that is limited to languages is not for a call of unknown language, and one that is
    limited to numbers or topics is not for a call without them.
    """
    return (
        (not conditions.numbers or call.number in conditions.numbers)
        and (not conditions.topics or not call.topics.isdisjoint(conditions.topics))
        and (not conditions.languages or call.language in conditions.languages)
        and conditions.hours in ("", call.hours)
        and (not conditions.kinds or call.kind in conditions.kinds)
    )


def applicable_scripts[Key](
    scripts: Iterable[tuple[Key, ScriptConditions]], call: Situation
) -> list[Key]:
    """Return the keys of the scripts that are for a call, the preferred one first.

    `scripts` are (key, conditions); a key is any object that identifies the script. A script with
    more conditions is preferred. Of two with equally many, the one that is limited to topics is
    preferred, then to numbers, to kinds of call, to languages, to hours; if this decides nothing,
    they stay in the order in which they were passed.
    """
    candidates = [
        (key, conditions) for key, conditions in scripts if is_applicable(conditions, call)
    ]
    return [
        key
        for key, conditions in sorted(
            candidates, key=lambda candidate: _specificity_key(candidate[1]), reverse=True
        )
    ]


def _specificity_key(conditions: ScriptConditions) -> tuple[int, ...]:
    """Return the sort key of a script's conditions: the more specific ones have the greater key.

    The number of conditions that are not empty decides first, then which ones are not empty, in the
    order of importance in which they are listed here.
    """
    parts = (
        conditions.topics,
        conditions.numbers,
        conditions.kinds,
        conditions.languages,
        conditions.hours,
    )
    present = tuple(int(bool(part)) for part in parts)
    return (sum(present), *present)
