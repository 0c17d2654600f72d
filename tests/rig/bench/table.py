"""The table that `./run bench` prints: each measured figure next to its floor and its aim.

A benchmark yields rows; `__main__` lists all of them, in the order of the table.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS_FILE = Path("bench/latest.json")
TABLE_HEAD = f"{'':<52}{'before':>12}{'measured':>18}{'floor':>12}{'times':>9}{'aim':>9}"


@dataclass(frozen=True)
class Row:
    """One figure; the measured value and the floor are in the same unit.

    `aim`: the value to reach, of the ratio to the floor where there is a floor, else of the
    measured value; more is better where `least` is set.
    """

    what: str
    measured: float
    unit: str
    floor: float | None = None
    aim: float | None = None
    least: bool = False  # the aim is a minimum, not a maximum
    before: str = ""  # the earlier result, when the aim was set

    @property
    def floor_ratio(self) -> float | None:
        """The value divided by the floor, or the floor by the value where more is better."""
        if not self.floor or not self.measured:
            return None
        return self.floor / self.measured if self.least else self.measured / self.floor

    @property
    def is_reached(self) -> bool | None:
        """Returns True if the aim is reached, and nothing if the row has no aim."""
        if self.aim is None:
            return None
        if self.floor_ratio is not None:
            return self.floor_ratio <= self.aim
        return self.measured >= self.aim if self.least else self.measured <= self.aim

    def as_line(self) -> str:
        """The row in the printed form."""
        floor = "" if self.floor is None else f"{self.floor:,.4g}"
        times = "" if self.floor_ratio is None else f"{self.floor_ratio:.2f}×"
        bound = "≥" if self.least and self.floor_ratio is None else "≤"
        aim = "" if self.aim is None else f"{bound} {self.aim:g}{'×' if self.floor_ratio else ''}"
        end = {True: "reached", False: "NOT REACHED", None: ""}[self.is_reached]
        measured = f"{self.measured:,.4g} {self.unit}"
        cells = f"{self.before:>12}{measured:>18}{floor:>12}{times:>9}{aim:>9}"
        return f"{self.what:<52}{cells}  {end}".rstrip()


def measure_all(name: str, measurements: Iterable[Callable[[], Iterator[Row]]]) -> list[Row]:
    """Measure, print each row when it is complete, and store all of them under a name."""
    print(TABLE_HEAD)
    rows = []
    for measure in measurements:
        for row in measure():
            print(row.as_line(), flush=True)
            rows.append(row)
    store_results(
        name, [asdict(row) | {"times": row.floor_ratio, "reached": row.is_reached} for row in rows]
    )
    return rows


def print_summary(rows: list[Row]) -> None:
    """Print all rows that have an aim once more."""
    rows_with_aim = [row for row in rows if row.aim is not None]
    missed_count = sum(not row.is_reached for row in rows_with_aim)
    print(f"\n{TABLE_HEAD}", *(row.as_line() for row in rows_with_aim), sep="\n")
    print(
        f"{len(rows_with_aim) - missed_count} of {len(rows_with_aim)} reached; "
        f"{RESULTS_FILE} keeps all {len(rows)} rows"
    )


def store_results(name: str, results: object) -> None:
    """Store results under a name, next to those of other benchmarks."""
    stored = json.loads(RESULTS_FILE.read_text()) if RESULTS_FILE.exists() else {}
    RESULTS_FILE.parent.mkdir(exist_ok=True)
    RESULTS_FILE.write_text(json.dumps(stored | {name: results}, indent=1, ensure_ascii=False))
