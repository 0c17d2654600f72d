"""What a form is: its fields in their order, as a document that page, reading and exports follow.

A form's values are a dict of texts by field name. Where a field chooses from a list or is a place,
its own name holds the code (empty when none was chosen) and NAME_text what stands in the field.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from appliance.core.i18n import DEFAULT, LOCALES, N_

# kind → what it is called
KINDS = {
    "text": N_("Text"),
    "name": N_("Name"),  # put right in its spelling
    "long": N_("Long text"),
    "comment": N_("Comment"),  # the operator's own words
    "choice": N_("Choice of a few"),
    "list": N_("Choice from a list"),
    "place": N_("Place of a list"),
    "tick": N_("Tick"),
    "number": N_("Count or amount"),
    "date": N_("Date"),
    "phone": N_("Phone"),
    "document": N_("Document"),
}
CHOSEN = ("list", "place")  # kinds that are searched while one types
PLACES = ("region", "district", "mahalla")  # the fields of the product that are places
OWN_PLACES = ("region", "district")  # what an added place may be
DOCUMENTS = ("passport", "pinfl", "stir")
ASKED_OF = ("person", "entity")
MOST_FIELDS = 60  # of one form
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WIDEST = 3  # columns of the form on the page
_LONGEST = 10_000  # letters

type Words = Mapping[str, str]  # locale → text


class DefinitionError(ValueError):
    """A document that is no form; `field` names where, `code` why (worded by the page)."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(f"{field}: {code}" if field else code)
        self.code = code
        self.field = field


@dataclass(frozen=True)
class Option:
    """One of a few fixed answers."""

    code: str
    words: Words

    def called(self, locale: str) -> str:
        """Its name in the locale."""
        return _in(self.words, locale)


@dataclass(frozen=True)
class Field:
    """One field of a form.

    `asked_of`: person or entity, when only one of them is asked. `topics`: codes of the directions
    with which it is asked, all when empty. `given`: what stands in it before anybody types.
    `anew`: asked in every call, never taken from an earlier form. `personal`: tells who the
    applicant is. `exported`: leaves in bulk. `ministry`: its name in the ministry's system.
    """

    name: str
    kind: str
    label: Words
    help: Words = field(default_factory=dict)
    required: bool = False
    list: str = ""  # whose values it chooses from; of an added place: region or district
    options: tuple[Option, ...] = ()
    document: str = ""  # one of DOCUMENTS
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

    @property
    def source(self) -> str:
        """The list or the kind of places that it chooses from; "" when it chooses from none."""
        return self.list or (self.name if self.kind == "place" else "")

    @property
    def chosen(self) -> bool:
        """Whether it has a code and, under NAME_text, what stands in the field."""
        return self.kind in CHOSEN

    @property
    def names(self) -> tuple[str, ...]:
        """Under which names a form's values hold it."""
        return (self.name, f"{self.name}_text") if self.chosen else (self.name,)

    @property
    def longest(self) -> int:
        """How many letters it takes."""
        return self.most or (_LONGEST if self.kind in ("long", "comment") else 200)

    def called(self, locale: str) -> str:
        """Its label in the locale."""
        return _in(self.label, locale)

    def helped(self, locale: str) -> str:
        """What is said about it in the locale; "" when nothing is."""
        return _in(self.help, locale)


@dataclass(frozen=True)
class Definition:
    """A form in one version: its title and its fields, in order."""

    form: str
    version: int
    title: Words
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """The field of this name, or of this NAME_text."""
        return next((one for one in self.fields if name in (one.name, f"{one.name}_text")), None)

    @property
    def names(self) -> frozenset[str]:
        """All names that the form's values may have."""
        return frozenset(name for one in self.fields for name in one.names)

    def fields_of(self, kind: str = "", topic: str = "") -> tuple[Field, ...]:
        """The fields that are asked of a person or an entity, about a direction."""
        other = [one for one in ASKED_OF if kind and one != kind]
        return tuple(
            one
            for one in self.fields
            if one.asked_of not in other and (not one.topics or topic in one.topics)
        )


