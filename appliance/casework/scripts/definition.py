"""The definition of a script: steps with texts, branching answers, and conditions of use (A8).

Each text is written once in Uzbek (Latin) and once in Russian. A step is identified by a code that
is unique in its script; the script begins at its first step.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.core.i18n import N_, normalize_apostrophes
from appliance.core.refusals import Refused

UZBEK, RUSSIAN = "uz", "ru"
LANGUAGES = (UZBEK, RUSSIAN)
# kinds of call that a script can be limited to
INCOMING, CALLBACK, FOLLOW_UP = "incoming", "callback", "follow_up"
CALL_KINDS = {
    INCOMING: N_("Incoming call"),
    CALLBACK: N_("Callback to a missed caller"),
    FOLLOW_UP: N_("Outgoing call about an appeal"),
}
OPEN, CLOSED = "open", "closed"
HOURS = {OPEN: N_("in working hours"), CLOSED: N_("outside working hours")}
# the kinds of action, with their labels
ARTICLE, DEPARTMENT, EMPLOYEE, SMS, SPECIALIST = (
    "article",
    "department",
    "employee",
    "sms",
    "specialist",
)
ACTIONS = {
    ARTICLE: N_("Open an article"),
    DEPARTMENT: N_("Transfer to a department"),
    EMPLOYEE: N_("Transfer to an employee"),
    SMS: N_("Send an SMS message"),
    SPECIALIST: N_("Mark for a specialist"),
}
# steps of a script; answers of a step, one for each digit; entries of any other list
MAX_STEPS, MAX_ANSWERS, MAX_LIST_LENGTH = 200, 9, 12
MAX_TEXT_LENGTHS = {"title": 120, "name": 80, "said": 2000, "note": 1000, "words": 120}  # letters
_CODE_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAX_REF_LENGTH = 120  # letters

type LocalizedTexts = Mapping[str, str]  # language → text


@dataclass(frozen=True)
class Answer:
    """An answer that the caller may give, and the code of the step that it leads to.

    In a draft, `to` may be "" or the code of a missing step: scripts.checks finds these errors.
    """

    words: LocalizedTexts
    to: str


@dataclass(frozen=True)
class Action:
    """An action offered to the operator at a step; `kind` is a key of ACTIONS.

    `ref` identifies what it is about: the slug of an article, the code of a department, the id of
    an employee or of an SMS template; "" for the kind SPECIALIST.
    """

    kind: str
    ref: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a script.

    `name`: its heading. `said`: what the operator says. `note`: a note for the operator. `fields`:
    the fields of the forms that are shown. `ends`: the script may end here. If the only answer has
    no words, the step simply continues with the next one.
    """

    code: str
    name: LocalizedTexts
    said: LocalizedTexts = field(default_factory=dict)
    note: LocalizedTexts = field(default_factory=dict)
    fields: tuple[str, ...] = ()  # names of fields in casework.forms
    actions: tuple[Action, ...] = ()
    answers: tuple[Answer, ...] = ()
    ends: bool = False

    @property
    def articles(self) -> tuple[str, ...]:
        """The slugs of the articles that can be opened at the step."""
        return tuple(action.ref for action in self.actions if action.kind == ARTICLE)

    def all_texts(self) -> Iterator[tuple[str, LocalizedTexts]]:
        """Yield (kind, texts) of every text of the step; the kind is a key of MAX_TEXT_LENGTHS."""
        yield from (("name", self.name), ("said", self.said), ("note", self.note))
        yield from (("words", answer.words) for answer in self.answers)


@dataclass(frozen=True)
class ScriptConditions:
    """The calls that a script is for; an empty condition holds for every call."""

    numbers: tuple[str, ...] = ()  # our own numbers, as dialled
    topics: tuple[str, ...] = ()  # codes of topics of the menu, or of directions of an appeal
    languages: tuple[str, ...] = ()  # of LANGUAGES
    hours: str = ""  # OPEN or CLOSED; "" for both
    kinds: tuple[str, ...] = ()  # keys of CALL_KINDS


