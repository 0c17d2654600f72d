"""The versions of each form: the one in force, those of before, and what the product brings."""

import functools
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from appliance import PACKAGE
from appliance.casework.forms.definition import Definition, DefinitionError, Field, parse
from appliance.core import clock
from appliance.core.clock import microseconds
from appliance.core.db import writing
from appliance.core.statements import Question, value
from appliance.models import Appeal, CallForm, FormVersion, personal_columns

APPEAL, CALL = "1", "2"  # form №1, registration of appeals; form №2, registration of calls
FORMS = (APPEAL, CALL)
_FILES = PACKAGE / "data" / "forms"
_LATELY = Question(
    lambda: (
        FormVersion.select(FormVersion.number, FormVersion.fields)
        .where(FormVersion.form == value("form"), FormVersion.since <= value("now"))
        .order_by(FormVersion.number.desc())
        .limit(4)
    )
)
_NUMBERED = Question(
    lambda: FormVersion.select(FormVersion.number, FormVersion.fields).where(
        FormVersion.form == value("form"), FormVersion.number == value("number")
    )
)


@functools.cache
def product(form: str) -> Definition:
    """The form as it comes with the product: version 1.

    Raises DefinitionError when a field and models.personal_columns disagree on whether the field
    identifies a person.
    """
    made = parse(form, 1, _product_document(form))
    table = CallForm if form == CALL else Appeal
    for one in made.fields:
        if one.personal != personal_columns.is_identifying(table, one.name):
            raise DefinitionError("personal", one.name)
    return made


@functools.cache
def columns(form: str) -> frozenset[str]:
    """Under which names a form's values hold the product's fields that have a column of a table.

    Any other field, the product's too, is kept beside the columns (`extra`).
    """
    table = CallForm if form == CALL else Appeal
    held = {one.removesuffix("_on") for one in table._meta.fields}
    return frozenset(n for one in product(form).fields if one.name in held for n in one.names)


def in_force(form: str) -> Definition:
    """The form as it is filled in now."""
    return lately(form)[0]


def lately(form: str) -> list[Definition]:
    """The form as it is filled in now, then as it was before; one may still be open on a page."""
    found = _LATELY.ask(form=form, now=microseconds(clock.now()))
    return [_parsed(form, number, text) for number, text in found] or [product(form)]


def fitting(form: str, values: Mapping[str, str]) -> Definition:
    """The version in which what was typed is registered, so that nothing of it is lost.

    It is the one in force, unless one of before asks more of what the values hold: a page may have
    been opened before the newest version was in force.
    """
    held = {name for name, text in values.items() if text.strip()}
    return max(lately(form), key=lambda version: len(held & version.names))


def of(form: str, number: int) -> Definition:
    """The form in the version in which something was registered."""
    found = _NUMBERED.ask(form=form, number=number)
    return next((_parsed(form, number, text) for number, text in found), product(form))


def every() -> Iterator[Definition]:
    """All versions of both forms that were put in force or are planned, the newest first."""
    rows = FormVersion.select().where(FormVersion.since.is_null(False))
    yield from map(definition_of, rows.order_by(FormVersion.number.desc()))


def fields_of_all_versions(form: str) -> tuple[Field, ...]:
    """The fields of a form in force, then those left out since: what was registered has them."""
    now = in_force(form)
    before = [field for made in every() if made.form == form for field in made.fields]
    left_out = {field.name: field for field in reversed(before) if not now.field(field.name)}
    return (*now.fields, *left_out.values())


def seed() -> None:
    """Keep the product's forms as their first versions, where a site has none yet."""
    with writing():
        for form in FORMS:
            if not FormVersion.select().where(FormVersion.form == form).exists():
                moment = clock.now()
                document = _product_document(form)
                FormVersion.create(
                    form=form, number=1, fields=document, since=moment, made_at=moment
                )


def field_of(name: str) -> Any:
    """The field of this name in the forms in force, form №1 before form №2, else as it was last.

    None when no form ever had it.
    """
    now = next((one for form in FORMS if (one := in_force(form).field(name))), None)
    return now or next((one for made in every() if (one := made.field(name))), None)


def _product_document(form: str) -> dict[str, Any]:
    return tomllib.loads((_FILES / f"{form}.toml").read_text(encoding="utf-8"))


def definition_of(row: FormVersion) -> Definition:
    """The form that a version holds."""
    return _parsed(row.form, row.number, json.dumps(row.fields, sort_keys=True))


@functools.lru_cache(maxsize=64)
def _parsed(form: str, number: int, text: str) -> Definition:
    return parse(form, number, json.loads(text))
