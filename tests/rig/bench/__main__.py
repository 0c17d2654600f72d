"""`./run bench`: what the appliance costs, each figure next to its floor in the same run."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from appliance.core import db
from provisioning.local.place import Place
from tests.rig.bench import asterisk_comparison, costs, growth, live, saving, table
from tests.rig.bench.table import Row
from tests.rig.trials.__main__ import TRIALS_FOLDER

USAGE = """\
usage: ./run bench               all of it: the table, and one of longer histories; 25 minutes
       ./run bench quick         the table without real calls; 5 minutes
       ./run bench calls         the rows with real calls only
       ./run bench live          the rows of open pages and papers only
       ./run bench growth [CALLS...]    the second table only, of histories so long
       ./run bench long [--minutes 30]  50 calls, 25 operators saving, a day caught up in the middle
       ./run bench hurry [--seconds 30] 25 operators registering without a pause
       ./run bench snapshots     a large site saved, verified, restored"""
FULL_LOG_CALLS, QUICK_LOG_CALLS = 20_000, 2_000  # calls in the log that is ingested


def main(arguments: list[str]) -> int:
    """Run the benchmark that the arguments select; exit status 0 done, 2 wrong use."""
    match arguments:
        case []:
            _print_table(
                "all",
                _cost_measurement(FULL_LOG_CALLS),
                _live_rows,
                _rows_with_calls,
                growth.growth_rows,
            )
        case ["quick"]:
            _print_table("quick", _cost_measurement(QUICK_LOG_CALLS), _live_rows)
            print("without real calls: processor, sound, lateness, memory, saves of a running site")
        case ["calls"]:
            _print_table("calls", _rows_with_calls)
        case ["live"]:
            _print_table("live", _live_rows)
        case ["growth", *sizes] if all(size.isdecimal() for size in sizes):
            _print_table(
                "longer",
                partial(growth.growth_rows, tuple(map(int, sizes)) or growth.HISTORY_SIZES),
            )
        case ["help"]:
            print(USAGE)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


def _print_table(name: str, *measurements: Callable[[], Iterator[Row]]) -> None:
    table.print_summary(table.measure_all(name, measurements))


def _cost_measurement(calls: int) -> Callable[[], Iterator[Row]]:
    return partial(_rows_in_folder, partial(costs.cost_rows, calls=calls))


def _live_rows() -> Iterator[Row]:
    yield from _rows_in_folder(live.live_rows)


def _rows_in_folder(rows: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    """The rows measured in a temporary folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield from rows(Path(name))
        db.database.close()


def _rows_with_calls() -> Iterator[Row]:
    """The rows of a site with callers."""
    place = Place(TRIALS_FOLDER / "bench")
    yield from asterisk_comparison.comparison_rows(place)
    yield from saving.saving_rows(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
