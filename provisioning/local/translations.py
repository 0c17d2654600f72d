"""The catalogues of the pages' texts.

    python -m provisioning.local.translations update    takes new texts in, drops those gone
    python -m provisioning.local.translations compile   makes the .mo files that the pages read
    python -m provisioning.local.translations check     tells what is missing or no longer used

Run `update` after adding a text, then fill the empty msgstr in each language. A catalogue has no
line numbers and no dates and is sorted, so two people's new texts seldom meet in one place.
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


def file_of(locale: str, suffix: str = "po") -> Path:
    """The catalogue of a locale."""
    return CATALOGUES / locale / "LC_MESSAGES" / f"messages.{suffix}"


def extracted() -> Catalog:
    """Every text of the sources, not translated."""
    with (ROOT / "babel.cfg").open("r") as config:
        methods, options = parse_mapping_cfg(config)
    found = Catalog(charset="utf-8")
    for _file, _line, text, _comments, context in extract_from_dir(
        ROOT, methods, options, KEYWORDS, directory_filter=_is_source
    ):
        found.add(text, context=context)
    return found


def updated(locale: str) -> str:
    """The catalogue file of a locale with exactly the texts of the sources, sorted."""
    known = read(locale)
    fresh = Catalog(locale=locale, charset="utf-8")
    for text in extracted():
        if text.id:
            fresh.add(text.id, _kept(known, text), context=text.context)
    body = io.BytesIO()
    write_po(body, fresh, no_location=True, omit_header=True, sort_output=True, width=100)
    header = _HEADER.format(language=locale, plural=get_plural(locale))
    return header + body.getvalue().decode()


def read(locale: str) -> Catalog:
    """The catalogue as it stands; an empty one when there is none."""
    file = file_of(locale)
    if not file.is_file():
        return Catalog(locale=locale)
    # two people's additions merged by git may leave one text twice: the translated one counts
    return read_po(io.StringIO(_without_conflicts(file.read_text("utf-8"))), locale=locale)


def update() -> None:
    """Bring every catalogue up to the sources."""
    for locale in LOCALES:
        file = file_of(locale)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = updated(locale)
        file.write_text(text, "utf-8")
        print(f"{locale}: {text.count('\nmsgstr ""\n\n')} to translate")


def drifted() -> list[str]:
    """What is wrong: catalogues that differ from the sources, texts not translated."""
    found = [
        f"{file_of(locale).relative_to(ROOT)} is not what the sources say: run update"
        for locale in LOCALES
        if not file_of(locale).is_file() or file_of(locale).read_text("utf-8") != updated(locale)
    ]
    return found + [
        f"{locale}: not translated: {text.id}"
        for locale in LOCALES
        for text in read(locale)
        if text.id and not all(_forms(text))
    ]


def check() -> None:
    """Exit with what is wrong, if anything is."""
    if found := drifted():
        raise SystemExit("\n".join(found))


def compile_all() -> None:
    """Write the .mo files, where they are missing or older than the catalogue."""
    for locale in LOCALES:
        source, target = file_of(locale), file_of(locale, "mo")
        if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, read(locale))


def _forms(text: Message) -> tuple[str, ...]:
    """The translation, or each form of it by number."""
    return tuple(text.string) if isinstance(text.string, (tuple, list)) else (text.string or "",)


def _kept(known: Catalog, text: Message) -> Any:
    found = known.get(text.id, text.context)
    empty = ("",) * known.num_plurals if text.pluralizable else ""
    same = found and found.string and found.pluralizable == text.pluralizable
    return found.string if found and same else empty


def _is_source(folder: str) -> bool:
    name = Path(folder).name
    return not (name.startswith(".") or name in ("node_modules", "built", "tests", "provisioning"))


def _without_conflicts(text: str) -> str:
    return re.sub(r"^(<{7}|={7}|>{7}).*\n", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    commands = {"update": update, "compile": compile_all, "check": check}
    parser = argparse.ArgumentParser(description="The catalogues of the pages' texts.")
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args().command]()
