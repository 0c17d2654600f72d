"""Identifies a citizen by all present and former data of their appeals and registered calls."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from appliance.casework import forms
from appliance.core import phone_numbers
from appliance.core.i18n import fold
from appliance.messaging.notices import alerted, gist
from appliance.models import (
    Appeal,
    AppealStep,
    AppealWording,
    Applicant,
    CallForm,
    CallFormWording,
    Mahalla,
    personal_columns,
)
from appliance.models.personal_columns import Kind

_NATIONAL = 9  # digits of a number in the country
_SHORTEST = 3  # letters of a surname that is looked for by itself
_PHRASE = 2  # words of an address that is looked for by itself

type Facts = dict[Kind, list[str]]
type Cut = Callable[[str], str]


@dataclasses.dataclass(frozen=True)
class Identity:
    """What identifies a citizen. `phones`, `surnames`: those that nobody else has."""

    alert: alerted.Alerted
    people: frozenset[tuple[str, str]] = frozenset()  # surname, name
    phones: frozenset[str] = frozenset()  # their last nine digits
    surnames: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()  # numbers of the citizen's records, ids of their calls

    def without(self, text: str) -> str:
        """One of the citizen's own texts without names, documents, numbers and dates of birth."""
        alert = dataclasses.replace(self.alert, gist=text)
        return gist.without_person(alert, phones=False)

    def cut(self, text: str) -> str:
        """A text that may also be about others, with the citizen's data cut out."""
        return gist.without_known(text, self.alert, self.phones)

    def is_his(self, text: str) -> bool:
        """Whether a text certainly names the citizen: by document, phone, or surname and name."""
        if self.has_number(text):
            return True
        if any(_names_record(text, number) for number in self.records):
            return True
        return any(gist.names_in(text, pair) == set(pair) for pair in self.people)

    def has_number(self, text: str) -> bool:
        """Whether one of the citizen's documents or phones is in a text."""
        return gist.has_number(text, self.alert, self.phones)

    def is_named(self, text: str) -> bool:
        """Whether a text may name the citizen: also by a rare surname, a firm, an address."""
        phrases = (one for one in self.alert.phrases if len(one.split()) >= _PHRASE)
        names = (*self.surnames, *self.alert.firms, *phrases)
        return self.is_his(text) or bool(gist.names_in(text, names))


def of(
    appeals: Sequence[Appeal], call_forms: Sequence[CallForm], calls: Sequence[str], phone: str
) -> Identity:
    """Identify a citizen by their records. `phone`: a number that only they use, or ""."""
    statements = [one for appeal in appeals for one in _of_appeal(appeal)]
    statements += [one for made in call_forms for one in _of_call_form(made)]
    alerts = [alerted.of_appeal(one) for one in appeals] + [alerted.of_call(c) for c in call_forms]
    if not alerts:
        numbers = frozenset(filter(None, (_national(phone),)))
        return Identity(alerted.NOBODY, phones=numbers, records=frozenset(calls))
    alert = alerted.with_facts(alerts[0], *(facts for facts, _pair in statements))
    phrases = {text for facts, _pair in statements for text in facts.get(Kind.ADDRESS, ())}
    alert = dataclasses.replace(
        alert,
        phrases=tuple(sorted(phrases)),
        registered_at=max(one.registered_at for one in alerts),
    )
    people = frozenset(pair for _facts, pair in statements if all(pair))
    phones = {text for facts, _pair in statements for text in facts.get(Kind.PHONE, ())}
    own_phones = {number for number in phones if _is_only_in(number, appeals)} | {phone}
    applicants = {appeal.applicant_id for appeal in appeals}
    surnames = {surname for surname, _name in people if _is_rare(surname, applicants)}
    records = {row.number for row in (*appeals, *call_forms)}
    return Identity(
        alert,
        people,
        frozenset(filter(None, map(_national, own_phones))),
        frozenset(surnames),
        frozenset(records.union(calls)),
    )


def _of_appeal(appeal: Appeal) -> Iterator[tuple[Facts, tuple[str, str]]]:
    columns = {name: getattr(appeal, name) for name in personal_columns.names(Appeal)}
    columns["mahalla"] = appeal.mahalla_id
    rows: list[Mapping[str, Any]] = [columns, appeal.typed]
    rows += [one.values for one in AppealWording.select().where(AppealWording.appeal == appeal)]
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        changes = step.detail.get("changes", {})
        rows += [{n: pair[place] for n, pair in changes.items()} for place in (0, 1)]
    for values in rows:
        yield _facts_of(Appeal, values)
    yield _added(forms.APPEAL, appeal.form_version, appeal.extra)


def _of_call_form(made: CallForm) -> Iterator[tuple[Facts, tuple[str, str]]]:
    columns = {name: getattr(made, name) for name in personal_columns.names(CallForm)}
    past = CallFormWording.select().where(CallFormWording.call_form == made)
    for values in (columns, made.typed, *(one.values for one in past)):
        yield _facts_of(CallForm, values)
    yield _added(forms.CALL, made.version, made.extra)


def _facts_of(
    table: type[Appeal | CallForm], values: Mapping[str, Any]
) -> tuple[Facts, tuple[str, str]]:
    pair = str(values.get("surname") or ""), str(values.get("first_name") or "")
    named = {name: text for name, text in values.items() if name != "mahalla"}
    if mahalla := values.get("mahalla_text") or _typed_mahalla(values.get("mahalla")):
        named["mahalla"] = mahalla
    return alerted.facts(table, named), pair


def _added(form: str, version: int, extra: Mapping[str, Any]) -> tuple[Facts, tuple[str, str]]:
    """What the manager's own fields say of the person."""
    kinds = {"name": Kind.NAME, "phone": Kind.PHONE, "document": Kind.DOCUMENT, "date": Kind.BIRTH}
    facts: Facts = {}
    for field in forms.of(form, version).fields:
        if field.personal and (held := extra.get(field.name)) and held["text"]:
            facts.setdefault(kinds.get(field.kind, Kind.ADDRESS), []).append(held["text"])
    return facts, ("", "")


def _typed_mahalla(held: Any) -> str:
    """The name of a typed mahalla by its id, as columns or values hold it; "" of a listed one."""
    if not str(held or "").isdigit():
        return ""
    typed = Mahalla.get_or_none(Mahalla.id == int(held), Mahalla.typed)
    return typed.name_uz_latn if typed else ""


def _names_record(text: str, number: str) -> bool:
    """Whether the number or id of a record is in a text, and not the beginning of another."""
    return bool(re.search(rf"(?<![\w.]){re.escape(number)}(?!\w|\.\d)", text))


def _national(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone_numbers.canonical(phone) or phone))[-_NATIONAL:]
    return digits if len(digits) == _NATIONAL else ""


def _is_only_in(phone: str, appeals: Sequence[Appeal]) -> bool:
    """Whether no other appeal has a number."""
    kept = phone_numbers.canonical(phone) or phone
    theirs = (Appeal.phone == kept) | (Appeal.phone_at_hand == kept)
    others = Appeal.select().where(theirs, Appeal.id.not_in([one.id for one in appeals]))
    return not others.exists()


def _is_rare(surname: str, applicants: set[int]) -> bool:
    """Whether no other applicant has a surname."""
    key = fold(surname)
    if len(key) < _SHORTEST:
        return False
    alike = Applicant.search_key.contains(key)
    return not Applicant.select().where(alike, Applicant.id.not_in(applicants)).exists()
