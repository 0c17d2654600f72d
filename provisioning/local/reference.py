"""The table of commands in docs/operating/commands.md, generated from the help of the commands.

    python -m provisioning.local.reference          writes the table into the page
    python -m provisioning.local.reference check    exits with 1 if the page differs

Run it after a command, its help or a heading that names it changed.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import click

from appliance.cli import appliance

PAGES_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "operating"
COMMANDS_PAGE = PAGES_FOLDER / "commands.md"
_TABLE_HEAD = "| command | does | details |\n|---|---|---|\n"
# a heading, and the anchor on the line before it, if there is one
_HEADING = re.compile(r'^(?:<a id="([\w-]+)"></a>\n)?#+ (.+)$', re.MULTILINE)
_MAX_HELP_LENGTH = 300  # longer than the first sentence of any command's help


def list_commands(group: click.Group, name: str = "appliance") -> Iterator[tuple[str, str]]:
    """Yield (full name, first sentence of the help) of every command that is not a group."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from list_commands(command, f"{name} {word}")
        elif command:
            yield f"{name} {word}", command.get_short_help_str(_MAX_HELP_LENGTH)


def commands_in_heading(heading: str) -> list[str]:
    """Return the full names of the commands that a heading names.

    "`appliance user add`, `list`" names `appliance user add` and `appliance user list`.
    """
    full_names: list[str] = []
    for name in re.findall(r"`([^`]+)`", heading):
        if name.startswith("appliance "):
            full_names.append(name)
        elif full_names:
            full_names.append(f"{full_names[-1].rpartition(' ')[0]} {name}")
    return full_names


def heading_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def detail_links() -> dict[str, str]:
    """Return the Markdown link to the details of each command that a heading of a page names."""
    links: dict[str, str] = {}
    for page in sorted(PAGES_FOLDER.glob("*.md")):
        for anchor, heading in _HEADING.findall(page.read_text("utf-8")):
            link = f"[{page.stem}]({page.name}#{anchor or heading_anchor(heading)})"
            links |= dict.fromkeys(commands_in_heading(heading), link)
    return links


def commands_table() -> str:
    """Return the table of all commands, in order; a command without details raises KeyError."""
    links = detail_links()
    rows = (f"| `{name}` | {does} | {links[name]} |\n" for name, does in list_commands(appliance))
    return _TABLE_HEAD + "".join(rows)


def replace_table(text: str) -> str:
    """Return the text of the page with its table generated again."""
    before, head, after = text.partition(_TABLE_HEAD)
    if not head:
        raise ValueError(f"{COMMANDS_PAGE} has no table of commands")
    return before + commands_table() + re.sub(r"\A(\|.*\n)+", "", after)


def main() -> int:
    """Write the table, or check it. Exit status 0 success, 1 the page differs."""
    parser = argparse.ArgumentParser(prog="python -m provisioning.local.reference")
    parser.add_argument("action", nargs="?", choices=["write", "check"], default="write")
    action = parser.parse_args().action
    text = COMMANDS_PAGE.read_text("utf-8")
    generated = replace_table(text)
    if action == "check":
        return int(generated != text)
    COMMANDS_PAGE.write_text(generated, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
