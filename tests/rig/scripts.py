"""A script of the tests, and one that is in force."""

from dataclasses import replace
from typing import Any

from appliance.casework.scripts import checks, editing
from appliance.casework.scripts.definition import parse
from appliance.models import ScriptVersion, User

KNOWN = checks.Known(
    fields=("surname", "first_name", "gist", "direction", "region"), topics=("subsidies",)
)


def words(text: str) -> dict[str, str]:
    """The same in both languages; Cyrillic for Russian where it matters."""
    return {"uz": text, "ru": f"{text} (ru)"}


def step(code: str, *to: str, **more: Any) -> dict[str, Any]:
    """A step whose answers lead to others; one without answers ends the script."""
    answers = [{"words": words(f"Javob {n} {code}"), "to": one} for n, one in enumerate(to, 1)]
    texts = {"name": words(f"Qadam {code}"), "said": words(f"Gap {code}")}
    return {"code": code, **texts, "answers": answers, "ends": not to} | more


def document(*steps: dict[str, Any], title: str = "Salomlashish", **when: Any) -> dict[str, Any]:
    """A script of these steps, or of four: a greeting, a question, two ends."""
    four = (
        step("salom", "savol", said=words("Assalomu alaykum, {name}!")),
        step("savol", "rahmat", "xato", fields=["surname", "direction"]),
        step("rahmat", note=words("Sekin ayting")),
        step("xato"),
    )
    return {"title": words(title), "when": when, "steps": [*(steps or four)]}


def decided(
    row: ScriptVersion, manager: User, ministry: User, known: checks.Known = KNOWN
) -> ScriptVersion:
    """A draft sent to the ministry, and approved by it."""
    row = editing.do("send", row, manager, row.revision, known)
    return editing.do("approve", row, ministry, row.revision, known)


def in_force(
    manager: User,
    ministry: User,
    kept: dict[str, Any] | None = None,
    articles: tuple[str, ...] = (),
) -> ScriptVersion:
    """A script that is in force from now on; `articles`: the names that it may open."""
    known = replace(KNOWN, refs={"article": articles})
    row = decided(editing.put_in(parse(kept or document()), manager), manager, ministry, known)
    return editing.do("put", row, manager, row.revision, known)


def rewritten(row: ScriptVersion, kept: dict[str, Any]) -> None:
    """Let a draft hold another script."""
    ScriptVersion.update(definition=kept).where(ScriptVersion.id == row.id).execute()
