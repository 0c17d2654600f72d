"""`appliance form`: the forms as documents."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from appliance.casework import forms
from appliance.casework.forms import editing
from appliance.casework.forms.definition import definition_document
from appliance.cli.context import Site, as_json, pass_site, print_rows
from appliance.core.i18n import DEFAULT_LOCALE
from appliance.core.refusals import Refused

_FORM_NAME = click.Choice(forms.FORMS)


@click.group()
def form() -> None:
    """The forms that operators fill in: 1, registration of appeals; 2, registration of calls."""


@form.command("list")
@as_json
@pass_site
def list_forms(site: Site, as_json: bool) -> None:
    """List each form: the version in force, its number of fields, the pending version."""
    site.open_database()
    rows = []
    for name in forms.FORMS:
        current, pending = forms.definition_in_force(name), editing.pending_version(name)
        rows.append(
            {
                "form": name,
                "version": current.version,
                "fields": len(current.fields),
                "title": current.title[DEFAULT_LOCALE],
                "to_come": pending.number if pending else None,
                "since": pending.since.isoformat() if pending and pending.since else None,
            }
        )
    print_rows(rows, as_json)


@form.command("show")
@click.argument("name", type=_FORM_NAME)
@as_json
@pass_site
def show_form(site: Site, name: str, as_json: bool) -> None:
    """List the fields of the form in force, in their order."""
    site.open_database()
    print_rows(
        (_field_row(field, as_json) for field in forms.definition_in_force(name).fields), as_json
    )


def _field_row(field: forms.Field, as_json: bool) -> dict[str, Any]:
    topics = list(field.topics)
    return {
        "name": field.name,
        "kind": field.kind,
        "label": field.label[DEFAULT_LOCALE],
        "list": field.source or None,
        "required": field.required,
        "topics": topics if as_json else ",".join(topics) or None,
        "personal": field.personal,
    }


@form.command("export")
@click.argument("name", type=_FORM_NAME)
@pass_site
def export_form(site: Site, name: str) -> None:
    """Print the form in force as JSON; `form import` reads it back."""
    site.open_database()
    document = {"form": name, **definition_document(forms.definition_in_force(name))}
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))


@form.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--form", "name", type=_FORM_NAME, help="Which form it is, when the file does not say."
)
@pass_site
def import_form(site: Site, file: Path, name: str | None) -> None:
    """Store a JSON or TOML file as the draft of a form; the manager puts it in force."""
    site.open_database()
    document = _read_document(file)
    name = name or str(document.pop("form", "")) or file.stem
    document.pop("form", None)
    if name not in forms.FORMS:
        raise click.ClickException(f"{file}: say which form it is: form = 1 or 2, or --form")
    try:
        draft = editing.import_document(name, document, "system")
    except Refused as refused:
        field_name = refused.subject.encode("utf-8", "replace").decode()
        location = f", field {field_name}" if field_name else ""
        raise click.ClickException(
            f"{file}: {_REFUSAL_TEXTS.get(refused.code, refused.code)}{location}"
        ) from refused
    click.echo(draft.number)


# Why a document cannot be the draft of a form, by the code of Refused.
_REFUSAL_TEXTS = {
    "fields": "fields: a list of 1 to 60 fields",
    "words": "a text in each of uz_Latn, uz_Cyrl, ru is needed",
    "name": "a name has small Latin letters, digits and _ only",
    "twice": "two fields have one name",
    "unknown": "something in it is no part of a field, or of another type",
    "kind": "no such kind of field",
    "list": "a list, and only that of this kind of field, is needed: one that the site has",
    "options": "2 to 6 options, each with a code of its own, and only of a choice",
    "place": "a place is region or district",
    "document": "a document is passport, pinfl or stir",
    "asked_of": "asked_of is person or entity, of form 1 only",
    "topics": "no such direction",
    "wide": "wide is 1 to 3",
    "most": "most is at most 2000",
    "long": "a label has at most 80 letters, a help 200, an option 60",
    "reserved": "this name is taken",
    "given": "an added field has no key and nothing given",
    "personal": "a document, and what was personal before, is personal",
    "ministry": "the name in the ministry's system has Latin letters and digits, and is given once",
    "product": "this field comes with the product: only label, help, star and order can be another",
    "star": "this field comes with the product: its star stays",
    "kept": "this field was in use: its kind and list stay",
    "pending": "there is a version to come already: put it in force or discard it first",
}


def _read_document(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        document = json.loads(text) if file.suffix.lower() == ".json" else _parse_document(text)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file}: neither JSON nor TOML: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException(f"{file}: a form is an object with title and fields")
    return document


def _parse_document(text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