@dataclass(frozen=True)
class Definition:
    """The content of one version of a script; `when` are the conditions under which it is used."""

    title: LocalizedTexts
    when: ScriptConditions
    steps: tuple[Step, ...]

    def find_step(self, code: str) -> Step | None:
        """Return the step with this code, if any."""
        return next((step for step in self.steps if step.code == code), None)

    def step_number(self, code: str) -> int:
        """Return the number of a step, from 1; 0 if there is no such step."""
        return next((number for number, step in enumerate(self.steps, 1) if step.code == code), 0)

    @property
    def required_languages(self) -> tuple[str, ...]:
        """The languages in which the script must be written."""
        return self.when.languages or LANGUAGES


def parse_definition(document: Any) -> Definition:
    """Parse a document (nested dicts and lists, as stored in JSON) into a script.

    Raises Refused if it is invalid. The code is the key of the invalid part, "twice" if two steps
    share a code, "unknown" for an unknown key, "words" or "long" for an invalid or too long text,
    "target" for the code of a step to which an answer leads; the subject is the code of the step.
    """
    entry = _checked_mapping(document, {"title", "when", "steps"})
    entries = entry.get("steps")
    if not isinstance(entries, list | tuple) or not 0 < len(entries) <= MAX_STEPS:
        raise Refused("steps")
    steps = tuple(_parse_step(raw_step) for raw_step in entries)
    codes = [step.code for step in steps]
    if duplicate := next((code for code in codes if codes.count(code) > 1), None):
        raise Refused("twice", subject=duplicate)
    return Definition(
        _parse_texts(entry.get("title"), "title"), _parse_conditions(entry.get("when", {})), steps
    )


def definition_document(script: Definition) -> dict[str, Any]:
    """Return the document that parse_definition() parses back into the same script.

    Empty parts are left out.
    """
    conditions = {name: value for name, value in vars(script.when).items() if value}
    steps = [step_entry(step) for step in script.steps]
    return {"title": dict(script.title), "when": _tuples_as_lists(conditions), "steps": steps}


def step_entry(step: Step) -> dict[str, Any]:
    """Return a step as an entry of the list `steps` of a document, without its empty parts."""
    entry: dict[str, Any] = {
        "code": step.code,
        "name": dict(step.name),
        "said": dict(step.said),
        "note": dict(step.note),
        "fields": [*step.fields],
        "actions": [{"kind": item.kind, "ref": item.ref} for item in step.actions],
        "answers": [{"words": dict(item.words), "to": item.to} for item in step.answers],
        "ends": step.ends,
    }
    return {name: value for name, value in entry.items() if value or name in ("code", "name")}


def _parse_step(entry: Any) -> Step:
    """Parse one step of a document. Raises Refused as parse_definition() does."""
    allowed_keys = {"code", "name", "said", "note", "fields", "actions", "answers", "ends"}
    entry = _checked_mapping(entry, allowed_keys)
    code = entry.get("code")
    if not isinstance(code, str) or not _CODE_PATTERN.fullmatch(code):
        raise Refused("code", subject=str(code)[:40])
    answers = _list_value(entry, "answers", code, MAX_ANSWERS)
    return Step(
        code=code,
        name=_parse_texts(entry.get("name", {}), "name", code),
        said=_parse_texts(entry.get("said", {}), "said", code),
        note=_parse_texts(entry.get("note", {}), "note", code),
        fields=_parse_names(entry, "fields", code),
        actions=tuple(_parse_action(item, code) for item in _list_value(entry, "actions", code)),
        answers=tuple(_parse_answer(item, code) for item in answers),
        ends=entry.get("ends", False) is True,
    )


def _parse_answer(entry: Any, code: str) -> Answer:
    """Parse one answer of the step `code`; the step it leads to may be missing: see checks.

    Raises Refused with the code "unknown", "target", "words" or "long" if it is invalid.
    """
    entry = _checked_mapping(entry, {"words", "to"}, code)
    target = entry.get("to", "")
    if not isinstance(target, str) or (target and not _CODE_PATTERN.fullmatch(target)):
        raise Refused("target", subject=code)
    return Answer(_parse_texts(entry.get("words", {}), "words", code), target)


