"""Finding appeals by number, name, phone or gist, in any script, one letter wrong or two."""

import re
from collections.abc import Mapping

from peewee import ModelSelect

from appliance.casework import forms
from appliance.casework.appeals import personal
from appliance.core import phone_numbers, search
from appliance.core.i18n import fold
from appliance.models import Appeal

KIND = "appeal"
SHORTEST = 3  # letters of a word that is looked for
MOST = 10  # words of a search
_PHONE = re.compile(r"[\d\s()+-]+")
_NUMBER = re.compile(r"\d{4}-\d+")


def remember(appeal: Appeal, *former: str) -> None:
    """Note what an appeal is found by, in place of what was noted before.

    `former`: texts that it had. Their words are listed no more if no other appeal has them.
    """
    search.put(entry_of(appeal))
    if former:
        search.forget(KIND, *former)


def entry_of(appeal: Appeal) -> search.Entry:
    """What an appeal is found by; its text stays with the appeal.

    A personal one by its number alone: nobody learns by searching what it says.
    """
    names, text = ((), "") if appeal.openness == personal.PERSONAL else _names_and_text(appeal)
    return search.Entry(
        *(KIND, appeal.number, appeal.number, text),
        names=tuple(filter(None, names)),
        row=appeal.id,
        kept=False,
    )


def words_of(appeal: Appeal) -> str:
    """All words of an appeal that a search may look for."""
    names, text = _names_and_text(appeal)
    return _joined(names, text)


def words_of_values(values: Mapping[str, object]) -> str:
    """The same by the values of a form, as a wording keeps them."""
    held = {name: str(text) for name, text in values.items()}
    names = f"{held.get('surname', '')} {held.get('first_name', '')}", held.get("entity_name", "")
    return _joined(names, " ".join(held.values()))


def _joined(names: tuple[str, ...], text: str) -> str:
    """Names are found as one word, too."""
    return " ".join((*names, *(name.replace(" ", "") for name in names), text))


def _names_and_text(appeal: Appeal) -> tuple[tuple[str, ...], str]:
    """(names, text)."""
    answers = forms.words(forms.of(forms.APPEAL, appeal.form_version), appeal.extra)
    phones = (phone_numbers.digits(phone) for phone in (appeal.phone, appeal.phone_at_hand))
    text = " ".join(filter(None, (appeal.stir, appeal.gist, *answers, *phones)))
    return (f"{appeal.surname} {appeal.first_name}", appeal.entity_name), text


def terms(text: str) -> list[str]:
    """What is looked for: the words of three letters and more, or the digits of a phone."""
    if _PHONE.fullmatch(text.strip()) and not _NUMBER.fullmatch(text.strip()):
        found = [phone_numbers.digits(text)]
    else:
        found = fold(text).split()
    return [term for term in found if len(term) >= SHORTEST][:MOST]


def found(words: list[str]) -> ModelSelect:
    """The ids of appeals in which every one of the terms stands, or nearly so when none has it."""
    return search.rows(" ".join(words), KIND)
