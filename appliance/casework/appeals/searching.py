"""Finding appeals by any three letters or digits of number, name, phone or gist, in any script."""

import re

from peewee import ModelSelect

from appliance.casework import forms
from appliance.core import phone_numbers
from appliance.core.i18n import fold
from appliance.models import Appeal, AppealText

SHORTEST = 3  # letters that the index can find
MOST = 10  # words of a search
_PHONE = re.compile(r"[\d\s()+-]+")
_NUMBER = re.compile(r"\d{4}-\d+")


def remember(appeal: Appeal) -> None:
    """Note what an appeal is found by, in place of what was noted before."""
    words = (
        *(appeal.number, appeal.surname, appeal.first_name, appeal.surname),
        *(appeal.entity_name, appeal.stir, appeal.gist),
        *forms.words(forms.of(forms.APPEAL, appeal.form_version), appeal.extra),
    )
    phones = (phone_numbers.digits(phone) for phone in (appeal.phone, appeal.phone_at_hand))
    text = " ".join(filter(None, (*map(fold, words), *phones)))
    AppealText.delete().where(AppealText.rowid == appeal.id).execute()
    AppealText.insert({AppealText.rowid: appeal.id, AppealText.text: text}).execute()


def terms(text: str) -> list[str]:
    """What is looked for: the words of three letters and more, or the digits of a phone."""
    if _PHONE.fullmatch(text.strip()) and not _NUMBER.fullmatch(text.strip()):
        found = [phone_numbers.digits(text)]
    else:
        found = fold(text).split()
    return [term for term in found if len(term) >= SHORTEST][:MOST]


def found(words: list[str]) -> ModelSelect:
    """The ids of appeals in which every one of the terms stands."""
    return AppealText.select(AppealText.rowid).where(
        AppealText.match(" ".join(f'"{word}"' for word in words))
    )
