"""Changes a form without code: a draft of its next version, its fields, and publishing it.

A form has at most one pending version: a draft, or one that is planned for a later time. The
product's own fields stay, because reports depend on them: they can be relabelled, reordered,
starred (marked as required) and left out of the printed form. A field that the manager added keeps
its name and kind for ever; when retired, it is left out of the newest version, and forms registered
with it still show it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from appliance.casework import catalogs
from appliance.casework.forms import checks
from appliance.casework.forms.definition import Field, definition_document, parse_definition
from appliance.casework.forms.releases import merge_product_form
from appliance.casework.forms.versions import (
    definition_in_force,
    numbered_definition,
    product_definition,
    stored_definition,
)
from appliance.core import audit, clock, live, script
from appliance.core.db import write_transaction
from appliance.core.i18n import DEFAULT_LOCALE, LOCALES, normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import Appeal, FormVersion, personal_columns

type LocalizedTexts = Mapping[str, str]

CYRILLIC_LOCALE = "uz_Cyrl"
_WIDTH_COLUMNS = {"long": 3, "comment": 3}  # columns of the form that a kind occupies; else one


def pending_version(form: str) -> FormVersion | None:
    """Return the pending version, if any: the draft, else the planned one."""
    versions = FormVersion.select().where(FormVersion.form == form)
    row = versions.order_by(FormVersion.number.desc()).first()
    return row if row and (row.since is None or row.since > clock.now()) else None


def version_fingerprint(row: FormVersion) -> str:
    """Return a hash of a version's number, fields and start.

    Pages send it back with each change, which is refused if the version has changed since.
    """
    text = json.dumps([row.number, row.fields, str(row.since)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def list_versions(form: str) -> list[FormVersion]:
    """Return all versions of a form, the newest first."""
    rows = FormVersion.select().where(FormVersion.form == form)
    return list(rows.order_by(FormVersion.number.desc()))


def find_version(form: str, number: int) -> FormVersion | None:
    """Return the version with this number, if any."""
    return find_row(FormVersion, form=form, number=number)


def begin_draft(form: str, actor: str, source_number: int | None = None) -> FormVersion:
    """Create a draft from the version in force, or from the earlier version `source_number`.

    The draft contains the changes of later product releases. `actor` is a login, for the audit.
    Raises Refused with the code `pending` if there is a pending version already.
    """
    source = (
        numbered_definition(form, source_number) if source_number else definition_in_force(form)
    )
    return _create_draft(
        form,
        definition_document(merge_product_form(source)),
        actor,
        "form.begin",
        source=source.version,
    )


def import_document(form: str, document: Mapping[str, Any], actor: str) -> FormVersion:
    """Store a document as the draft of a form, and return the draft.

    `document` is a form as definition_document() returns it. Raises Refused with the codes of
    parse_definition() and check_definition(), and with `pending` if there is a pending version
    already.
    """
    product_form, imported = product_definition(form), parse_definition(form, 0, document)
    fields = (
        _complete_field(field, product_form.find_field(field.name)) for field in imported.fields
    )
    definition = replace(imported, fields=tuple(fields))
    checks.check_definition(definition)
    return _create_draft(form, definition_document(definition), actor, "form.import")


def add_field(form: str, attributes: Mapping[str, Any], fingerprint: str, actor: str) -> str:
    """Add a field at the end of the draft; returns its name, derived from its label.

    `attributes` holds the attributes of Field, except the name. `fingerprint` is the
    version_fingerprint() of the draft that the user saw. Raises Refused with the code `none` if
    there is no draft, `changed` if the draft has changed since, and the codes of
    parse_definition() and check_definition() for an invalid field.
    """
    name = checks.available_name(
        attributes["label"].get(DEFAULT_LOCALE, ""), checks.unavailable_names()
    )

    def append_entry(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the entries of all fields, with that of the new field at the end."""
        return [*fields, _new_field_entry(name, attributes)]

    _change_draft_fields(form, fingerprint, actor, "add", name, append_entry)
    return name


