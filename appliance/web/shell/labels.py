"""How the fields of the forms, the doubts about them and what Asterisk tells are worded."""

from collections.abc import Iterator, Mapping

from flask_babel import LazyString, gettext, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.casework import forms
from appliance.people import accounts
from appliance.telephony.calls import dialling
from appliance.web.shell import formats, numbers
from appliance.web.shell.language import locale

# code of a language of calls → its name
CALL_LANGUAGES = {code: lazy_gettext(name) for code, name in accounts.CALL_LANGUAGES.items()}
# What stands beside the forms' own fields.
_BESIDE: dict[str, LazyString] = {
    "number": _l("Appeal number"),
    "consultation": _l("Specialist's consultation"),
    "consultation_issue": _l("Issue"),
    "consultation_contact": _l("Who was contacted"),
}


class _Labels(Mapping[str, str]):
    """Field → its label in the page's language, by the forms in force."""

    def __getitem__(self, name: str) -> str:
        if name in _BESIDE:
            return str(_BESIDE[name])
        field = forms.field_of(name)
        if not field:
            raise KeyError(name)
        return field.called(locale())

    def __iter__(self) -> Iterator[str]:
        fields = (field.name for form in forms.FORMS for field in forms.in_force(form).fields)
        return iter(dict.fromkeys((*_BESIDE, *fields)))

    def __len__(self) -> int:
        return len([*iter(self)])


class _Values(Mapping[str, Mapping[str, str]]):
    """Field with a few fixed answers → their codes → their names in the page's language."""

    def __getitem__(self, name: str) -> Mapping[str, str]:
        field = forms.field_of(name)
        if not field or not field.options:
            raise KeyError(name)
        return {option.code: option.called(locale()) for option in field.options}

    def __iter__(self) -> Iterator[str]:
        fields = (field for form in forms.FORMS for field in forms.in_force(form).fields)
        return iter(dict.fromkeys(field.name for field in fields if field.options))

    def __len__(self) -> int:
        return len([*iter(self)])


FIELDS: Mapping[str, str] = _Labels()
VALUES: Mapping[str, Mapping[str, str]] = _Values()

# On the label's own line: at most 20 letters in Russian. An empty field is counted, not worded.
_UNLISTED = _l("Not on the list")
_DOUBTS: dict[str, LazyString] = {
    "unlisted": _UNLISTED,
    "mahalla:unlisted": _l("Not on the list, kept"),
    "district:elsewhere": _l("In another region"),
    "mahalla:elsewhere": _l("In another district"),
    "pinfl:length": _l("14 digits needed"),
    "pinfl:check": _l("A digit is wrong"),
    "pinfl:born": _l("Date differs"),
    "pinfl:sex": _l("Sex differs"),
    "born:future": _l("In the future"),
    "born:old": _l("Over 120 years ago"),
}
# kind or document → why what stands in the field is none
_FORMS: dict[str, LazyString] = {
    "passport": _l("Should be AB1234567"),
    "pinfl": _l("A digit is wrong"),
    "stir": _l("9 digits needed"),
    "date": _l("Should be dd.mm.yyyy"),
    "phone": _l("Not a phone number"),
    "number": _l("Not a number"),
    "choice": _UNLISTED,
}

# Asterisk's DIALSTATUS of a call over a line
DIALLED: dict[str, LazyString] = {one.code: lazy_gettext(one.name) for one in dialling.STATUSES}


def doubts_by_field(codes: list[str], *asked: forms.Definition) -> dict[str, str]:
    """Field → the wording of its first doubt, of doubts written as "field:code".

    `asked`: the forms that the fields belong to, those in force when none is given.
    """
    found = list(asked) or [forms.in_force(f) for f in forms.FORMS]
    worded: dict[str, str] = {}
    for written in codes:
        name, _, code = written.partition(":")
        field = next((one for form in found if (one := form.field(name))), None)
        words = _DOUBTS.get(written) or _DOUBTS.get(code)
        if code == "form" and field:
            words = _FORMS.get(field.document or field.kind)
        if words:
            worded.setdefault(name, str(words))
    return worded


def empty_fields(codes: list[str]) -> list[str]:
    """The required fields that hold nothing, in the form's order."""
    return [field for field, _, code in (c.partition(":") for c in codes) if code == "empty"]


def field_text(field: forms.Field, values: Mapping[str, str]) -> str:
    """What a form says in a field, as it reads in the page's language."""
    value = values.get(field.name) or values.get(f"{field.name}_text", "")
    if field.kind == "tick":
        return gettext("yes") if value else ""
    if field.kind == "phone" and value:
        return formats.phone(value)
    return shown(field, value)


def typed(name: str, text: str) -> str:
    """What was typed in a field, as who asks may read it."""
    return numbers.seen(text) if is_phone(name) else text


def is_phone(name: str) -> bool:
    """Whether a field holds a phone number."""
    field = forms.field_of(name)
    return bool(field and field.kind == "phone")


def shown(field: forms.Field, value: str) -> str:
    """How a value of a field reads: the name of its code in the page's language, else itself."""
    return forms.shown(field, value, locale())
