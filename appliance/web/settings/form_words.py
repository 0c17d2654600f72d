"""How the making of forms is worded."""

from collections.abc import Mapping

from flask_babel import LazyString, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, forms
from appliance.casework.forms.comparing import Change
from appliance.casework.forms.definition import KINDS as NAMES
from appliance.core.i18n import named
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
    "list": _l("List"),
    "options": _l("Answers"),
    "document": _l("Document"),
    "asked_of": _l("Asked of"),
    "topics": _l("Directions"),
    "personal": _l("Personal data"),
    "ministry": _l("Name in the ministry's system"),
    "given": _l("Stands in it at first"),
    "key": _l("Key"),
}
ASKED_OF: dict[str, LazyString] = {
    "": _l("everybody"),
    "person": _l("persons"),
    "entity": _l("legal entities"),
}
_TROUBLES: dict[str, LazyString] = {
    "script": _l("A text is not in the script of its language."),
    "words": _l("A label, and each answer, is needed in all three languages."),
    "long": _l("Shorten it: a label has at most 80 letters, a hint 200, an answer 60."),
    "kind": _l("Choose what kind of field it is."),
    "list": _l("Choose the list that the field chooses from."),
    "options": _l("Write two to six answers."),
    "place": _l("Choose which places the field asks for."),
    "document": _l("Choose which document it is."),
    "topics": _l("Choose directions of the list."),
    "ministry": _l(
        "The name in the ministry's system has Latin letters and digits, and is given once."
    ),
    "kept": _l("This field was in use: its kind stays. Add another field instead."),
    "personal": _l("This field held personal data: it stays so marked."),
    "product": _l("This field comes with the product: reports stand on it."),
    "star": _l("This field comes with the product: its star stays."),
    "fields": _l("A form has at most 60 fields."),
    "changed": _l("Somebody else has changed the draft meanwhile. Look at it, then try again."),
    "pending": _l("There is a version to come already."),
    "none": _l("There is no draft to change."),
    "field": _l("The draft has no such field any more."),
    "past": _l("This moment is past. Leave it empty for now."),
    "same": _l("The draft is the same as the version in force."),
    "moment": _l("Write the day as dd.mm.yyyy and the time as hh:mm."),
}


def trouble(code: str) -> LazyString | None:
    """Why something could not be done; None for no code."""
    return _TROUBLES.get(code, _l("This cannot be done so.")) if code else None


def difference(change: Change) -> tuple[str, str, str]:
    """(field, before, after) of what a version says otherwise."""
    shown = change.after or change.before
    name = shown.called(locale()) if shown else ""
    if change.kind == "moved":
        return name, "–", str(CHANGES["moved"])
    before, after = (described(one) if one else "–" for one in (change.before, change.after))
    return name, before, after


def described(field: forms.Field) -> str:
    """A field in one line: label, kind, what it chooses from, of whom it is asked, its marks."""
    marks = [str(PARTS[name]) for name in ("required", "personal") if getattr(field, name)]
    labels = [field.label[one] for one in LANGUAGES if one in field.label]
    chosen = source(field, list_names(), dict(documents()))
    asked = asked_when(field, catalogs.labels("direction", locale()))
    parts = (*labels, field.helped(locale()), str(KINDS[field.kind]), chosen, asked, *marks)
    return "; ".join(part for part in dict.fromkeys(parts) if part)


def source(field: forms.Field, lists: Mapping[str, str], papers: Mapping[str, str]) -> str:
    """What a field chooses from: its answers, a list, places, a document; "" for nothing."""
    if field.options:
        return " / ".join(one.called(locale()) for one in field.options)
    if field.source:
        return lists.get(field.source, field.source)
    return papers.get(field.document, field.document)


def asked_when(field: forms.Field, topics: Mapping[str, str]) -> str:
    """Of whom and in which directions a field is asked; "" for always."""
    whom = [str(ASKED_OF[field.asked_of])] if field.asked_of else []
    return ", ".join([*whom, *(topics.get(code, code) for code in field.topics)])


def list_names() -> dict[str, str]:
    """The lists, and the kinds of places, that a field may choose from → their names."""
    brought = [f for form in forms.FORMS for f in forms.product(form).fields if f.source]
    lists = {one.code: named(one, locale()) for one in catalogs.lists()}
    return {one.source: one.called(locale()) for one in brought} | lists


def documents() -> list[tuple[str, str]]:
    """(code, name) of the documents that a field may ask for."""
    brought = forms.product(forms.APPEAL).fields
    return [(one.document, one.called(locale())) for one in brought if one.document]


def places() -> list[tuple[str, str]]:
    """(code, name) of the places that a field may ask for."""
    return [(code, list_names()[code]) for code in forms.OWN_PLACES]
