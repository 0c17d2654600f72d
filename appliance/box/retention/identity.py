"""Identifies a citizen by all current and former data of their appeals and registered calls."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from appliance.core import phone_numbers
from appliance.core.i18n import fold_text
from appliance.messaging.notices import alert_subjects, gist
from appliance.models import (
    Appeal,
    AppealStep,
    AppealWording,
    Applicant,
    CallForm,
    CallFormWording,
)
from appliance.models.personal_columns import Kind

_NATIONAL_DIGITS = 9  # of a phone number within the country
_MIN_SURNAME_LETTERS = 3  # of a surname that is searched for on its own
_MIN_PHRASE_WORDS = 2  # of an address that is searched for on its own

type Fact = tuple[alert_subjects.Facts, tuple[str, str]]  # personal data; (surname, name)
type Redactor = Callable[[str], str]


@dataclasses.dataclass(frozen=True)
class Identity:
    """The data that identify a citizen. `phones` and `surnames` are those nobody else has."""

    alert: alert_subjects.AlertSubject
    people: frozenset[tuple[str, str]] = frozenset()  # (surname, first name)
    phones: frozenset[str] = frozenset()  # last nine digits
    surnames: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()  # numbers of the citizen's records and ids of their calls

    def redact_own_text(self, text: str) -> str:
        """Remove names, documents, numbers and birth dates from one of the citizen's own texts."""
        alert = dataclasses.replace(self.alert, gist=text)
        return gist.redact_person(alert, phones=False)

    def redact_shared_text(self, text: str) -> str:
        """Remove the citizen's data from a text that may also be about other people."""
        return gist.redact_known(text, self.alert, self.phones)

    def is_certain_mention(self, text: str) -> bool:
        """Whether a text certainly names the citizen: by document, phone, record, or full name."""
        if self.has_citizen_number(text):
            return True
        if any(_has_record_number(text, number) for number in self.records):
            return True
        return any(gist.find_names(text, pair) == set(pair) for pair in self.people)

    def has_citizen_number(self, text: str) -> bool:
        """Whether a text contains one of the citizen's documents or phone numbers."""
        return gist.contains_number(text, self.alert, self.phones)

    def is_possible_mention(self, text: str) -> bool:
        """Whether a text may name the citizen, also by a rare surname, a company or an address."""
        phrases = (
            phrase for phrase in self.alert.phrases if len(phrase.split()) >= _MIN_PHRASE_WORDS
        )
        names = (*self.surnames, *self.alert.firms, *phrases)
        return self.is_certain_mention(text) or bool(gist.find_names(text, names))


def identify_citizen(
    appeals: Sequence[Appeal], call_forms: Sequence[CallForm], calls: Sequence[str], phone: str
) -> Identity:
    """Identify a citizen by their records. `phone`: a number that only they use, or ""."""
    statements = [item for appeal in appeals for item in _appeal_facts(appeal)]
    statements += [item for call_form in call_forms for item in _call_form_facts(call_form)]
    alerts = [alert_subjects.subject_of_appeal(item) for item in appeals] + [
        alert_subjects.subject_of_call(call_form) for call_form in call_forms
    ]
    if not alerts:
        numbers = frozenset(filter(None, (_national_number(phone),)))
        return Identity(alert_subjects.EMPTY_SUBJECT, phones=numbers, records=frozenset(calls))
    alert = alert_subjects.add_personal_facts(alerts[0], *(facts for facts, _pair in statements))
    phrases = {text for facts, _pair in statements for text in facts.get(Kind.ADDRESS, ())}
    alert = dataclasses.replace(
        alert,
        phrases=tuple(sorted(phrases)),
        registered_at=max(item.registered_at for item in alerts),
    )
    people = frozenset(pair for _facts, pair in statements if all(pair))
    phones = {text for facts, _pair in statements for text in facts.get(Kind.PHONE, ())}
    own_phones = {number for number in phones if _is_own_phone(number, appeals)} | {phone}
    applicants = {appeal.applicant_id for appeal in appeals}
    surnames = {surname for surname, _name in people if _is_rare_surname(surname, applicants)}
    records = {row.number for row in (*appeals, *call_forms)}
    return Identity(
        alert,
        people,
        frozenset(filter(None, map(_national_number, own_phones))),
        frozenset(surnames),
        frozenset(records.union(calls)),
    )


def _appeal_facts(appeal: Appeal) -> Iterator[Fact]:
    """Yield the facts and the name in an appeal, its earlier versions and its extra fields."""
    rows: list[Mapping[str, Any]] = [appeal.__data__, appeal.typed]
    rows += [
        wording.values for wording in AppealWording.select().where(AppealWording.appeal == appeal)
    ]
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        changes = step.detail.get("changes", {})
        rows += [{column: pair[index] for column, pair in changes.items()} for index in (0, 1)]
    for values in rows:
        yield alert_subjects.personal_facts(Appeal, values), _name_pair(values)
    yield alert_subjects.added_field_facts(appeal), ("", "")


def _call_form_facts(call_form: CallForm) -> Iterator[Fact]:
    """Yield the facts and the name in a registered call, its earlier versions and extra fields."""
    past_wordings = CallFormWording.select().where(CallFormWording.call_form == call_form)
    past_values = (wording.values for wording in past_wordings)
    for values in (call_form.__data__, call_form.typed, *past_values):
        yield alert_subjects.personal_facts(CallForm, values), _name_pair(values)
    yield alert_subjects.added_field_facts(call_form), ("", "")


def _name_pair(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the (surname, first name) in the values of one row."""
    return str(values.get("surname") or ""), str(values.get("first_name") or "")


def _has_record_number(text: str, number: str) -> bool:
    """Whether a text contains a record's number or id, and not only as a part of another one."""
    return bool(re.search(rf"(?<![\w.]){re.escape(number)}(?!\w|\.\d)", text))


def _national_number(phone: str) -> str:
    """Return the last nine digits of a phone number; "" if it has fewer."""
    digits = "".join(filter(str.isdigit, phone_numbers.canonical_number(phone) or phone))[
        -_NATIONAL_DIGITS:
    ]
    return digits if len(digits) == _NATIONAL_DIGITS else ""


def _is_own_phone(phone: str, appeals: Sequence[Appeal]) -> bool:
    """Whether no appeal other than `appeals` has this phone number."""
    stored_phone = phone_numbers.canonical_number(phone) or phone
    has_phone = (Appeal.phone == stored_phone) | (Appeal.phone_at_hand == stored_phone)
    other_appeals = Appeal.select().where(
        has_phone, Appeal.id.not_in([appeal.id for appeal in appeals])
    )
    return not other_appeals.exists()


def _is_rare_surname(surname: str, applicants: set[int]) -> bool:
    """Whether no applicant other than `applicants` has this surname."""
    key = fold_text(surname)
    if len(key) < _MIN_SURNAME_LETTERS:
        return False
    has_surname = Applicant.search_key.contains(key)
    return not Applicant.select().where(has_surname, Applicant.id.not_in(applicants)).exists()
