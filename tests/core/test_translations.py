"""The catalogues contain exactly the texts of the sources, all of them translated."""

import re
import string
from pathlib import Path

import polib
import pytest

from appliance.core.i18n import LOCALES
from provisioning.local import translations

_PERCENT = re.compile(r"%\([a-z_]+\)s|%%")
_ASCII_APOSTROPHE = re.compile(r"[a-zA-Z]['\u2018\u2019`][a-zA-Z]")


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def catalogue(locale: str) -> polib.POFile:
    return polib.pofile(str(translations.catalogue_file(locale)))


def test_the_catalogues_are_up_to_date(locale: str) -> None:
    stored_text = translations.catalogue_file(locale).read_text("utf-8")
    assert stored_text == translations.updated_catalogue(locale), (
        "run python -m provisioning.local.translations update"
    )


def test_every_text_is_translated(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert [entry.msgid for entry in catalogue.obsolete_entries()] == []
    plurals = {e.msgid: e.msgstr_plural for e in catalogue if e.msgid_plural}
    assert [text for text, forms in plurals.items() if not all(forms.values())] == []


def test_translations_have_the_placeholders_of_the_text(catalogue: polib.POFile) -> None:
    wrong = [
        (entry.msgid, text)
        for entry in catalogue
        for text in _entry_texts(entry)
        if _placeholders(text)
        not in (_placeholders(entry.msgid), _placeholders(entry.msgid_plural))
    ]
    assert wrong == []


def test_translations_have_the_spaces_and_full_stops_of_the_text(catalogue: polib.POFile) -> None:
    wrong = [
        (entry.msgid, text)
        for entry in catalogue
        for text in _entry_texts(entry)
        if text != text.strip() or text.endswith(".") != entry.msgid.endswith(".")
    ]
    assert wrong == []


def test_uzbek_latin_texts_use_uzbek_letters() -> None:
    catalogue = polib.pofile(str(translations.catalogue_file("uz_Latn")))
    texts = [text for entry in catalogue for text in _entry_texts(entry)]
    assert [text for text in texts if _ASCII_APOSTROPHE.search(text)] == []
    assert [text for text in texts if re.search(r"[\u0400-\u04ff]", text)] == []


@pytest.mark.parametrize("locale", ["uz_Cyrl", "ru"])
def test_cyrillic_texts_contain_no_latin_letters(locale: str) -> None:
    catalogue = polib.pofile(str(translations.catalogue_file(locale)))
    mixed = re.compile(r"[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z]")
    assert [text for entry in catalogue for text in _entry_texts(entry) if mixed.search(text)] == []


def test_the_texts_of_a_merge_conflict_are_both_kept(tmp_path: Path, monkeypatch) -> None:
    ours, theirs = 'msgid "Calls"\nmsgstr "Звонки"\n', 'msgid "Send"\nmsgstr "Отправить"\n'
    merged = f"<<<<<<< ours\n{ours}\n=======\n{theirs}>>>>>>> theirs\n"
    file = tmp_path / "ru" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text(merged, "utf-8")
    monkeypatch.setattr(translations, "CATALOGUES", tmp_path)
    texts = polib.pofile(translations.updated_catalogue("ru"))
    assert texts.find("Calls").msgstr == "Звонки"
    assert texts.find("Send").msgstr == "Отправить"


def _entry_texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def _placeholders(text: str) -> set[str]:
    braces = {field for _, field, _, _ in string.Formatter().parse(text) if field}
    return braces | set(_PERCENT.findall(text))


def test_no_latin_mark_follows_a_cyrillic_letter() -> None:
    texts = [translations.catalogue_file("uz_Cyrl")]
    texts += (translations.ROOT / "appliance/reports/templates").glob("uz_Cyrl.toml")
    for file in texts:
        assert not re.search("[\u0400-\u04ff]\u02bb", file.read_text("utf-8")), file
