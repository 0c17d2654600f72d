"""Scripts of trial calls: who does what, and the row that the ledger must hold then.

A script is written as a block, blocks parted by empty lines:

    the operator hangs up, mark 5
      C calls; C presses 1; A answers; A talks 3; A hangs up; C rates 5; C ends
      = answered | operator | uz | A | - | 5 | A

C is the caller, A and B are operators, E and F are numbers outside, P is a page, S the site.
The row: outcome, who ended it, queues joined, talks with whom, transfers as kind:to:result (and
:returned), the mark, and who is heard beside the caller in the recordings, in order; the last is
as the talks when it is left out.
"""

from dataclasses import dataclass
from pathlib import Path

TABLES = Path(__file__).parent / "tables"
COLUMNS = ("outcome", "ended by", "queues", "talks", "transfers", "mark", "heard")


class ScriptError(ValueError):
    """A script that cannot be read."""


@dataclass(frozen=True)
class Scenario:
    """One script and its row."""

    name: str
    steps: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    table: str = ""

    @property
    def is_long(self) -> bool:
        """Whether its caller waits until everybody has been rung."""
        return "C queues 2" in self.steps


def parse(text: str, table: str = "") -> list[Scenario]:
    """The scripts of a text; lines that begin with # are comments. Raises ScriptError."""
    found = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for block in "\n".join(lines).split("\n\n"):
        name, *rest = [line.strip() for line in block.strip().splitlines()] or [""]
        if not name:
            continue
        rows = tuple(_row(line[1:], f"{table}: {name}") for line in rest if line.startswith("="))
        if not rows:
            raise ScriptError(f"{table}: {name}: no row")
        said = " ".join(line for line in rest if not line.startswith("="))
        steps = tuple(step.strip() for step in said.split(";") if step.strip())
        found.append(Scenario(name, steps, rows, table))
    return found


def load(*names: str) -> list[Scenario]:
    """Every script whose table's or own name contains one of `names`; all of them for none."""
    found = [
        one
        for file in sorted(TABLES.glob("*.txt"))
        for one in parse(file.read_text("utf-8"), file.stem)
    ]
    if len({one.name for one in found}) != len(found):
        raise ScriptError("two scripts have one name")
    return [
        one for one in found if not names or any(n in f"{one.table}: {one.name}" for n in names)
    ]


def _row(line: str, where: str) -> tuple[str, ...]:
    row = tuple(cell.strip() for cell in line.split("|"))
    if len(row) not in (len(COLUMNS) - 1, len(COLUMNS)):
        raise ScriptError(f"{where}: {len(row)} columns")
    return row if len(row) == len(COLUMNS) else (*row, row[3])
