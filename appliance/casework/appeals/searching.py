"""Finding appeals by number, name, phone or gist, in any script, with one or two typing errors."""

import re
from collections.abc import Mapping

from peewee import ModelSelect

from appliance.casework import forms
from appliance.casework.appeals import personal
from appliance.core import phone_numbers, search
from appliance.core.i18n import fold_text
from appliance.models import Appeal

INDEX_KIND = "appeal"
MIN_TERM_LENGTH = 3  # characters
MAX_TERMS = 10  # in one search
_PHONE = re.compile(r"[\d\s()+-]+")
_NUMBER = re.compile(r"\d{4}-\d+")


def index_appeal(appeal: Appeal, *former: str) -> None:
    """Write an appeal's index entry, replacing the previous one.

    `former` are texts that the appeal had before; their words are removed from the index's list of
    words unless another appeal contains them.
    """
    search.index_item(appeal_entry(appeal))
    if former:
        search.forget_words(INDEX_KIND, *former)


def appeal_entry(appeal: Appeal) -> search.SearchItem:
    """Return the index entry of an appeal; its text is not stored in the index.

    A personal appeal is found by its number only: a search must not reveal its contents.
    """
    names, text = (
        ((), "") if appeal.openness == personal.PERSONAL else _appeal_names_and_text(appeal)
    )
    return search.SearchItem(
        *(INDEX_KIND, appeal.number, appeal.number, text),
        names=tuple(filter(None, names)),
        row=appeal.id,
        stores_text=False,
    )


def searchable_text(appeal: Appeal) -> str:
    """Return all words by which an appeal can be found, also if it is personal."""
    names, text = _appeal_names_and_text(appeal)
    return _searchable_words(names, text)


def searchable_text_of_values(values: Mapping[str, object]) -> str:
    """Return all words by which a form's values can be found, e.g. those before a correction."""
    texts = {name: str(text) for name, text in values.items()}
    names = (
        f"{texts.get('surname', '')} {texts.get('first_name', '')}",
        texts.get("entity_name", ""),
    )
    return _searchable_words(names, " ".join(texts.values()))


def _searchable_words(names: tuple[str, ...], text: str) -> str:
    """Return names and text as one text; each name is added without spaces, as in the index."""
    return " ".join((*names, *(name.replace(" ", "") for name in names), text))


def _appeal_names_and_text(appeal: Appeal) -> tuple[tuple[str, ...], str]:
    """Return the names of an appeal's applicant, and its other searchable texts as one."""
    answers = forms.added_field_search_texts(
        forms.numbered_definition(forms.APPEAL_FORM, appeal.form_version), appeal.extra
    )
    phones = (
        phone_numbers.strip_separators(phone) for phone in (appeal.phone, appeal.phone_at_hand)
    )
    text = " ".join(filter(None, (appeal.stir, appeal.gist, *answers, *phones)))
    return (f"{appeal.surname} {appeal.first_name}", appeal.entity_name), text


def search_terms(text: str) -> list[str]:
    """Return the terms of a query: its words of three letters or more, or the digits of a phone.

    There are at most MAX_TERMS; the list is empty if the query is too short to be searched.
    """
    if _PHONE.fullmatch(text.strip()) and not _NUMBER.fullmatch(text.strip()):
        words = [phone_numbers.strip_separators(text)]
    else:
        words = fold_text(text).split()
    return [term for term in words if len(term) >= MIN_TERM_LENGTH][:MAX_TERMS]


def matching_ids(words: list[str]) -> ModelSelect:
    """Return the query of ids of the appeals that contain every one of the search_terms() `words`.

    If no appeal does, return those that contain a similar word for every term.
    """
    return search.matching_ids_query(" ".join(words), INDEX_KIND)
