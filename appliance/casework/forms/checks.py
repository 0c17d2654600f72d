"""What a form may not be once people change it; what any form must be says definition.parse()."""

import itertools
import re
from collections.abc import Collection
from dataclasses import replace

from appliance.casework import catalogs
from appliance.casework.forms.definition import (
    OWN_PLACES,
    Definition,
    DefinitionError,
    Field,
    Words,
)
from appliance.casework.forms.versions import CALL, FORMS, definition_of, every, product
from appliance.core.i18n import DEFAULT, fold, written_in
from appliance.core.settings import MINISTRY_FIELDS
from appliance.models import FormVersion

LONGEST = 2_000  # letters of an added field, as the pages take them (web/shell/sizes.LINE)
MOST_OPTIONS = 6
LABEL, HELP, OPTION = 80, 200, 60  # letters
_CODE = re.compile(r"[a-z0-9_]{1,40}")
_MINISTRY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# Names that stand beside a form's fields in tables, exports and requests.
RESERVED = frozenset(
    (
        *("number", "version", "form", "fields", "call", "call_id", "operator", "received_at"),
        *("registered_at", "registered_on", "state", "department", "due_on", "forward_by"),
        *("answered_on", "changed_at", "holder", "steps", "applicant", "handling", "extra"),
        *("warnings", "typed", "token", "form_version", "appeal_number", "search_key", "id"),
        *("born_on", "consultation", "consultation_issue", "consultation_contact", "silent"),
        *("values", "base", "aside", "at", "elements", "action", "method", "name", "submit"),
        *("new", "reset", "length", "target", "csrf_token", "answer", "til", "refused"),
    )
)


def check(made: Definition) -> None:
    """Raise DefinitionError when people may not make such a form of the one that there is."""
    own = product(made.form)
    if not all(len(text) <= LABEL and text.isprintable() for text in made.title.values()):
        raise DefinitionError("long", "title")
    for field in own.fields:
        now = made.field(field.name)
        if not now or not _same(field, now):
            raise DefinitionError("product", field.name)
        if field.required and not now.required:
            raise DefinitionError("star", field.name)
    in_use = used()
    personal = {field.name for former in every() for field in former.fields if field.personal}
    sent = [field.ministry for field in made.fields if field.ministry]
    for field in made.fields:
        if own.field(field.name):
            _check_words(field)
            continue
        _check_added(field, made.form)
        if field.name in in_use and in_use[field.name] != _nature(field):
            raise DefinitionError("kept", field.name)
        if not field.personal and field.name in personal:
            raise DefinitionError("personal", field.name)
        if field.ministry and (sent.count(field.ministry) > 1 or field.ministry in MINISTRY_FIELDS):
            raise DefinitionError("ministry", field.name)


def used() -> dict[str, tuple[str, ...]]:
    """The fields that were added to either form and ever in force → what is fixed of each."""
    return {
        field.name: _nature(field)
        for definition in every()
        for field in definition.fields
        if not product(definition.form).field(field.name)
    }


def taken() -> frozenset[str]:
    """All names that a new field cannot have."""
    rows = FormVersion.select()
    names = frozenset(name for row in rows for name in definition_of(row).names)
    return names.union(RESERVED, *(product(form).names for form in FORMS))


def free(label: str, taken: Collection[str]) -> str:
    """A name made of a label that is not taken: ASCII letters, digits and underscores."""
    made = fold(label).replace(" ", "_")[:30].strip("_") or "field"
    made = made if made[0].isalpha() else f"f_{made}"
    names = (made if n == 1 else f"{made}_{n}" for n in itertools.count(1))
    return next(name for name in names if name not in taken and f"{name}_text" not in taken)


def _nature(field: Field) -> tuple[str, ...]:
    return field.kind, field.list, field.document


def _same(own: Field, now: Field) -> bool:
    return replace(now, label=own.label, help=own.help, required=own.required) == own


def _check_added(field: Field, form: str) -> None:
    topics = set(catalogs.labels("direction", "ru"))
    lists = (*(one.code for one in catalogs.lists()), *OWN_PLACES)
    other = next(f for f in FORMS if f != form)
    known = product(other).field(field.name)
    checks = {
        "reserved": field.name not in RESERVED and not field.name.endswith("_text") and not known,
        "list": not field.list or field.list in lists,
        "options": not field.options
        or (
            2 <= len(field.options) <= MOST_OPTIONS
            and all(_CODE.fullmatch(option.code) for option in field.options)
        ),
        "topics": set(field.topics) <= topics,
        "asked_of": not field.asked_of or form != CALL,
        "most": field.longest <= LONGEST,
        "ministry": not field.ministry or _MINISTRY.fullmatch(field.ministry),
        "given": not field.key and not field.given,
        "personal": field.kind != "document" or field.personal,
    }
    if code := next((code for code, holds in checks.items() if not holds), ""):
        raise DefinitionError(code, field.name)
    _check_words(field)


def _check_words(field: Field) -> None:
    texts = [(text, LABEL) for text in field.label.values()]
    texts += [(text, HELP) for text in field.help.values()]
    texts += [(text, OPTION) for one in field.options for text in one.words.values()]
    if any(len(text) > most for text, most in texts):
        raise DefinitionError("long", field.name)
    if not all(text.isprintable() for text, _most in texts):
        raise DefinitionError("words", field.name)
    for words in (field.label, field.help, *(one.words for one in field.options)):
        _check_script(words, field.name)


def _check_script(words: Words, name: str) -> None:
    """No Cyrillic letter among Latin ones, no Latin word in place of a Cyrillic one."""
    for locale, text in words.items():
        if text and not written_in(text, "Latn" if locale == DEFAULT else "Cyrl"):
            raise DefinitionError("script", name)
