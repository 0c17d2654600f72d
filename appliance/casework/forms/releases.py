"""What a release of the product changes of a form reaches a site that has versions of its own."""

from dataclasses import replace

from appliance.casework.forms.definition import Definition, Field, document_of
from appliance.casework.forms.versions import FORMS, definition_of, in_force, product
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import FormVersion


def take_in() -> list[tuple[str, int]]:
    """Put the product's forms of this release in force; (form, version) of each that is new.

    A form that people never changed is the product's as it is; of any other one see merged(). A
    draft, or a version that is planned, gets the same and stays the newest.
    """
    made = []
    with writing():
        for form in FORMS:
            now = in_force(form)
            rows = list(FormVersion.select().where(FormVersion.form == form))
            by_people = any(row.by for row in rows if row.number <= now.version)
            wanted = merged(now) if by_people else product(form)
            if document_of(wanted) == document_of(now):
                continue
            number = now.version + 1
            for row in sorted(rows, key=lambda row: -row.number):
                if row.number >= number:  # to come
                    fields = document_of(merged(definition_of(row)))
                    moved = FormVersion.update(number=row.number + 1, fields=fields)
                    moved.where(FormVersion.id == row.id).execute()
            moment = clock.now()
            FormVersion.create(
                form=form,
                number=number,
                fields=document_of(wanted),
                since=moment,
                made_at=moment,
            )
            new = sorted({f.name for f in wanted.fields} - {f.name for f in now.fields})
            audit.record("migrate", "form.release", form, version=number, new=new)
            live.publish("forms")
            made.append((form, number))
    return made


def merged(made: Definition) -> Definition:
    """A form with what the product says now: its new fields, and the nature of those it had.

    Fields that people added, labels, helps, stars and the order stay. A new field stands behind
    the one behind which the product has it.
    """
    brought = product(made.form)
    fields = [_as_brought(one, brought) for one in made.fields]
    for place, field in enumerate(brought.fields):
        names = [one.name for one in fields]
        if field.name not in names:
            after = names.index(brought.fields[place - 1].name) + 1 if place else 0
            fields.insert(after, field)
    return replace(made, fields=tuple(fields))


def _as_brought(one: Field, brought: Definition) -> Field:
    own = next((field for field in brought.fields if field.name == one.name), None)
    if not own:
        return one
    return replace(own, label=one.label, help=one.help, required=one.required or own.required)
