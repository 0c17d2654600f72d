"""Changing a form without code: a draft of its next version, its fields, putting it in force.

A form has at most one version to come: a draft, or one that is planned for a moment. The product's
own fields stay, for reports stand on them: they are labelled anew, ordered and starred. A field
that the manager added keeps its name and kind for ever; retired, it is left out of the newest
version, and what was registered with it shows it still.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from appliance.casework import catalogs
from appliance.casework.forms import checks
from appliance.casework.forms.definition import Field, document_of, parse
from appliance.casework.forms.releases import merged
from appliance.casework.forms.versions import definition_of, in_force, of, product
from appliance.core import audit, clock, live, script
from appliance.core.db import writing
from appliance.core.i18n import DEFAULT, LOCALES, spelt
from appliance.models import FormVersion

type Words = Mapping[str, str]

CYRILLIC = "uz_Cyrl"
_WIDE = {"long": 3, "comment": 3}  # columns of the form that a kind takes; else one
_NEVER_IN_BULK = ("passport", "pinfl")


class EditingError(ValueError):
    """It cannot be done; `code` names why, `field` where."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(f"{field}: {code}" if field else code)
        self.code = code
        self.field = field


def pending(form: str) -> FormVersion | None:
    """The version to come: the draft, else the one that is planned; None when there is none."""
    newest = FormVersion.select().where(FormVersion.form == form)
    row = newest.order_by(FormVersion.number.desc()).first()
    return row if row and (row.since is None or row.since > clock.now()) else None


