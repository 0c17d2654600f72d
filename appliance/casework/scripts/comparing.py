"""What one version of a script says otherwise than another."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from appliance.casework.scripts.definition import Definition, Step

_PARTS = tuple(one.name for one in fields(Step) if one.name != "code")


@dataclass(frozen=True)
class Change:
    """One step: `kind` is added, removed or changed; `parts`: what of it is another.

    A change of the title or of the calls that it is for has no step.
    """

    kind: str
    before: Step | None
    after: Step | None
    parts: tuple[str, ...] = ()


def changes(before: Definition, after: Definition) -> list[Change]:
    """What became of each step, in the order of `after`; those removed stand at the end."""
    was = {step.code: step for step in before.steps}
    now = {step.code: step for step in after.steps}
    beside = tuple(n for n in ("title", "when") if getattr(before, n) != getattr(after, n))
    if [c for c in was if c in now] != [c for c in now if c in was]:
        beside += ("order",)
    found = [Change("changed", None, None, beside)] if beside else []
    for code, step in now.items():
        old = was.get(code)
        if not old:
            found.append(Change("added", None, step))
        elif parts := tuple(n for n in _PARTS if getattr(old, n) != getattr(step, n)):
            found.append(Change("changed", old, step, parts))
    return found + [Change("removed", one, None) for code, one in was.items() if code not in now]


def as_texts(made: Definition) -> Mapping[str, str]:
    """A script as one text for each step, for a change request's before and after."""
    return {
        f"{place}. {step.name.get('uz') or step.name.get('ru') or step.code}": "\n".join(
            text for _what, words in step.texts() for text in words.values()
        )
        for place, step in enumerate(made.steps, 1)
    }
