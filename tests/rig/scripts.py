"""Call scripts for the tests: a script, and one that is in force."""

from dataclasses import replace
from typing import Any

from appliance.casework.scripts import checks, editing
from appliance.casework.scripts.definition import parse_definition
from appliance.models import ScriptVersion, User

KNOWN_CODES = checks.AvailableReferences(
    fields=("surname", "first_name", "gist", "direction", "region"), topics=("subsidies",)
)


def bilingual_text(text: str) -> dict[str, str]:
    """The text in both languages; the Russian one is marked "(ru)"."""
    return {"uz": text, "ru": f"{text} (ru)"}


def make_step(code: str, *targets: str, **fields: Any) -> dict[str, Any]:
    """A step whose answers lead to other steps; one without answers ends the script."""
    answers = [
        {"words": bilingual_text(f"Javob {n} {code}"), "to": target}
        for n, target in enumerate(targets, 1)
    ]
    texts = {"name": bilingual_text(f"Qadam {code}"), "said": bilingual_text(f"Gap {code}")}
    return {"code": code, **texts, "answers": answers, "ends": not targets} | fields


def make_script(
    *steps: dict[str, Any], title: str = "Salomlashish", **conditions: Any
) -> dict[str, Any]:
    """A script of these steps, or of four default ones: a greeting, a question, two ends."""
    default_steps = (
        make_step("salom", "savol", said=bilingual_text("Assalomu alaykum, {name}!")),
        make_step("savol", "rahmat", "xato", fields=["surname", "direction"]),
        make_step("rahmat", note=bilingual_text("Sekin ayting")),
        make_step("xato"),
    )
    return {
        "title": bilingual_text(title),
        "when": conditions,
        "steps": [*(steps or default_steps)],
    }


def approve_draft(
    row: ScriptVersion,
    manager: User,
    ministry: User,
    codes: checks.AvailableReferences = KNOWN_CODES,
) -> ScriptVersion:
    """Send a draft to the ministry and approve it."""
    row = editing.change_version_status("send", row, manager, row.revision, codes)
    return editing.change_version_status("approve", row, ministry, row.revision, codes)


def publish_script(
    manager: User,
    ministry: User,
    script: dict[str, Any] | None = None,
    articles: tuple[str, ...] = (),
) -> ScriptVersion:
    """Put a script in force from now on; `articles`: the names of articles that it may open."""
    codes = replace(KNOWN_CODES, refs={"article": articles})
    row = approve_draft(
        editing.create_script(parse_definition(script or make_script()), manager),
        manager,
        ministry,
        codes,
    )
    return editing.change_version_status("put", row, manager, row.revision, codes)


def replace_definition(row: ScriptVersion, definition: dict[str, Any]) -> None:
    """Replace the definition of a draft."""
    ScriptVersion.update(definition=definition).where(ScriptVersion.id == row.id).execute()
