"""Texts of the pages on which the manager edits the forms."""

from collections.abc import Mapping

from flask_babel import LazyString, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, forms
from appliance.casework.forms.comparing import Change
from appliance.casework.forms.definition import KINDS as NAMES
from appliance.core.i18n import localized_name
from appliance.web.shell.language import locale

KINDS: dict[str, LazyString] = {kind: lazy_gettext(name) for kind, name in NAMES.items()}
LANGUAGES: dict[str, LazyString] = {
    "uz_Latn": _l("in Uzbek (Latin)"),
    "uz_Cyrl": _l("in Uzbek (Cyrillic)"),
    "ru": _l("in Russian"),
}
CHANGES: dict[str, LazyString] = {
    "added": _l("added"),
    "removed": _l("removed"),
    "changed": _l("changed"),
    "moved": _l("moved"),
}
PARTS: dict[str, LazyString] = {
    "kind": _l("Kind of field"),
    "label": _l("Label"),
    "help": _l("Hint"),
    "required": _l("Required"),
    "screen_only": _l("Not printed"),
    "list": _l("List"),
    "options": _l("Answer options"),
    "document": _l("Document"),
    "asked_of": _l("Who is asked"),
    "topics": _l("Directions"),
    "personal": _l("Personal data"),
    "ministry": _l("Name in the ministry's system"),
    "given": _l("Initial value"),
    "key": _l("Key"),
}
ASKED_OF: dict[str, LazyString] = {
    "": _l("for everybody"),
    "person": _l("individuals"),
    "entity": _l("legal entities"),
}
# the kinds of customer_text.Difference, and the reasons for them
DIFFERENCES: dict[str, LazyString] = {
    "corrected": _l("wording corrected"),
    "starred": _l("star added"),
    "unstarred": _l("star removed"),
    "assigned": _l("no input"),
    "added": _l("field added"),
    "moved": _l("moved"),
    "removed": _l("removed"),
}
DIFFERENCE_REASONS: dict[str, LazyString] = {
    "number": _l("The system assigns the number at registration."),
    "spelling": _l("A mistake in the spelling or grammar of the document is corrected."),
    "official_name": _l("The official name of the number is used."),
    "star": _l(
        "Reports and the answer to the citizen need the field. The star reminds the operator; the "
        "form is registered without a value, too."
    ),
    "legal_entity": _l("Identifies a legal entity, which has neither sex nor date of birth."),
    "department": _l("The direction determines the responsible department and the deadline."),
    "manager": _l("Changed by the project manager."),
}
TROUBLES: dict[str, LazyString] = {
    "script": _l("A text is written in the wrong script for its language."),
    "words": _l("A label and each answer are needed in all three languages."),
    "long": _l("Shorten it: a label has at most 80 characters, a hint 200, an answer 60."),
    "kind": _l("Choose the kind of field."),
    "list": _l("Choose the list that the field chooses from."),
    "options": _l("Enter two to six answers."),
    "place": _l("Choose which places the field asks for."),
    "document": _l("Choose the kind of document."),
    "topics": _l("Choose directions from the list."),
    "ministry": _l(
        "The name in the ministry's system consists of Latin letters and digits, and must be "
        "unique."
    ),
    "kept": _l("This field has been used: its kind cannot be changed. Add another field instead."),
    "personal": _l("This field contained personal data: it keeps this mark."),
    "product": _l("This field is part of the product: reports are based on it."),
    "star": _l("This field is part of the product: its star cannot be removed."),
    "fields": _l("A form has at most 60 fields."),
    "changed": _l(
        "Another user has changed the draft in the meantime. Look at it, then try again."
    ),
    "pending": _l("There is already an upcoming version."),
    "none": _l("There is no draft to change."),
    "field": _l("The draft no longer has this field."),
    "past": _l("This time is past. Leave it empty to put it in force now."),
    "same": _l("The draft is the same as the version in force."),
    "moment": _l("Enter the day as dd.mm.yyyy and the time as hh:mm."),
}


def field_change_texts(change: Change) -> tuple[str, str, str]:
    """Return (field, before, after) of one change between two versions of a form, as text.

    For a moved field, `after` is the word for moved; for an added one, `before` is "–".
    """
    field = change.after or change.before
    name = field.localized_label(locale()) if field else ""
    if change.kind == "moved":
        return name, "–", str(CHANGES["moved"])
    before, after = (
        field_summary(version) if version else "–" for version in (change.before, change.after)
    )
    return name, before, after


def field_summary(field: forms.Field) -> str:
    """Return a field as one line of text: labels, hint, kind, choices, condition, marks."""
    marks = [
        str(PARTS[name]) for name in ("required", "screen_only", "personal") if getattr(field, name)
    ]
    labels = [field.label[language] for language in LANGUAGES if language in field.label]
    choices = choices_text(field, list_names_by_code(), dict(document_choices()))
    condition = condition_text(field, catalogs.labels_by_code("direction", locale()))
    parts = (
        *labels,
        field.localized_help(locale()),
        str(KINDS[field.kind]),
        choices,
        condition,
        *marks,
    )
    return "; ".join(part for part in dict.fromkeys(parts) if part)


def choices_text(
    field: forms.Field, list_names: Mapping[str, str], document_names: Mapping[str, str]
) -> str:
    """Return what a field offers to choose from, as text: its answers, a list, places, a document.

    `list_names` and `document_names` are by code. Returns "" if the field offers no choices.
    """
    if field.options:
        return " / ".join(option.localized_label(locale()) for option in field.options)
    if field.source:
        return list_names.get(field.source, field.source)
    return document_names.get(field.document, field.document)


def condition_text(field: forms.Field, direction_names: Mapping[str, str]) -> str:
    """Return the applicants and directions for which a field is asked, as text; "" if always.

    `direction_names` are by code.
    """
    applicant_kinds = [str(ASKED_OF[field.asked_of])] if field.asked_of else []
    return ", ".join(
        [*applicant_kinds, *(direction_names.get(code, code) for code in field.topics)]
    )


def list_names_by_code() -> dict[str, str]:
    """Return the names of the lists and kinds of places that a field may choose from, by code."""
    product_fields = [
        f for form in forms.FORMS for f in forms.product_definition(form).fields if f.source
    ]
    lists = {entry.code: localized_name(entry, locale()) for entry in catalogs.all_lists()}
    return {entry.source: entry.localized_label(locale()) for entry in product_fields} | lists


def document_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the documents that a field may ask for."""
    product_fields = forms.product_definition(forms.APPEAL_FORM).fields
    return [
        (field.document, field.localized_label(locale()))
        for field in product_fields
        if field.document
    ]


def place_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the places that a field may ask for."""
    return [(code, list_names_by_code()[code]) for code in forms.ADDED_PLACE_KINDS]