def _parse_action(entry: Any, code: str) -> Action:
    """Parse one action of the step `code`.

    Raises Refused with the code "unknown" or "action" if it is invalid.
    """
    entry = _checked_mapping(entry, {"kind", "ref"}, code)
    kind, ref = entry.get("kind"), entry.get("ref", "")
    if kind not in ACTIONS or not isinstance(ref, str) or len(ref) > _MAX_REF_LENGTH:
        raise Refused("action", subject=code)
    return Action(kind, "" if kind == SPECIALIST else ref)


def _parse_conditions(entry: Any) -> ScriptConditions:
    """Parse the conditions of a script.

    Raises Refused with the code "unknown" for an unknown key, the name of a condition that is not a
    list of short texts, "when" for an unknown language, kind of call or time of day.
    """
    entry = _checked_mapping(entry, {"numbers", "topics", "languages", "hours", "kinds"})
    conditions = ScriptConditions(
        numbers=_parse_names(entry, "numbers", ""),
        topics=_parse_names(entry, "topics", "", MAX_STEPS),
        languages=_parse_names(entry, "languages", ""),
        hours=entry.get("hours", ""),
        kinds=_parse_names(entry, "kinds", ""),
    )
    if not set(conditions.languages) <= set(LANGUAGES) or not set(conditions.kinds) <= set(
        CALL_KINDS
    ):
        raise Refused("when")
    if conditions.hours not in ("", *HOURS):
        raise Refused("when")
    return conditions


def _parse_texts(value: Any, text_kind: str, code: str = "") -> LocalizedTexts:
    """Return a text in each of its languages, tidied, without empty ones.

    `text_kind` is a key of MAX_TEXT_LENGTHS, `code` that of the step. Raises Refused "words" for
    another type or language, "long" for a text that is too long.
    """
    is_text_mapping = isinstance(value, Mapping) and all(
        isinstance(text, str) for text in value.values()
    )
    if not is_text_mapping or not set(value) <= set(LANGUAGES):
        raise Refused("words", subject=code)
    tidied = {language: _tidy_text(text, language) for language, text in value.items()}
    if any(len(text) > MAX_TEXT_LENGTHS[text_kind] for text in tidied.values()):
        raise Refused("long", subject=code)
    return {language: text for language, text in tidied.items() if text}


def _tidy_text(text: str, language: str) -> str:
    """Return the text without superfluous blanks and with the Uzbek signs for oʻ, gʻ and ʼ."""
    lines = (" ".join(line.split()) for line in text.strip().splitlines())
    return "\n".join(normalize_apostrophes(line) if language == UZBEK else line for line in lines)


def _parse_names(
    entry: Mapping[str, Any], key: str, code: str, max_length: int = MAX_LIST_LENGTH
) -> tuple[str, ...]:
    """Return the distinct texts of the list under `key` in an entry, () if it is absent.

    `code` is that of the step. Raises Refused, with the key as its code, if it is no list of short
    texts or longer than `max_length`.
    """
    names = _list_value(entry, key, code, max_length)
    if not all(isinstance(name, str) and 0 < len(name) <= _MAX_REF_LENGTH for name in names):
        raise Refused(key, subject=code)
    return tuple(dict.fromkeys(names))


def _list_value(
    entry: Mapping[str, Any], key: str, code: str, max_length: int = MAX_LIST_LENGTH
) -> tuple[Any, ...]:
    """Return the list under `key` in an entry as a tuple, () if it is absent.

    `code` is that of the step. Raises Refused, with the key as its code, if it is no list or longer
    than `max_length`.
    """
    value = entry.get(key, [])
    if not isinstance(value, list | tuple) or len(value) > max_length:
        raise Refused(key, subject=code)
    return tuple(value)


def _checked_mapping(value: Any, allowed_keys: Iterable[str], code: str = "") -> Mapping[str, Any]:
    """Return the value if it is a mapping with only allowed keys, else raise Refused "unknown".

    `code` is that of the step which contains the value, "" for the script itself.
    """
    if not isinstance(value, Mapping) or not set(value) <= set(allowed_keys):
        raise Refused("unknown", subject=code)
    return value


def _tuples_as_lists(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with tuples as lists, for JSON."""
    return {name: [*value] if isinstance(value, tuple) else value for name, value in values.items()}
