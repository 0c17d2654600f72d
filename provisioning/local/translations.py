"""The catalogues of the pages' texts.

    python -m provisioning.local.translations update    adds new texts, drops removed ones
    python -m provisioning.local.translations compile   makes the .mo files that the pages read
    python -m provisioning.local.translations check     reports missing and unused texts

Run `update` after adding a text, then fill the empty msgstr in each language. A catalogue has no
line numbers and no dates and is sorted, so two people's new texts seldom conflict.
"""

import argparse
import io
import re
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "appliance" / "translations"
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "lazy_ngettext": (1, 2),
}
_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={plural.num_plurals}; plural={plural.plural_expr};\\n"

"""


def catalogue_file(locale: str, suffix: str = "po") -> Path:
    """The file of a locale's catalogue."""
    return CATALOGUES / locale / "LC_MESSAGES" / f"messages.{suffix}"


def extract_texts() -> Catalog:
    """Every text of the sources, not translated."""
    with (ROOT / "babel.cfg").open("r") as config:
        methods, options = parse_mapping_cfg(config)
    catalogue = Catalog(charset="utf-8")
    for _file, _line, text, _comments, context in extract_from_dir(
        ROOT, methods, options, KEYWORDS, directory_filter=_is_source
    ):
        catalogue.add(text, context=context)
    return catalogue


def updated_catalogue(locale: str) -> str:
    """The contents of a locale's catalogue with exactly the texts of the sources, sorted."""
    stored = read_catalogue(locale)
    catalogue = Catalog(locale=locale, charset="utf-8")
    for text in extract_texts():
        if text.id:
            catalogue.add(text.id, _stored_translation(stored, text), context=text.context)
    body = io.BytesIO()
    write_po(body, catalogue, no_location=True, omit_header=True, sort_output=True, width=100)
    header = _HEADER.format(language=locale, plural=get_plural(locale))
    return header + body.getvalue().decode()


def read_catalogue(locale: str) -> Catalog:
    """The stored catalogue of a locale; an empty one if there is no file."""
    file = catalogue_file(locale)
    if not file.is_file():
        return Catalog(locale=locale)
    # two people's additions merged by git may leave a text twice: the translated one is used
    return read_po(io.StringIO(_without_conflicts(file.read_text("utf-8"))), locale=locale)


def update_catalogues() -> None:
    """Update every catalogue to the texts of the sources."""
    for locale in LOCALES:
        file = catalogue_file(locale)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = updated_catalogue(locale)
        file.write_text(text, "utf-8")
        print(f"{locale}: {text.count('\nmsgstr ""\n\n')} to translate")


def catalogue_faults() -> list[str]:
    """The faults: catalogues that differ from the sources, texts not translated."""
    faults = [
        f"{catalogue_file(locale).relative_to(ROOT)} is not what the sources say: run update"
        for locale in LOCALES
        if not catalogue_file(locale).is_file()
        or catalogue_file(locale).read_text("utf-8") != updated_catalogue(locale)
    ]
    return faults + [
        f"{locale}: not translated: {text.id}"
        for locale in LOCALES
        for text in read_catalogue(locale)
        if text.id and not all(_translation_forms(text))
    ]


def check_catalogues() -> None:
    """Exit with the list of faults, if there are any."""
    if faults := catalogue_faults():
        raise SystemExit("\n".join(faults))


def compile_catalogues() -> None:
    """Write the .mo files that are missing or older than their catalogue."""
    for locale in LOCALES:
        source, target = catalogue_file(locale), catalogue_file(locale, "mo")
        if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, read_catalogue(locale))


def _translation_forms(text: Message) -> tuple[str, ...]:
    """The translation, or each of its forms by number."""
    return tuple(text.string) if isinstance(text.string, (tuple, list)) else (text.string or "",)


def _stored_translation(stored: Catalog, text: Message) -> Any:
    """The stored translation of a text, or an empty one with as many forms as the text needs."""
    message = stored.get(text.id, text.context)
    empty = ("",) * stored.num_plurals if text.pluralizable else ""
    is_usable = message and message.string and message.pluralizable == text.pluralizable
    return message.string if message and is_usable else empty


def _is_source(folder: str) -> bool:
    name = Path(folder).name
    return not (name.startswith(".") or name in ("node_modules", "built", "tests", "provisioning"))


def _without_conflicts(text: str) -> str:
    return re.sub(r"^(<{7}|={7}|>{7}).*\n", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    commands = {
        "update": update_catalogues,
        "compile": compile_catalogues,
        "check": check_catalogues,
    }
    parser = argparse.ArgumentParser(description="The catalogues of the pages' texts.")
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args().command]()
