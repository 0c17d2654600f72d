"""Brings a product release's form changes to a site that has versions of its own."""

from dataclasses import replace

from appliance.casework.forms.definition import Definition, Field, definition_document
from appliance.casework.forms.versions import (
    FORMS,
    definition_in_force,
    product_definition,
    stored_definition,
)
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.models import FormVersion


def apply_product_release() -> list[tuple[str, int]]:
    """Put this release's product forms in force; returns (form, version) of each new version.

    A form that the site never changed becomes the product's; any other one is merged by
    merge_product_form(). A draft or a planned version is merged, too, and stays the newest. A form
    in which the release changes nothing gets no new version.
    """
    new_versions = []
    with write_transaction():
        for form in FORMS:
            current = definition_in_force(form)
            rows = list(FormVersion.select().where(FormVersion.form == form))
            # the product's own versions have no writer
            has_people_versions = any(row.by for row in rows if row.number <= current.version)
            target = (
                merge_product_form(current) if has_people_versions else product_definition(form)
            )
            if definition_document(target) == definition_document(current):
                continue
            number = current.version + 1
            # the highest number first, because each number is unique
            for row in sorted(rows, key=lambda row: -row.number):
                if row.number >= number:  # a draft or a planned version
                    fields = definition_document(merge_product_form(stored_definition(row)))
                    update = FormVersion.update(number=row.number + 1, fields=fields)
                    update.where(FormVersion.id == row.id).execute()
            now = clock.now()
            FormVersion.create(
                form=form,
                number=number,
                fields=definition_document(target),
                since=now,
                made_at=now,
            )
            new_names = sorted({f.name for f in target.fields} - {f.name for f in current.fields})
            audit.record_entry("migrate", "form.release", form, version=number, new=new_names)
            live.publish_topics("forms")
            new_versions.append((form, number))
    return new_versions


def merge_product_form(definition: Definition) -> Definition:
    """Return a form updated to the product's form of this release.

    The site keeps the fields it added, its labels, help texts, stars (marks of required fields),
    its choice of the fields that are not printed, and its order. All other attributes of a field of
    the product are the product's. A new field is placed after the field that it follows in the
    product's form.
    """
    product_form = product_definition(definition.form)
    fields = [_merge_product_field(item, product_form) for item in definition.fields]
    for position, field in enumerate(product_form.fields):
        names = [item.name for item in fields]
        if field.name not in names:
            after = names.index(product_form.fields[position - 1].name) + 1 if position else 0
            fields.insert(after, field)
    return replace(definition, fields=tuple(fields))


def _merge_product_field(field: Field, product_form: Definition) -> Field:
    """Return the product's field with the site's label, help text and choice if it is printed.

    It is required if either field is.

    A field that the site added is returned unchanged.
    """
    product_field = next(
        (candidate for candidate in product_form.fields if candidate.name == field.name), None
    )
    if not product_field:
        return field
    return replace(
        product_field,
        label=field.label,
        help=field.help,
        required=field.required or product_field.required,
        screen_only=field.screen_only,
    )