def change_field(
    form: str, name: str, attributes: Mapping[str, Any], fingerprint: str, actor: str
) -> None:
    """Change a field of the draft.

    In a field of the product only label, help text, `required` and `screen_only` change.
    Raises Refused with the codes of add_field(), and `field` if the draft has no such field.
    """
    product_field = product_definition(form).find_field(name)

    def replace_entry(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the entries of all fields, with that of the changed field replaced."""
        entry = fields[_field_index(fields, name)]
        if product_field:
            texts = {key: _normalized_texts(attributes[key]) for key in ("label", "help")}
            marks = {key: bool(attributes.get(key)) for key in ("required", "screen_only")}
            new_entry = entry | texts | marks
        else:
            new_entry = _new_field_entry(name, attributes)
            if new_entry["kind"] == entry["kind"]:  # keep layout attributes from an imported file
                new_entry |= {key: entry[key] for key in ("wide", "most") if key in entry}
        return [new_entry if item is entry else item for item in fields]

    _change_draft_fields(form, fingerprint, actor, "change", name, replace_entry)


def move_field(form: str, name: str, down: bool, fingerprint: str, actor: str) -> None:
    """Move a field of the draft by one place: down, or, if `down` is False, up.

    The first field cannot move up, nor the last one down: it then stays in its place. Raises
    Refused with the codes of change_field().
    """

    def move_entry(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the entries of all fields in their new order."""
        index = _field_index(fields, name)
        new_index = min(max(index + (1 if down else -1), 0), len(fields) - 1)
        rest = [item for item in fields if item["name"] != name]
        return [*rest[:new_index], fields[index], *rest[new_index:]]

    _change_draft_fields(form, fingerprint, actor, "move", name, move_entry)


def remove_field(form: str, name: str, fingerprint: str, actor: str) -> None:
    """Remove an added field from the draft.

    Raises Refused with the code `product` for a field of the product, and those of change_field().
    """
    if product_definition(form).find_field(name):
        raise Refused("product", subject=name)

    def drop_entry(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the entries of all fields but the removed one."""
        index = _field_index(fields, name)
        return [*fields[:index], *fields[index + 1 :]]

    _change_draft_fields(form, fingerprint, actor, "remove", name, drop_entry)


def publish_draft(
    form: str, since: dt.datetime | None, fingerprint: str, actor: str
) -> FormVersion:
    """Put the draft in force, from `since` or at once, and return the version.

    Raises Refused with the code `past` if `since` is not in the future, `same` if the draft equals
    the version in force, and the codes of discard_draft() and check_definition().
    """
    with write_transaction():
        row = _checked_draft(form, fingerprint)
        now = clock.now()
        if since and since <= now:
            raise Refused("past")
        definition = stored_definition(row)
        checks.check_definition(definition)
        if definition_document(definition) == definition_document(definition_in_force(form)):
            raise Refused("same")
        effective_since = since or now
        _update_version(row, since=effective_since, by=actor)
        audit.record_entry(
            actor, "form.put", form, version=row.number, since=effective_since.isoformat()
        )
        live.publish_topics("forms")
    updated: FormVersion = FormVersion.get_by_id(row.id)
    return updated


def withdraw_planned_version(form: str, fingerprint: str, actor: str) -> None:
    """Turn a planned version back into a draft.

    Raises Refused with the code `none` if no version is planned, `changed` if its
    version_fingerprint() is not `fingerprint`: it has changed since the user saw it.
    """
    with write_transaction():
        row = pending_version(form)
        if not row or row.since is None:
            raise Refused("none")
        if version_fingerprint(row) != fingerprint:
            raise Refused("changed")
        _update_version(row, since=None)
        audit.record_entry(actor, "form.withdraw", form, version=row.number)
        live.publish_topics("forms")


def discard_draft(form: str, fingerprint: str, actor: str) -> None:
    """Delete the draft.

    Raises Refused with the code `none` if there is no draft, `changed` if its version_fingerprint()
    is not `fingerprint`: it has changed since the user saw it.
    """
    with write_transaction():
        row = _checked_draft(form, fingerprint)
        row.delete_instance()
        audit.record_entry(actor, "form.discard", form, version=row.number)
        live.publish_topics("forms")


def available_lists() -> list[str]:
    """Return the codes of the lists that a field may choose from."""
    return [catalog.code for catalog in catalogs.all_lists()]


def is_ever_published(name: str) -> bool:
    """Return True if an added field with this name was ever published: then its kind is fixed."""
    return name in checks.published_added_fields()


def _complete_field(field: Field, product_field: Field | None) -> Field:
    """Return an imported field, completed by attributes that its document may leave out.

    `product_field` is the product's field of the same name, if there is one.
    """
    if product_field:  # the product's own document leaves these to models.personal_columns
        personal, exported = product_field.personal, product_field.exported
        return replace(
            field, personal=field.personal or personal, exported=field.exported and exported
        )
    if field.most or field.kind not in _WIDTH_COLUMNS:
        return field
    return replace(field, most=checks.MAX_ADDED_TEXT_LENGTH)


def _create_draft(
    form: str, document: dict[str, Any], actor: str, action: str, **detail: Any
) -> FormVersion:
    """Create a form's next version as a draft; `action` and `detail` are those of the audit entry.

    Raises Refused with the code `pending` if there is a pending version already.
    """
    with write_transaction():
        if pending_version(form):
            raise Refused("pending")
        newest = next(iter(list_versions(form)), None)
        draft: FormVersion = FormVersion.create(
            form=form,
            number=newest.number + 1 if newest else 2,  # version 1 is the product's
            fields=document,
            made_at=clock.now(),
            by=actor,
        )
        audit.record_entry(actor, action, form, version=draft.number, **detail)
        live.publish_topics("forms")
    return draft


def _checked_draft(form: str, fingerprint: str) -> FormVersion:
    """Return the draft if it is as the user saw it: has this version_fingerprint().

    Raises Refused with the code `none` if there is no draft, `changed` if it has changed.
    """
    row = pending_version(form)
    if not row or row.since is not None:
        raise Refused("none")
    if version_fingerprint(row) != fingerprint:
        raise Refused("changed")
    return row


def _change_draft_fields(
    form: str,
    fingerprint: str,
    actor: str,
    change_kind: str,
    name: str,
    change_entries: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    """Store the fields of the draft as `change_entries` returns them.

    `change_entries` receives the fields as entries of a document (definition.field_entry).
    `change_kind` and the field's `name` are recorded in the audit. Raises Refused with the codes of
    _checked_draft(), and of parse_definition() and check_definition() if the form is then invalid.
    """
    with write_transaction():
        row = _checked_draft(form, fingerprint)
        document = row.fields | {"fields": change_entries(row.fields["fields"])}
        definition = parse_definition(form, row.number, document)
        checks.check_definition(definition)
        _update_version(row, fields=definition_document(definition), made_at=clock.now(), by=actor)
        audit.record_entry(
            actor, "form.change", form, version=row.number, what=change_kind, field=name
        )
        live.publish_topics("forms")


def _update_version(row: FormVersion, **columns: Any) -> None:
    """Store new values of a version's columns; `row` itself stays unchanged."""
    FormVersion.update(columns).where(FormVersion.id == row.id).execute()


def _field_index(fields: list[dict[str, Any]], name: str) -> int:
    """Return the index of the field. Raises Refused with the code `field` if it is missing."""
    index = next((i for i, entry in enumerate(fields) if entry["name"] == name), None)
    if index is None:
        raise Refused("field", subject=name)
    return index


def _new_field_entry(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an added field as an entry of a document, from attributes that the manager entered.

    Attributes that its kind does not use are left out; those that its kind decides are set.
    """
    kind = str(attributes.get("kind", ""))
    entry = {key: value for key, value in attributes.items() if value}
    texts = {key: _normalized_texts(attributes.get(key, {})) for key in ("label", "help")}
    entry |= {"name": name, "kind": kind, **texts}
    if kind not in ("list", "choice", "place"):
        entry.pop("list", None)
    if kind != "choice":
        entry.pop("options", None)
    if kind != "document":
        entry.pop("document", None)
    if "options" in entry:
        entry["options"] = _options_with_codes(entry["options"])
    if kind in _WIDTH_COLUMNS:
        entry |= {"wide": _WIDTH_COLUMNS[kind], "most": checks.MAX_ADDED_TEXT_LENGTH}
    if kind == "document":
        entry |= {
            "personal": True,
            "exported": personal_columns.is_in_tables(Appeal, str(entry.get("document"))),
        }
    entry["anew"] = True  # there is no earlier value to copy
    return entry


def _options_with_codes(options: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return options with normalized labels and codes; a new code is derived from the label."""
    codes = [option.get("code", "") for option in options]
    result = []
    for option in options:
        texts = _normalized_texts(
            {locale: option[locale] for locale in LOCALES if locale in option}
        )
        code = option.get("code") or checks.available_name(
            texts.get(DEFAULT_LOCALE, "") or "answer", {*codes}
        )
        codes.append(code)
        result.append({"code": code, **texts})
    return result


def _normalized_texts(texts: LocalizedTexts) -> dict[str, str]:
    """Return normalized texts by locale; a missing Cyrillic text is transliterated from Latin."""
    normalized = {
        locale: normalize_apostrophes(text) if locale == DEFAULT_LOCALE else " ".join(text.split())
        for locale, text in texts.items()
    }
    if normalized.get(DEFAULT_LOCALE) and not normalized.get(CYRILLIC_LOCALE):
        normalized[CYRILLIC_LOCALE] = script.transliterate_for_locale(
            normalized[DEFAULT_LOCALE], CYRILLIC_LOCALE
        )
    return normalized