def mark(row: FormVersion) -> str:
    """What tells two states of a version apart: a change is refused when it is another one."""
    text = json.dumps([row.number, row.fields, str(row.since)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def versions(form: str) -> list[FormVersion]:
    """All versions of a form, the newest first."""
    rows = FormVersion.select().where(FormVersion.form == form)
    return list(rows.order_by(FormVersion.number.desc()))


def version(form: str, number: int) -> FormVersion | None:
    """The version of this number; None when there is none."""
    return FormVersion.get_or_none(FormVersion.form == form, FormVersion.number == number)


def begin(form: str, by: str, number: int | None = None) -> FormVersion:
    """Begin a draft from the version in force, or from an earlier one that is to come back.

    Raises EditingError: `pending` when there is a version to come already.
    """
    source = of(form, number) if number else in_force(form)
    return _put_draft(form, document_of(merged(source)), by, "form.begin", source=source.version)


def import_document(form: str, document: Mapping[str, Any], by: str) -> FormVersion:
    """Keep a document as the draft of a form. Raises DefinitionError, EditingError (`pending`)."""
    own, read = product(form), parse(form, 0, document)
    fields = (
        f if own.field(f.name) or f.most or f.kind not in _WIDE else _short(f) for f in read.fields
    )
    made = replace(read, fields=tuple(fields))
    checks.check(made)
    return _put_draft(form, document_of(made), by, "form.import")


def add(form: str, wanted: Mapping[str, Any], seen: str, by: str) -> str:
    """Add a field at the end of the draft; its name, made of its label, is returned.

    `wanted` holds what Field does, but the name. `seen` is the mark() of the draft as it was
    looked at. Raises DefinitionError for a field that cannot be, EditingError: `none` without a
    draft, `changed` when it is another one than that seen.
    """
    name = checks.free(wanted["label"].get(DEFAULT, ""), checks.taken())

    def added(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*fields, _entry(name, wanted)]

    _change(form, seen, by, "add", name, added)
    return name


def change(form: str, name: str, wanted: Mapping[str, Any], seen: str, by: str) -> None:
    """Change a field of the draft; of the product's own only label, help and star.

    Raises as add() does, and `field` when the draft has no such field.
    """
    own = product(form).field(name)

    def changed(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        entry = fields[_place(fields, name)]
        if own:
            words = {key: _spelt(wanted[key]) for key in ("label", "help")}
            now = entry | words | {"required": bool(wanted.get("required"))}
        else:
            now = _entry(name, wanted)
            if now["kind"] == entry["kind"]:  # what a file may have said beside
                now |= {key: entry[key] for key in ("wide", "most") if key in entry}
        return [now if one is entry else one for one in fields]

    _change(form, seen, by, "change", name, changed)


def move(form: str, name: str, down: bool, seen: str, by: str) -> None:
    """Move a field of the draft by one place; nothing at the end of the form."""

    def moved(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        at = _place(fields, name)
        there = min(max(at + (1 if down else -1), 0), len(fields) - 1)
        rest = [one for one in fields if one["name"] != name]
        return [*rest[:there], fields[at], *rest[there:]]

    _change(form, seen, by, "move", name, moved)


def remove(form: str, name: str, seen: str, by: str) -> None:
    """Leave an added field out of the draft. Raises EditingError: `product` for the product's."""
    if product(form).field(name):
        raise EditingError("product", name)

    def left(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        at = _place(fields, name)
        return [*fields[:at], *fields[at + 1 :]]

    _change(form, seen, by, "remove", name, left)


def put_in_force(form: str, since: dt.datetime | None, seen: str, by: str) -> FormVersion:
    """Put the draft in force, now or from a moment to come.

    Raises EditingError: `none`, `changed`, `past`, `same` when it is as the version in force.
    """
    with writing():
        row = _draft(form, seen)
        moment = clock.now()
        if since and since <= moment:
            raise EditingError("past")
        made = definition_of(row)
        checks.check(made)
        if document_of(made) == document_of(in_force(form)):
            raise EditingError("same")
        from_then = since or moment
        _save(row, since=from_then, by=by)
        audit.record(by, "form.put", form, version=row.number, since=from_then.isoformat())
        live.publish("forms")
    return FormVersion.get_by_id(row.id)


def withdraw(form: str, seen: str, by: str) -> None:
    """Make a planned version a draft again. Raises EditingError: `none`, `changed`."""
    with writing():
        row = pending(form)
        if not row or row.since is None:
            raise EditingError("none")
        if mark(row) != seen:
            raise EditingError("changed")
        _save(row, since=None)
        audit.record(by, "form.withdraw", form, version=row.number)
        live.publish("forms")


def discard(form: str, seen: str, by: str) -> None:
    """Throw the draft away. Raises EditingError: `none`, `changed`."""
    with writing():
        row = _draft(form, seen)
        row.delete_instance()
        audit.record(by, "form.discard", form, version=row.number)
        live.publish("forms")


def lists() -> list[str]:
    """The lists that a field may choose from."""
    return [one.code for one in catalogs.lists()]


def is_kept(name: str) -> bool:
    """Whether an added field of this name was ever in force: its kind is fixed then."""
    return name in checks.used()


def _short(field: Field) -> Field:
    return replace(field, most=checks.LONGEST)


def _put_draft(
    form: str, document: dict[str, Any], by: str, action: str, **detail: Any
) -> FormVersion:
    with writing():
        if pending(form):
            raise EditingError("pending")
        newest = next(iter(versions(form)), None)
        made: FormVersion = FormVersion.create(
            form=form,
            number=newest.number + 1 if newest else 2,
            fields=document,
            made_at=clock.now(),
            by=by,
        )
        audit.record(by, action, form, version=made.number, **detail)
        live.publish("forms")
    return made


def _draft(form: str, seen: str) -> FormVersion:
    row = pending(form)
    if not row or row.since is not None:
        raise EditingError("none")
    if mark(row) != seen:
        raise EditingError("changed")
    return row


def _change(
    form: str,
    seen: str,
    by: str,
    what: str,
    name: str,
    changed: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    """Change the fields of the draft, when the form that comes of it can be."""
    with writing():
        row = _draft(form, seen)
        document = row.fields | {"fields": changed(row.fields["fields"])}
        made = parse(form, row.number, document)
        checks.check(made)
        _save(row, fields=document_of(made), made_at=clock.now(), by=by)
        audit.record(by, "form.change", form, version=row.number, what=what, field=name)
        live.publish("forms")


def _save(row: FormVersion, **columns: Any) -> None:
    FormVersion.update(columns).where(FormVersion.id == row.id).execute()


def _place(fields: list[dict[str, Any]], name: str) -> int:
    found = next((i for i, one in enumerate(fields) if one["name"] == name), None)
    if found is None:
        raise EditingError("field", name)
    return found


def _entry(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A field as it stands in a document: what its kind has no use for is left out."""
    kind = str(wanted.get("kind", ""))
    entry = {key: value for key, value in wanted.items() if value}
    words = {key: _spelt(wanted.get(key, {})) for key in ("label", "help")}
    entry |= {"name": name, "kind": kind, **words}
    if kind not in ("list", "choice", "place"):
        entry.pop("list", None)
    if kind != "choice":
        entry.pop("options", None)
    if kind != "document":
        entry.pop("document", None)
    if "options" in entry:
        entry["options"] = _coded(entry["options"])
    if kind in _WIDE:
        entry |= {"wide": _WIDE[kind], "most": checks.LONGEST}
    if kind == "document":
        entry |= {"personal": True, "exported": entry.get("document") not in _NEVER_IN_BULK}
    entry["anew"] = True  # nothing is known of it from before
    return entry


def _coded(options: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Answers with their words spelt and a code each; a new one's is made of its words."""
    codes = [option.get("code", "") for option in options]
    coded = []
    for option in options:
        words = _spelt({locale: option[locale] for locale in LOCALES if locale in option})
        code = option.get("code") or checks.free(words.get(DEFAULT, "") or "answer", {*codes})
        codes.append(code)
        coded.append({"code": code, **words})
    return coded


def _spelt(words: Words) -> dict[str, str]:
    """Words in each language, spelt; empty Cyrillic ones are written from the Latin ones."""
    made = {
        locale: spelt(text) if locale == DEFAULT else " ".join(text.split())
        for locale, text in words.items()
    }
    if made.get(DEFAULT) and not made.get(CYRILLIC):
        made[CYRILLIC] = script.written(made[DEFAULT], CYRILLIC)
    return made
