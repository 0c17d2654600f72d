"""What a script is: steps with what is said, answers that branch, and when it is chosen (A8).

Each text is written once in Uzbek (Latin) and once in Russian. A step is named by a code that its
script gives once; the first step of the script is where it begins.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.core.i18n import N_, spelt

UZBEK, RUSSIAN = "uz", "ru"
LANGUAGES = (UZBEK, RUSSIAN)
# kinds of call that a script is chosen for
INCOMING, CALLBACK, FOLLOW_UP = "incoming", "callback", "follow_up"
CALLS = {
    INCOMING: N_("Incoming call"),
    CALLBACK: N_("Call back to a missed caller"),
    FOLLOW_UP: N_("Call out about an appeal"),
}
OPEN, CLOSED = "open", "closed"
HOURS = {OPEN: N_("in working hours"), CLOSED: N_("out of working hours")}
# kind of action → what it is called
ARTICLE, DEPARTMENT, EMPLOYEE, SMS, SPECIALIST = (
    "article",
    "department",
    "employee",
    "sms",
    "specialist",
)
ACTIONS = {
    ARTICLE: N_("Open an article"),
    DEPARTMENT: N_("Pass on to a department"),
    EMPLOYEE: N_("Pass on to an employee"),
    SMS: N_("Send a short message"),
    SPECIALIST: N_("Mark for a specialist"),
}
MOST_STEPS, MOST_ANSWERS, MOST_BESIDE = 200, 9, 12  # answers: one for each digit
LONGEST = {"title": 120, "name": 80, "said": 2000, "note": 1000, "words": 120}  # letters
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_REF = 120  # letters

type Words = Mapping[str, str]  # language → text


class DefinitionError(ValueError):
    """A document that is no script; `step` names where, `code` why (worded by the page)."""

    def __init__(self, code: str, step: str = "") -> None:
        super().__init__(f"{step}: {code}" if step else code)
        self.code, self.step = code, step


@dataclass(frozen=True)
class Answer:
    """What the caller may answer, and the step that it leads to."""

    words: Words
    to: str


@dataclass(frozen=True)
class Action:
    """What the operator can do at a step; `ref` says to which article, department and so on."""

    kind: str
    ref: str = ""


@dataclass(frozen=True)
class Step:
    """One step: what is said, a note for the operator, fields of the forms, actions, answers.

    `ends`: the script may end here. A step with one answer without words just goes on.
    """

    code: str
    name: Words
    said: Words = field(default_factory=dict)
    note: Words = field(default_factory=dict)
    fields: tuple[str, ...] = ()  # names of casework.forms
    actions: tuple[Action, ...] = ()
    answers: tuple[Answer, ...] = ()
    ends: bool = False

    @property
    def articles(self) -> tuple[str, ...]:
        """The names of the articles that can be opened at the step."""
        return tuple(one.ref for one in self.actions if one.kind == ARTICLE)

    def texts(self) -> Iterator[tuple[str, Words]]:
        """Every text of the step, by what it is: one of LONGEST."""
        yield from (("name", self.name), ("said", self.said), ("note", self.note))
        yield from (("words", answer.words) for answer in self.answers)


@dataclass(frozen=True)
class When:
    """For which calls a script is; what is empty holds for every call."""

    numbers: tuple[str, ...] = ()  # of ours, as they are dialled
    topics: tuple[str, ...] = ()  # of the menu, or directions of an appeal
    languages: tuple[str, ...] = ()
    hours: str = ""  # OPEN or CLOSED
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A script in one version."""

    title: Words
    when: When
    steps: tuple[Step, ...]

    def step(self, code: str) -> Step | None:
        """The step of this code."""
        return next((one for one in self.steps if one.code == code), None)

    def place(self, code: str) -> int:
        """Where a step stands, the first is 1; 0 for none."""
        return next((n for n, one in enumerate(self.steps, 1) if one.code == code), 0)

    @property
    def needed(self) -> tuple[str, ...]:
        """The languages in which it has to be written."""
        return self.when.languages or LANGUAGES


def parse(document: Any) -> Definition:
    """The script that a document holds. Raises DefinitionError."""
    entry = _mapping(document, {"title", "when", "steps"})
    entries = entry.get("steps")
    if not isinstance(entries, list | tuple) or not 0 < len(entries) <= MOST_STEPS:
        raise DefinitionError("steps")
    steps = tuple(_step(one) for one in entries)
    codes = [step.code for step in steps]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise DefinitionError("twice", twice)
    return Definition(_words(entry.get("title"), "title"), _when(entry.get("when", {})), steps)


