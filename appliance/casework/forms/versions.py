"""The versions of each form: the one in force, the earlier ones, and the product's."""

import functools
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from appliance import PACKAGE
from appliance.casework.forms.definition import (
    Definition,
    Field,
    definition_document,
    parse_definition,
)
from appliance.core import clock
from appliance.core.clock import microseconds_since_epoch
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Appeal, CallForm, FormVersion, personal_columns

APPEAL_FORM, CALL_FORM = "1", "2"  # form №1: of appeals; form №2: of calls, with appeal or not
FORMS = (APPEAL_FORM, CALL_FORM)
_PRODUCT_FORMS_DIRECTORY = PACKAGE / "data" / "forms"
_RECENT_VERSIONS = PreparedQuery(
    lambda: (
        FormVersion.select(FormVersion.number, FormVersion.fields)
        .where(
            FormVersion.form == query_parameter("form"), FormVersion.since <= query_parameter("now")
        )
        .order_by(FormVersion.number.desc())
        .limit(4)
    )
)
_NUMBERED_VERSION = PreparedQuery(
    lambda: FormVersion.select(FormVersion.number, FormVersion.fields).where(
        FormVersion.form == query_parameter("form"), FormVersion.number == query_parameter("number")
    )
)


@functools.cache
def product_definition(form: str) -> Definition:
    """Return the form (one of FORMS) that this release of the product contains, as version 1.

    models.personal_columns decides which of its fields are personal and which are exported.
    """
    document = (_PRODUCT_FORMS_DIRECTORY / f"{form}.toml").read_text(encoding="utf-8")
    definition = parse_definition(form, 1, tomllib.loads(document))
    table = form_table(form)
    fields = (
        replace(
            field,
            personal=field.personal or personal_columns.is_identifying(table, field.name),
            exported=field.exported and personal_columns.is_in_tables(table, field.name),
        )
        for field in definition.fields
    )
    return replace(definition, fields=tuple(fields))


def form_table(form: str) -> type[Appeal | CallForm]:
    """Return the table that stores the registered forms of a kind, one of FORMS."""
    return CallForm if form == CALL_FORM else Appeal


@functools.cache
def column_value_names(form: str) -> frozenset[str]:
    """Return the value names of the product's fields that have a column in the form's table.

    All other fields, including some of the product's, are stored in the column `extra`.
    """
    # a date's column is NAME_on
    column_fields = {item.removesuffix("_on") for item in form_table(form)._meta.fields}
    return frozenset(
        n
        for item in product_definition(form).fields
        if item.name in column_fields
        for n in item.value_names
    )


def definition_in_force(form: str) -> Definition:
    """Return the version of the form that is filled in now."""
    return recent_definitions(form)[0]


def recent_definitions(form: str) -> list[Definition]:
    """Return the version in force, then up to three earlier ones that pages may still show."""
    rows = _RECENT_VERSIONS.fetch_tuples(form=form, now=microseconds_since_epoch(clock.now()))
    return [_parse_stored(form, number, text) for number, text in rows] or [
        product_definition(form)
    ]


def definition_for_values(form: str, values: Mapping[str, str]) -> Definition:
    """Return the version in which the values can be registered without losing any of them.

    It is the one in force, unless an earlier one has more of the fields that are filled in: a page
    may have been opened before the newest version was in force.
    """
    filled_names = {name for name, text in values.items() if text.strip()}
    return max(
        recent_definitions(form), key=lambda version: len(filled_names & version.value_names)
    )


def numbered_definition(form: str, number: int) -> Definition:
    """Return the version with this number; the product's form if it is not stored."""
    rows = _NUMBERED_VERSION.fetch_tuples(form=form, number=number)
    return next(
        (_parse_stored(form, number, text) for number, text in rows), product_definition(form)
    )


def all_published_definitions() -> Iterator[Definition]:
    """Yield each version of both forms that ever was in force or is planned, the newest first."""
    rows = FormVersion.select().where(FormVersion.since.is_null(False))
    yield from map(stored_definition, rows.order_by(FormVersion.number.desc()))


def fields_of_all_versions(form: str) -> tuple[Field, ...]:
    """Return the fields of the form in force, then the retired ones that registered forms have."""
    newest = definition_in_force(form)
    published_fields = [
        field
        for definition in all_published_definitions()
        if definition.form == form
        for field in definition.fields
    ]
    # of a retired field, the newest version comes last and is used
    retired = {
        field.name: field
        for field in reversed(published_fields)
        if not newest.find_field(field.name)
    }
    return (*newest.fields, *retired.values())


def exportable_fields(form: str, *, with_applicants: bool) -> tuple[Field, ...]:
    """Return the fields that may be columns of an export of many records, in order.

    With `with_applicants`, the fields that identify the applicant are included. Retired fields are
    included, too.
    """
    return tuple(
        field
        for field in fields_of_all_versions(form)
        if field.exported and (with_applicants or not field.personal)
    )


def seed_product_forms() -> None:
    """Store the product's forms as version 1 of each form that has no version yet."""
    with write_transaction():
        for form in FORMS:
            if not FormVersion.select().where(FormVersion.form == form).exists():
                now = clock.now()
                document = definition_document(product_definition(form))
                FormVersion.create(form=form, number=1, fields=document, since=now, made_at=now)


def latest_field(name: str) -> Any:
    """Return the field with this name as in the forms in force, else as last published.

    Form №1 is searched before form №2. Return None if no form ever had such a field.
    """
    field = next(
        (candidate for form in FORMS if (candidate := definition_in_force(form).find_field(name))),
        None,
    )
    return field or next(
        (
            candidate
            for definition in all_published_definitions()
            if (candidate := definition.find_field(name))
        ),
        None,
    )


def stored_definition(row: FormVersion) -> Definition:
    """Return the definition that a row holds."""
    # as a text, because the arguments of a cached function must be hashable
    return _parse_stored(row.form, row.number, json.dumps(row.fields, sort_keys=True))


@functools.lru_cache(maxsize=64)
def _parse_stored(form: str, number: int, text: str) -> Definition:
    """Return the definition of a version from the JSON text of its row; cached."""
    return parse_definition(form, number, json.loads(text))
