"""The definition of a form: its ordered fields. The page, the reading and the exports follow it.

A form's values are a dict of texts by field name. If a field chooses from a list or is a place, the
code is under its name (empty without a choice), and the text of the input under NAME_text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from appliance.core.i18n import DEFAULT_LOCALE, LOCALES, N_
from appliance.core.refusals import Refused

# the kinds of field, with their labels
KINDS = {
    "text": N_("Text"),
    "name": N_("Name"),  # its spelling is corrected
    "long": N_("Long text"),
    "comment": N_("Comment"),  # in the operator's words
    "choice": N_("Choice from a few options"),
    "list": N_("Choice from a list"),
    "place": N_("Place from a list"),
    "tick": N_("Checkbox"),
    "number": N_("Count or amount"),
    "date": N_("Date"),
    "phone": N_("Phone"),
    "document": N_("Document"),
}
LOOKUP_KINDS = ("list", "place")  # kinds that offer matches while one types
PRODUCT_PLACE_FIELDS = ("region", "district", "mahalla")  # the product's fields that are places
ADDED_PLACE_KINDS = ("region", "district")  # for fields added by the manager
DOCUMENT_KINDS = ("passport", "pinfl", "stir")
APPLICANT_KINDS = ("person", "entity")
MAX_FIELDS = 60  # in one form
_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MAX_WIDTH_COLUMNS = 3  # columns of the form on the page
_MAX_TEXT_LENGTH = 10_000  # letters

type LocalizedTexts = Mapping[str, str]  # locale → text


@dataclass(frozen=True)
class Option:
    """One of a few fixed choices; `words` is its label by locale."""

    code: str
    words: LocalizedTexts

    def localized_label(self, locale: str) -> str:
        """Return the option's label in the locale."""
        return _text_in_locale(self.words, locale)


@dataclass(frozen=True)
class Field:
    """One field of a form.

    `asked_of`: "person" or "entity" if only one of them is asked, else "". `topics`: codes of the
    directions for which it is asked; all if empty. `given`: its initial value. `anew`: asked in
    every call, never copied from an earlier form. `personal`: identifies the applicant. `exported`:
    included in bulk exports. `ministry`: its name in the ministry's system. `wide`: how many
    columns of the page it takes. `most`: its maximum length, 0 for the default. `key`: its keyboard
    shortcut. `screen_only`: left out when a registered form is printed.
    """

    name: str  # the key of its value, unique in the form
    kind: str  # a key of KINDS
    label: LocalizedTexts
    help: LocalizedTexts = field(default_factory=dict)
    required: bool = False  # marked with a star; a form without its value is registered, too
    list: str = ""  # the list it chooses from; for an added place: region or district
    options: tuple[Option, ...] = ()  # of the kind "choice"
    document: str = ""  # one of DOCUMENT_KINDS
    asked_of: str = ""
    topics: tuple[str, ...] = ()
    given: str = ""
    anew: bool = False
    personal: bool = False
    exported: bool = True
    ministry: str = ""
    wide: int = 1
    most: int = 0
    key: str = ""
    screen_only: bool = False

    @property
    def source(self) -> str:
        """The list or the kind of place that the field chooses from; "" for any other field."""
        return self.list or (self.name if self.kind == "place" else "")

    @property
    def is_lookup(self) -> bool:
        """True for a list or place: its values are a code and, under NAME_text, the typed text."""
        return self.kind in LOOKUP_KINDS

    @property
    def value_names(self) -> tuple[str, ...]:
        """The keys of a form's values that belong to the field: call_type and call_type_text."""
        return (self.name, f"{self.name}_text") if self.is_lookup else (self.name,)

    @property
    def max_length(self) -> int:
        """The maximum number of letters in the field."""
        return self.most or (_MAX_TEXT_LENGTH if self.kind in ("long", "comment") else 200)

    def localized_label(self, locale: str) -> str:
        """Return the field's label in the locale."""
        return _text_in_locale(self.label, locale)

    def localized_help(self, locale: str) -> str:
        """Return the field's help text in the locale; "" when it has no help text."""
        return _text_in_locale(self.help, locale)


@dataclass(frozen=True)
class Definition:
    """A form in one version: its title and its fields, in order."""

    form: str  # one of versions.FORMS
    version: int  # its number, from 1
    title: LocalizedTexts
    fields: tuple[Field, ...]

    def find_field(self, name: str) -> Field | None:
        """Return the field whose name, or whose NAME_text, is `name`, if any."""
        return next(
            (
                form_field
                for form_field in self.fields
                if name in (form_field.name, f"{form_field.name}_text")
            ),
            None,
        )

    @property
    def value_names(self) -> frozenset[str]:
        """All names that the form's values may have."""
        return frozenset(name for form_field in self.fields for name in form_field.value_names)

    def fields_for_applicant(self, kind: str = "", direction: str = "") -> tuple[Field, ...]:
        """Return the fields that are asked for a kind of applicant and a direction, in order.

        `kind` is "person" or "entity"; without it, fields for either are returned. `direction` is a
        code; without it, fields for certain directions only are left out.
        """
        other_kinds = [item for item in APPLICANT_KINDS if kind and item != kind]
        return tuple(
            item
            for item in self.fields
            if item.asked_of not in other_kinds and (not item.topics or direction in item.topics)
        )