def document_of(made: Definition) -> dict[str, Any]:
    """The document that parse() reads back to the same; what is empty is left out."""
    when = {name: value for name, value in vars(made.when).items() if value}
    steps = [entry_of(step) for step in made.steps]
    return {"title": dict(made.title), "when": _plain(when), "steps": steps}


def entry_of(step: Step) -> dict[str, Any]:
    """A step as it stands in a document."""
    entry: dict[str, Any] = {
        "code": step.code,
        "name": dict(step.name),
        "said": dict(step.said),
        "note": dict(step.note),
        "fields": [*step.fields],
        "actions": [{"kind": one.kind, "ref": one.ref} for one in step.actions],
        "answers": [{"words": dict(one.words), "to": one.to} for one in step.answers],
        "ends": step.ends,
    }
    return {name: value for name, value in entry.items() if value or name in ("code", "name")}


def _step(entry: Any) -> Step:
    known = {"code", "name", "said", "note", "fields", "actions", "answers", "ends"}
    entry = _mapping(entry, known)
    code = entry.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise DefinitionError("code", str(code)[:40])
    answers = _listed(entry, "answers", code, MOST_ANSWERS)
    return Step(
        code=code,
        name=_words(entry.get("name", {}), "name", code),
        said=_words(entry.get("said", {}), "said", code),
        note=_words(entry.get("note", {}), "note", code),
        fields=_texts(entry, "fields", code),
        actions=tuple(_action(one, code) for one in _listed(entry, "actions", code)),
        answers=tuple(_answer(one, code) for one in answers),
        ends=entry.get("ends", False) is True,
    )


def _answer(entry: Any, code: str) -> Answer:
    entry = _mapping(entry, {"words", "to"}, code)
    to = entry.get("to", "")
    if not isinstance(to, str) or (to and not _CODE.fullmatch(to)):
        raise DefinitionError("target", code)
    return Answer(_words(entry.get("words", {}), "words", code), to)


def _action(entry: Any, code: str) -> Action:
    entry = _mapping(entry, {"kind", "ref"}, code)
    kind, ref = entry.get("kind"), entry.get("ref", "")
    if kind not in ACTIONS or not isinstance(ref, str) or len(ref) > _REF:
        raise DefinitionError("action", code)
    return Action(kind, "" if kind == SPECIALIST else ref)


def _when(entry: Any) -> When:
    entry = _mapping(entry, {"numbers", "topics", "languages", "hours", "kinds"})
    made = When(
        numbers=_texts(entry, "numbers", ""),
        topics=_texts(entry, "topics", "", MOST_STEPS),
        languages=_texts(entry, "languages", ""),
        hours=entry.get("hours", ""),
        kinds=_texts(entry, "kinds", ""),
    )
    if not set(made.languages) <= set(LANGUAGES) or not set(made.kinds) <= set(CALLS):
        raise DefinitionError("when")
    if made.hours not in ("", *HOURS):
        raise DefinitionError("when")
    return made


def _words(value: Any, what: str, code: str = "") -> Words:
    texts = isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
    if not texts or not set(value) <= set(LANGUAGES):
        raise DefinitionError("words", code)
    made = {language: _tidy(text, language) for language, text in value.items()}
    if any(len(text) > LONGEST[what] for text in made.values()):
        raise DefinitionError("long", code)
    return {language: text for language, text in made.items() if text}


def _tidy(text: str, language: str) -> str:
    """The text without blanks at its ends and with Uzbek's own signs for oʻ, gʻ and ʼ."""
    lines = (" ".join(line.split()) for line in text.strip().splitlines())
    return "\n".join(spelt(line) if language == UZBEK else line for line in lines)


def _texts(
    entry: Mapping[str, Any], key: str, code: str, most: int = MOST_BESIDE
) -> tuple[str, ...]:
    found = _listed(entry, key, code, most)
    if not all(isinstance(one, str) and 0 < len(one) <= _REF for one in found):
        raise DefinitionError(key, code)
    return tuple(dict.fromkeys(found))


def _listed(
    entry: Mapping[str, Any], key: str, code: str, most: int = MOST_BESIDE
) -> tuple[Any, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list | tuple) or len(value) > most:
        raise DefinitionError(key, code)
    return tuple(value)


def _mapping(value: Any, known: Iterable[str], code: str = "") -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise DefinitionError("unknown", code)
    return value


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [*one] if isinstance(one, tuple) else one for name, one in values.items()}
