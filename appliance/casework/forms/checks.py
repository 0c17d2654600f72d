"""Rules for a form that a site has changed; parse_definition() checks the rules for any form."""

import itertools
import re
from collections.abc import Collection
from dataclasses import replace

from appliance.casework import catalogs
from appliance.casework.forms.definition import ADDED_PLACE_KINDS, Definition, Field, LocalizedTexts
from appliance.casework.forms.versions import (
    CALL_FORM,
    FORMS,
    all_published_definitions,
    product_definition,
    stored_definition,
)
from appliance.core.i18n import DEFAULT_LOCALE, fold_text, is_in_script
from appliance.core.refusals import Refused
from appliance.core.settings import MINISTRY_FIELDS
from appliance.models import FormVersion

MAX_ADDED_TEXT_LENGTH = 2_000  # letters of an added field (web/shell/sizes.LINE)
MOST_OPTIONS = 6
MAX_LABEL_LENGTH, MAX_HELP_LENGTH, MAX_OPTION_LENGTH = 80, 200, 60  # letters
_CODE_PATTERN = re.compile(r"[a-z0-9_]{1,40}")
_MINISTRY_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# Names used next to a form's fields in tables, exports and requests.
RESERVED_NAMES = frozenset(
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


def check_definition(definition: Definition) -> None:
    """Raise Refused if a site may not change the product's form into this one.

    The subject is the field's name. Codes: "long" if the title is too long; "product" if a field of
    the product is missing, or differs in more than label, help, star (the mark of a required field)
    and `screen_only`; "star" if its star is missing; "kept" if a published field changes its kind,
    list or kind of document; "personal" if a field that was personal no longer is; "ministry" if
    the name in the ministry's system is used already; and those of _check_added_field(),
    _check_texts().
    """
    product_form = product_definition(definition.form)
    if not all(
        len(text) <= MAX_LABEL_LENGTH and text.isprintable() for text in definition.title.values()
    ):
        raise Refused("long", subject="title")
    for field in product_form.fields:
        current = definition.find_field(field.name)
        if not current or not _is_same_nature(field, current):
            raise Refused("product", subject=field.name)
        if field.required and not current.required:
            raise Refused("star", subject=field.name)
    published = published_added_fields()
    personal = {
        field.name
        for former in all_published_definitions()
        for field in former.fields
        if field.personal
    }
    ministry_names = [field.ministry for field in definition.fields if field.ministry]
    for field in definition.fields:
        if product_form.find_field(field.name):
            _check_texts(field)
            continue
        _check_added_field(field, definition.form)
        if field.name in published and published[field.name] != _fixed_attributes(field):
            raise Refused("kept", subject=field.name)
        if not field.personal and field.name in personal:
            raise Refused("personal", subject=field.name)
        if field.ministry and (
            ministry_names.count(field.ministry) > 1 or field.ministry in MINISTRY_FIELDS
        ):
            raise Refused("ministry", subject=field.name)


def published_added_fields() -> dict[str, tuple[str, ...]]:
    """Return the fixed attributes of every added field of both forms ever published, by name.

    They are its kind, list and kind of document. Added fields are those that are not in the
    product's form.
    """
    return {
        field.name: _fixed_attributes(field)
        for definition in all_published_definitions()
        for field in definition.fields
        if not product_definition(definition.form).find_field(field.name)
    }


def unavailable_names() -> frozenset[str]:
    """Return all names that a new field cannot have.

    They are the value names of all versions of both forms, and RESERVED_NAMES.
    """
    rows = FormVersion.select()
    names = frozenset(name for row in rows for name in stored_definition(row).value_names)
    return names.union(RESERVED_NAMES, *(product_definition(form).value_names for form in FORMS))


def available_name(label: str, unavailable: Collection[str]) -> str:
    """Return an available name derived from a label: ASCII letters, digits and underscores.

    If the name is in `unavailable`, or NAME_text is, a number is appended.
    """
    base = fold_text(label).replace(" ", "_")[:30].strip("_") or "field"
    base = base if base[0].isalpha() else f"f_{base}"
    names = (base if suffix == 1 else f"{base}_{suffix}" for suffix in itertools.count(1))
    return next(
        name for name in names if name not in unavailable and f"{name}_text" not in unavailable
    )


def _fixed_attributes(field: Field) -> tuple[str, ...]:
    """Return the attributes that may not change once a field was published.

    Registered values could not be interpreted by another kind, list or kind of document.
    """
    return field.kind, field.list, field.document


def _is_same_nature(product_field: Field, field: Field) -> bool:
    """Return True if the field differs from the product's only in what a site may change.

    That is its label, help text, star, and whether it is printed.
    """
    return (
        replace(
            field,
            label=product_field.label,
            help=product_field.help,
            required=product_field.required,
            screen_only=product_field.screen_only,
        )
        == product_field
    )


def _check_added_field(field: Field, form: str) -> None:
    """Raise Refused if a field that the manager added is not allowed.

    The code is the key, in the dict below, of the first rule that does not hold, or one of
    _check_texts(). Attributes that only fields of the product may have must be empty.
    """
    topics = set(catalogs.labels_by_code("direction", "ru"))
    lists = (*(catalog.code for catalog in catalogs.all_lists()), *ADDED_PLACE_KINDS)
    other_form = next(candidate for candidate in FORMS if candidate != form)
    # drafts hold the values of both forms under the same names
    conflicting = product_definition(other_form).find_field(field.name)
    checks = {
        "reserved": field.name not in RESERVED_NAMES
        and not field.name.endswith("_text")
        and not conflicting,
        "list": not field.list or field.list in lists,
        "options": not field.options
        or (
            2 <= len(field.options) <= MOST_OPTIONS
            and all(_CODE_PATTERN.fullmatch(option.code) for option in field.options)
        ),
        "topics": set(field.topics) <= topics,
        "asked_of": not field.asked_of or form != CALL_FORM,
        "most": field.max_length <= MAX_ADDED_TEXT_LENGTH,
        "ministry": not field.ministry or _MINISTRY_NAME_PATTERN.fullmatch(field.ministry),
        "given": not field.key and not field.given,
        "personal": field.kind != "document" or field.personal,
    }
    if code := next((code for code, holds in checks.items() if not holds), ""):
        raise Refused(code, subject=field.name)
    _check_texts(field)


def _check_texts(field: Field) -> None:
    """Raise Refused for an invalid label, help text or option of a field.

    The code is "long" if it is too long, "words" if it is not printable, "script" if it is in the
    wrong script.
    """
    texts = [(text, MAX_LABEL_LENGTH) for text in field.label.values()]
    texts += [(text, MAX_HELP_LENGTH) for text in field.help.values()]
    texts += [
        (text, MAX_OPTION_LENGTH) for option in field.options for text in option.words.values()
    ]
    if any(len(text) > limit for text, limit in texts):
        raise Refused("long", subject=field.name)
    if not all(text.isprintable() for text, _limit in texts):
        raise Refused("words", subject=field.name)
    for localized in (field.label, field.help, *(option.words for option in field.options)):
        _check_script(localized, field.name)


def _check_script(texts: LocalizedTexts, name: str) -> None:
    """Raise Refused "script" if a text is not in the script of its locale.

    No Cyrillic letter may be among Latin ones, and no Latin word in place of a Cyrillic one.
    """
    for locale, text in texts.items():
        if text and not is_in_script(text, "Latn" if locale == DEFAULT_LOCALE else "Cyrl"):
            raise Refused("script", subject=name)