def parse_definition(form: str, version: int, document: Mapping[str, Any]) -> Definition:
    """Parse a document (nested dicts and lists) into a definition.

    The document has the keys `title` and `fields`, as definition_document() returns it. Raises
    Refused if it is invalid. The code is the part that is invalid ("title", "fields", an attribute
    of Field, "words" for its texts), "twice" if two fields share a name, or "unknown" for an
    unknown attribute or a value of another type; the subject is the field's name.
    """
    entries = document.get("fields")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_FIELDS:
        raise Refused("fields")
    title = _parse_texts(document.get("title"), "title", is_complete=True)
    parsed_fields = tuple(_parse_field(entry) for entry in entries)
    names = [
        name
        for form_field in parsed_fields
        for name in (form_field.name, f"{form_field.name}_text")
    ]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise Refused("twice", subject=duplicate)
    return Definition(form, version, title, parsed_fields)


def definition_document(definition: Definition) -> dict[str, Any]:
    """Return the document (nested dicts and lists) that parse_definition() parses to this form."""
    return {
        "title": dict(definition.title),
        "fields": [field_entry(form_field) for form_field in definition.fields],
    }


def field_entry(form_field: Field) -> dict[str, Any]:
    """Return a field as an entry of a document, without attributes that have default values."""
    default_field = Field(form_field.name, form_field.kind, form_field.label)
    entry = {
        name: value
        for name, value in asdict(form_field).items()
        if value != getattr(default_field, name)
    }
    entry |= {"name": form_field.name, "kind": form_field.kind, "label": dict(form_field.label)}
    if form_field.options:
        entry["options"] = [
            {"code": option.code} | dict(option.words) for option in form_field.options
        ]
    if form_field.topics:
        entry["topics"] = [*form_field.topics]
    return entry


def _parse_field(entry: Any) -> Field:
    """Parse one field of a document. Raises Refused if it is invalid."""
    if not isinstance(entry, Mapping):
        raise Refused("fields")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME_PATTERN.fullmatch(name):
        raise Refused("name", subject=str(name)[:40])
    value_types = {item.name: type(getattr(_DEFAULT_FIELD, item.name)) for item in fields(Field)}
    for key, value in entry.items():
        if key not in value_types:
            raise Refused("unknown", subject=name)
        # these four have other types in a document; they are parsed below
        if (
            key not in ("label", "help", "options", "topics")
            and type(value) is not value_types[key]
        ):
            raise Refused("unknown", subject=name)
    if "kind" not in entry:
        raise Refused("kind", subject=name)
    attributes = {key: value for key, value in entry.items() if key not in ("label", "help")}
    attributes["options"] = tuple(
        _parse_option(item, name) for item in _list_value(entry, "options", name)
    )
    attributes["topics"] = tuple(str(item) for item in _list_value(entry, "topics", name))
    form_field = Field(
        label=_parse_texts(entry.get("label"), name, is_complete=True),
        help=_parse_texts(entry.get("help", {}), name),
        **attributes,
    )
    if len({option.code for option in form_field.options}) < len(form_field.options):
        raise Refused("options", subject=name)
    if code := _field_error_code(form_field):
        raise Refused(code, subject=name)
    return form_field


def _field_error_code(form_field: Field) -> str:
    """Return the code of a field's error; "" when it is valid."""
    checks = {
        "kind": form_field.kind in KINDS,
        "list": bool(form_field.list)
        == (
            form_field.kind == "list"
            or (form_field.kind == "choice" and not form_field.options)
            or (form_field.kind == "place" and form_field.name not in PRODUCT_PLACE_FIELDS)
        ),
        "options": form_field.kind == "choice" or not form_field.options,
        "place": form_field.kind != "place"
        or not form_field.list
        or form_field.list in ADDED_PLACE_KINDS,
        "document": (form_field.document in DOCUMENT_KINDS)
        if form_field.kind == "document"
        else not form_field.document,
        "asked_of": form_field.asked_of in ("", *APPLICANT_KINDS),
        "wide": 1 <= form_field.wide <= _MAX_WIDTH_COLUMNS,
        "most": 0 <= form_field.most <= _MAX_TEXT_LENGTH,
        "reserved": form_field.name not in ("csrf_token", "token", "version", "number", "elements"),
    }
    return next((code for code, holds in checks.items() if not holds), "")


def _parse_option(entry: Any, name: str) -> Option:
    """Parse an option of the field `name`: its code, and its label by locale.

    Raises Refused "options" without a code, "words" for an invalid label.
    """
    if not isinstance(entry, Mapping) or not isinstance(code := entry.get("code"), str) or not code:
        raise Refused("options", subject=name)
    labels = {locale: text for locale, text in entry.items() if locale != "code"}
    return Option(code, _parse_texts(labels, name, is_complete=True))


def _list_value(entry: Mapping[str, Any], key: str, name: str) -> Iterable[Any]:
    """Return the list under a key of a field's entry, empty if absent.

    Raises Refused, with the key as the code and the field's `name` as the subject, if it is no
    list.
    """
    value = entry.get(key, [])
    if not isinstance(value, list | tuple):
        raise Refused(key, subject=name)
    return value


def _parse_texts(value: Any, name: str, is_complete: bool = False) -> LocalizedTexts:
    """Return texts by locale; `is_complete`: each locale must have one.

    Raises Refused "words", with the subject `name`, for a missing text, another type or an unknown
    locale.
    """
    is_text_mapping = isinstance(value, Mapping) and all(
        isinstance(text, str) for text in value.values()
    )
    if not is_text_mapping or not set(value) <= set(LOCALES):
        raise Refused("words", subject=name)
    if is_complete and not all(value.get(locale, "").strip() for locale in LOCALES):
        raise Refused("words", subject=name)
    return dict(value)


def _text_in_locale(texts: LocalizedTexts, locale: str) -> str:
    """Return the text in the locale, else in the default locale; "" if neither exists."""
    return texts.get(locale) or texts.get(DEFAULT_LOCALE, "")


_DEFAULT_FIELD = Field("", "", {})
