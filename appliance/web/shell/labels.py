"""Labels of form fields, doubts, roles, audited actions and Asterisk's dial statuses.

A doubt is a warning about a field's value: the form can be registered all the same.
"""

from collections.abc import Iterator, Mapping

from flask_babel import LazyString, gettext, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.casework import forms
from appliance.core.audit import labels as audit_labels
from appliance.people import accounts
from appliance.telephony.calls import dialling
from appliance.web.shell import formats, number_masks
from appliance.web.shell.language import locale

# code of a call's language → its name
CALL_LANGUAGES = {code: lazy_gettext(name) for code, name in accounts.CALL_LANGUAGES.items()}
ROLE_NAMES: dict[str, LazyString] = {
    "operator": _l("operator"),
    "supervisor": _l("supervisor"),
    "manager": _l("project manager"),
    "ministry": _l("ministry"),
    "technician": _l("technician"),
    "backup": _l("backup operator"),
}
# Labels of values that are not fields of the forms.
_EXTRA_LABELS: dict[str, LazyString] = {
    "number": _l("Appeal number"),
    "consultation": _l("Specialist's consultation"),
    "consultation_issue": _l("Question"),
    "consultation_contact": _l("Who was contacted"),
}


class _FieldLabels(Mapping[str, str]):
    """The labels of fields in the page's language, by field name.

    The label is that in the forms in force, or else in the last version that had the field. Fields
    of earlier versions have a label, but only those in force are iterated over.
    """

    def __getitem__(self, name: str) -> str:
        if name in _EXTRA_LABELS:
            return str(_EXTRA_LABELS[name])
        field: forms.Field | None = forms.latest_field(name)
        if not field:
            raise KeyError(name)
        return field.localized_label(locale())

    def __iter__(self) -> Iterator[str]:
        fields = (
            field.name for form in forms.FORMS for field in forms.definition_in_force(form).fields
        )
        return iter(dict.fromkeys((*_EXTRA_LABELS, *fields)))

    def __len__(self) -> int:
        return len([*iter(self)])


class _OptionNames(Mapping[str, Mapping[str, str]]):
    """The options of each field that has a few fixed ones, by field name.

    The options of a field are a mapping from code to name in the page's language. Fields of earlier
    versions have options, too, but only those in force are iterated over.
    """

    def __getitem__(self, name: str) -> Mapping[str, str]:
        field = forms.latest_field(name)
        if not field or not field.options:
            raise KeyError(name)
        return {option.code: option.localized_label(locale()) for option in field.options}

    def __iter__(self) -> Iterator[str]:
        fields = (field for form in forms.FORMS for field in forms.definition_in_force(form).fields)
        return iter(dict.fromkeys(field.name for field in fields if field.options))

    def __len__(self) -> int:
        return len([*iter(self)])


FIELDS: Mapping[str, str] = _FieldLabels()
VALUES: Mapping[str, Mapping[str, str]] = _OptionNames()

# These texts share the line of the field's label, so they have at most 20 letters in Russian.
# There is no text for an empty field: empty fields are only counted.
_UNLISTED = _l("Not on the list")
_DOUBT_TEXTS: dict[str, LazyString] = {
    "unlisted": _UNLISTED,
    "mahalla:unlisted": _l("Not on the list, kept"),
    "district:elsewhere": _l("In another region"),
    "mahalla:elsewhere": _l("In another district"),
    "pinfl:length": _l("14 digits needed"),
    "pinfl:check": _l("A digit is wrong"),
    "pinfl:born": _l("Date does not match"),
    "pinfl:sex": _l("Sex does not match"),
    "born:future": _l("Date in the future"),
    "born:old": _l("Over 120 years ago"),
}
# Why a value is not valid, by the kind of the document in the field, or by the field's kind.
_FORMAT_TEXTS: dict[str, LazyString] = {
    "passport": _l("Use the format AB1234567"),
    "pinfl": _l("A digit is wrong"),
    "stir": _l("9 digits needed"),
    "date": _l("Use the format dd.mm.yyyy"),
    "phone": _l("Not a valid phone number"),
    "number": _l("Not a number"),
    "choice": _UNLISTED,
}

# Asterisk's DIALSTATUS of a call over a trunk
DIAL_STATUS_NAMES: dict[str, LazyString] = {
    status.code: lazy_gettext(status.name) for status in dialling.DIAL_STATUSES
}


def doubt_texts(codes: list[str], *definitions: forms.Definition) -> dict[str, str]:
    """Return the text of each field's first doubt, by field name.

    `codes`: the doubts as "field:code". `definitions`: the form versions that the fields belong to;
    if omitted, the versions in force. Required fields without a value have no text here (see
    `empty_fields`).
    """
    form_definitions = list(definitions) or [forms.definition_in_force(f) for f in forms.FORMS]
    texts: dict[str, str] = {}
    for doubt in codes:
        name, _, code = doubt.partition(":")
        field = next(
            (candidate for form in form_definitions if (candidate := form.find_field(name))), None
        )
        text = _DOUBT_TEXTS.get(doubt) or _DOUBT_TEXTS.get(code)
        if code == "form" and field:  # the value has the wrong format for its kind
            text = _FORMAT_TEXTS.get(field.document or field.kind)
        if text:
            texts.setdefault(name, str(text))
    return texts


def empty_fields(codes: list[str]) -> list[str]:
    """Return the names of the required fields without a value, from doubts as "field:code"."""
    return [field for field, _, code in (c.partition(":") for c in codes) if code == "empty"]


def field_display(field: forms.Field, values: Mapping[str, str]) -> str:
    """Return the value of a field in a form's values, formatted in the page's language.

    If there is no code of a list, it is the typed text, which is the value of "FIELD_text". Returns
    "" if the field is empty.
    """
    value = values.get(field.name) or values.get(f"{field.name}_text", "")
    if field.kind == "tick":
        return gettext("yes") if value else ""
    if field.kind == "phone" and value:
        return formats.phone(value)
    return option_display(field, value)


def readable_text(name: str, text: str) -> str:
    """Return the text of the field `name` as the reader may see it.

    A phone number is masked if this reader sees citizens' numbers masked.
    """
    return number_masks.readable_number(text) if is_phone_field(name) else text


def is_phone_field(name: str) -> bool:
    """Return True if a field contains a phone number."""
    field = forms.latest_field(name)
    return bool(field and field.kind == "phone")


def option_display(field: forms.Field, value: str) -> str:
    """Return the name of a code in the page's language; any other value stays unchanged."""
    return forms.display_value(field, value, locale())


def audit_action_text(code: str) -> str:
    """Return the label of an audited action, given by its code, in the reader's language."""
    subject, operation = audit_labels.action_labels(code)
    return f"{gettext(subject)}: {gettext(operation)}" if operation else gettext(subject)
