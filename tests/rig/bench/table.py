"""What `./run bench` prints: each thing that was measured beside its floor and its aim.

Whoever measures something yields rows; `__main__` names all who do, in the order of the table.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path("bench/latest.json")
HEAD = f"{'':<52}{'before':>12}{'measured':>18}{'floor':>12}{'times':>9}{'aim':>9}"


@dataclass(frozen=True)
class Row:
    """One thing; what is measured and the floor are in the same unit.

    `aim`: what is to be reached, of the times of the floor where there is one, else of what was
    measured; `more` is better where `least` is set.
    """

    what: str
    measured: float
    unit: str
    floor: float | None = None
    aim: float | None = None
    least: bool = False  # the aim is the least that is wanted, not the most
    before: str = ""  # what it was when the aim was set

    @property
    def times(self) -> float | None:
        """How often the floor goes into it, or it into the floor where more is better."""
        if not self.floor or not self.measured:
            return None
        return self.floor / self.measured if self.least else self.measured / self.floor

    @property
    def reached(self) -> bool | None:
        """None: nothing is aimed at."""
        if self.aim is None:
            return None
        if self.times is not None:
            return self.times <= self.aim
        return self.measured >= self.aim if self.least else self.measured <= self.aim

    def line(self) -> str:
        """As it is printed."""
        floor = "" if self.floor is None else f"{self.floor:,.4g}"
        times = "" if self.times is None else f"{self.times:.2f}×"
        bound = "≥" if self.least and self.times is None else "≤"
        aim = "" if self.aim is None else f"{bound} {self.aim:g}{'×' if self.times else ''}"
        end = {True: "reached", False: "NOT REACHED", None: ""}[self.reached]
        measured = f"{self.measured:,.4g} {self.unit}"
        cells = f"{self.before:>12}{measured:>18}{floor:>12}{times:>9}{aim:>9}"
        return f"{self.what:<52}{cells}  {end}".rstrip()


def tell(name: str, measured: Iterable[Callable[[], Iterator[Row]]]) -> list[Row]:
    """Measure, print each row as it is known, and keep all of them under a name."""
    print(HEAD)
    rows = []
    for measure in measured:
        for row in measure():
            print(row.line(), flush=True)
            rows.append(row)
    keep(name, [asdict(row) | {"times": row.times, "reached": row.reached} for row in rows])
    return rows


def sum_up(rows: list[Row]) -> None:
    """Print once more, together, what is aimed at."""
    aimed = [row for row in rows if row.aim is not None]
    missed = sum(not row.reached for row in aimed)
    print(f"\n{HEAD}", *(row.line() for row in aimed), sep="\n")
    print(f"{len(aimed) - missed} of {len(aimed)} reached; {RESULTS} keeps all {len(rows)} rows")


def keep(name: str, found: object) -> None:
    """Write down what was found, beside what other benches found."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known | {name: found}, indent=1, ensure_ascii=False))
