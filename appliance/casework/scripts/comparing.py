"""Compares two versions of a script."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from appliance.casework.scripts.definition import Definition, Step

_COMPARED_ATTRIBUTES = tuple(
    step_field.name for step_field in fields(Step) if step_field.name != "code"
)


@dataclass(frozen=True)
class Change:
    """The change of one step: `kind` is added, removed or changed.

    `before` and `after` are the step in the old and the new version, `parts` the names of its
    changed attributes. A change of the script itself has no step: its `parts` are "title", "when"
    (the conditions) and "order" (of the steps).
    """

    kind: str
    before: Step | None
    after: Step | None
    parts: tuple[str, ...] = ()


def step_changes(before: Definition, after: Definition) -> list[Change]:
    """Return the changes between two versions of a script.

    First, if any, the change of its title, conditions or order of steps; then the change of each
    added or changed step, in the order of `after`; then the removed steps.
    """
    old_steps = {step.code: step for step in before.steps}
    new_steps = {step.code: step for step in after.steps}
    script_parts = tuple(
        attribute
        for attribute in ("title", "when")
        if getattr(before, attribute) != getattr(after, attribute)
    )
    # the order counts as changed only if it differs for the steps that both versions have
    if [common_code for common_code in old_steps if common_code in new_steps] != [
        common_code for common_code in new_steps if common_code in old_steps
    ]:
        script_parts += ("order",)
    result = [Change("changed", None, None, script_parts)] if script_parts else []
    for code, step in new_steps.items():
        old = old_steps.get(code)
        if not old:
            result.append(Change("added", None, step))
        elif parts := tuple(
            attribute
            for attribute in _COMPARED_ATTRIBUTES
            if getattr(old, attribute) != getattr(step, attribute)
        ):
            result.append(Change("changed", old, step, parts))
    return result + [
        Change("removed", old_step, None)
        for code, old_step in old_steps.items()
        if code not in new_steps
    ]


def texts_by_step(script: Definition) -> Mapping[str, str]:
    """Return all texts of each step, one per line, by the step's number and name.

    The texts of two versions are stored with a change request, as before and after the change.
    """
    return {
        f"{number}. {step.name.get('uz') or step.name.get('ru') or step.code}": "\n".join(
            text for _kind, localized in step.all_texts() for text in localized.values()
        )
        for number, step in enumerate(script.steps, 1)
    }
