"""Scripts of trial calls: who does what, and the row that the ledger must hold afterwards.

A script is a block of lines; blocks are separated by empty lines:

    the operator hangs up, mark 5
      C calls; C presses 1; A answers; A talks 3; A hangs up; C rates 5; C ends
      = answered | operator | uz | A | - | 5 | A

C is the caller, A and B are operators, E and F are numbers outside, P is a page, S the site. The
row: outcome, ended by, queues joined, talks with whom, transfers as kind:to:result (and :returned),
the mark, and the voices in the recordings besides the caller's, in order; the last column equals
the talks when it is omitted.
"""

from dataclasses import dataclass
from pathlib import Path

TABLES_FOLDER = Path(__file__).parent / "tables"
COLUMNS = ("outcome", "ended by", "queues", "talks", "transfers", "mark", "heard")


class ScriptError(ValueError):
    """A script that cannot be parsed."""


@dataclass(frozen=True)
class Scenario:
    """One script and its row."""

    name: str
    steps: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    table: str = ""

    @property
    def is_long(self) -> bool:
        """Returns True if its caller waits until everybody has been rung."""
        return "C queues 2" in self.steps


def parse_scenarios(text: str, table: str = "") -> list[Scenario]:
    """The scripts in a text; lines that begin with # are comments. Raises ScriptError."""
    scenarios = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for block in "\n".join(lines).split("\n\n"):
        name, *more_lines = [line.strip() for line in block.strip().splitlines()] or [""]
        if not name:
            continue
        rows = tuple(
            _parse_row(line[1:], f"{table}: {name}") for line in more_lines if line.startswith("=")
        )
        if not rows:
            raise ScriptError(f"{table}: {name}: no row")
        steps_text = " ".join(line for line in more_lines if not line.startswith("="))
        steps = tuple(step.strip() for step in steps_text.split(";") if step.strip())
        scenarios.append(Scenario(name, steps, rows, table))
    return scenarios


def load_scenarios(*names: str) -> list[Scenario]:
    """Every script whose own or table's name contains one of `names`; all scripts without names."""
    scenarios = [
        scenario
        for file in sorted(TABLES_FOLDER.glob("*.txt"))
        for scenario in parse_scenarios(file.read_text("utf-8"), file.stem)
    ]
    if len({scenario.name for scenario in scenarios}) != len(scenarios):
        raise ScriptError("two scripts have one name")
    return [
        scenario
        for scenario in scenarios
        if not names or any(n in f"{scenario.table}: {scenario.name}" for n in names)
    ]


def _parse_row(line: str, location: str) -> tuple[str, ...]:
    row = tuple(cell.strip() for cell in line.split("|"))
    if len(row) not in (len(COLUMNS) - 1, len(COLUMNS)):
        raise ScriptError(f"{location}: {len(row)} columns")
    return row if len(row) == len(COLUMNS) else (*row, row[3])