def parse(form: str, version: int, document: Mapping[str, Any]) -> Definition:
    """The definition that a document holds. Raises DefinitionError."""
    entries = document.get("fields")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_FIELDS:
        raise DefinitionError("fields")
    title = _words(document.get("title"), "title", whole=True)
    made = tuple(_field(entry) for entry in entries)
    names = [name for one in made for name in (one.name, f"{one.name}_text")]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DefinitionError("twice", twice)
    return Definition(form, version, title, made)


def document_of(definition: Definition) -> dict[str, Any]:
    """The document that parse() reads back to the same."""
    return {"title": dict(definition.title), "fields": [entry_of(f) for f in definition.fields]}


def entry_of(one: Field) -> dict[str, Any]:
    """One field as it stands in a document; what is as usual is left out."""
    usual = Field(one.name, one.kind, one.label)
    entry = {name: value for name, value in asdict(one).items() if value != getattr(usual, name)}
    entry |= {"name": one.name, "kind": one.kind, "label": dict(one.label)}
    if one.options:
        entry["options"] = [{"code": option.code} | dict(option.words) for option in one.options]
    if one.topics:
        entry["topics"] = [*one.topics]
    return entry


def _field(entry: Any) -> Field:
    if not isinstance(entry, Mapping):
        raise DefinitionError("fields")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DefinitionError("name", str(name)[:40])
    kinds = {one.name: type(getattr(_USUAL, one.name)) for one in fields(Field)}
    for key, value in entry.items():
        if key not in kinds:
            raise DefinitionError("unknown", name)
        if key not in ("label", "help", "options", "topics") and type(value) is not kinds[key]:
            raise DefinitionError("unknown", name)
    if "kind" not in entry:
        raise DefinitionError("kind", name)
    more = {key: value for key, value in entry.items() if key not in ("label", "help")}
    more["options"] = tuple(_option(one, name) for one in _listed(entry, "options", name))
    more["topics"] = tuple(str(one) for one in _listed(entry, "topics", name))
    made = Field(
        label=_words(entry.get("label"), name, whole=True),
        help=_words(entry.get("help", {}), name),
        **more,
    )
    if len({option.code for option in made.options}) < len(made.options):
        raise DefinitionError("options", name)
    if code := _trouble(made):
        raise DefinitionError(code, name)
    return made


def _trouble(one: Field) -> str:
    """The code of what is wrong with a field; "" when nothing is."""
    checks = {
        "kind": one.kind in KINDS,
        "list": bool(one.list)
        == (
            one.kind == "list"
            or (one.kind == "choice" and not one.options)
            or (one.kind == "place" and one.name not in PLACES)
        ),
        "options": one.kind == "choice" or not one.options,
        "place": one.kind != "place" or not one.list or one.list in OWN_PLACES,
        "document": (one.document in DOCUMENTS) if one.kind == "document" else not one.document,
        "asked_of": one.asked_of in ("", *ASKED_OF),
        "wide": 1 <= one.wide <= _WIDEST,
        "most": 0 <= one.most <= _LONGEST,
        "reserved": one.name not in ("csrf_token", "token", "version", "number", "elements"),
    }
    return next((code for code, holds in checks.items() if not holds), "")


def _option(entry: Any, name: str) -> Option:
    if not isinstance(entry, Mapping) or not isinstance(code := entry.get("code"), str) or not code:
        raise DefinitionError("options", name)
    words = {locale: text for locale, text in entry.items() if locale != "code"}
    return Option(code, _words(words, name, whole=True))


def _listed(entry: Mapping[str, Any], key: str, name: str) -> Iterable[Any]:
    value = entry.get(key, [])
    if not isinstance(value, list | tuple):
        raise DefinitionError(key, name)
    return value


def _words(value: Any, name: str, whole: bool = False) -> Words:
    """Texts by locale; `whole`: one in each."""
    texts = isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
    if not texts or not set(value) <= set(LOCALES):
        raise DefinitionError("words", name)
    if whole and not all(value.get(locale, "").strip() for locale in LOCALES):
        raise DefinitionError("words", name)
    return dict(value)


def _in(words: Words, locale: str) -> str:
    return words.get(locale) or words.get(DEFAULT, "")


_USUAL = Field("", "", {})
