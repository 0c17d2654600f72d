"""`appliance script`: conversation scripts as documents."""

import json
from pathlib import Path

import click

from appliance.casework.scripts import editing, importing, queries
from appliance.casework.scripts.definition import Definition, definition_document, parse_definition
from appliance.cli.context import Site, pass_site
from appliance.core.refusals import Refused


@click.group()
def script() -> None:
    """Conversation scripts for operators."""


@script.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_site
def import_script(site: Site, file: Path) -> None:
    """Store a JSON, DOCX or XLSX file as the draft of a script; prints its code and version."""
    site.open_database()
    try:
        code, definition = _read_script(file)
        row = editing.import_script(code, definition)
    except Refused as refused:
        step = f", step {refused.subject}" if refused.subject else ""
        reason = _REFUSAL_TEXTS.get(refused.code, refused.code)
        raise click.ClickException(f"{file}: {reason}{step}") from refused
    click.echo(f"{row.script.code} {row.number}")


@script.command("export")
@click.argument("code")
@pass_site
def export_script(site: Site, code: str) -> None:
    """Print the script of this code in force, else its newest version, as JSON."""
    site.open_database()
    script_versions = queries.find_script(code)
    if not script_versions:
        raise click.ClickException(f"{code}: there is no such script")
    row = script_versions.in_force or script_versions.newest
    document = {"code": code, **definition_document(queries.version_definition(row))}
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))


# Why a file cannot be the draft of a script, by the code of Refused.
_REFUSAL_TEXTS = {
    "steps": "steps: a list of 1 to 200 steps",
    "twice": "two steps have one code",
    "code": "a code has small Latin letters, digits, - and _ only, 40 at most",
    "words": "a text is an object with uz, ru or both",
    "long": "a text is too long",
    "answers": "a step has at most nine answers",
    "action": "no such kind of action",
    "target": "an answer leads to the code of a step",
    "when": "when: a language, an hour or a kind of call is not known",
    "unknown": "something in it is no part of a script",
    "title": "a script has a title",
    "most": "there are too many scripts",
    "pending": "there is a version to come already: put it in force or discard it first",
    "large": "larger than 20 MB",
    "file": "neither JSON nor a Word document or spreadsheet",
    "bomb": "it unpacks to far more than a text needs; it was not opened",
    "macro": "it holds macros",
    "empty": "there is no text in it",
}


def _read_script(file: Path) -> tuple[str, Definition]:
    content = file.read_bytes()
    if not content.lstrip().startswith(b"{"):
        return file.stem, importing.parse_script_file(file.name, content)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused("file") from error
    code = document.pop("code", "")
    definition = parse_definition(document)
    if not definition.title:
        raise Refused("title")
    return str(code) or file.stem, definition
