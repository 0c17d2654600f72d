"""`./run bench`: what the appliance costs, each thing beside its floor in the same run."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from appliance.core import db
from provisioning.local.place import Place
from tests.rig.bench import beside, costs, growth, live, saving, table
from tests.rig.bench.table import Row
from tests.rig.trials.__main__ import TRIALS

USAGE = """\
usage: ./run bench               all of it: the table, and one of longer histories; 25 minutes
       ./run bench quick         the table without real calls; 5 minutes
       ./run bench calls         the rows with real calls only
       ./run bench live          the rows of open pages and papers only
       ./run bench growth [CALLS...]    the second table only, of histories so long
       ./run bench long [--minutes 30]  50 calls, 25 operators saving, a day caught up in the middle
       ./run bench hurry [--seconds 30] 25 operators registering without a pause
       ./run bench snapshots     a large site saved, verified, restored"""
CALLS, QUICKLY = 20_000, 2_000  # of the log that is taken in


def main(arguments: list[str]) -> int:
    """Exit status 0 done, 2 wrong use."""
    match arguments:
        case []:
            _table("all", _costs(CALLS), _live, _with_calls, growth.rows)
        case ["quick"]:
            _table("quick", _costs(QUICKLY), _live)
            print("without real calls: processor, sound, lateness, memory, saves of a running site")
        case ["calls"]:
            _table("calls", _with_calls)
        case ["live"]:
            _table("live", _live)
        case ["growth", *sizes] if all(size.isdecimal() for size in sizes):
            _table("longer", partial(growth.rows, tuple(map(int, sizes)) or growth.SIZES))
        case ["help"]:
            print(USAGE)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


def _table(name: str, *measured: Callable[[], Iterator[Row]]) -> None:
    table.sum_up(table.tell(name, measured))


def _costs(calls: int) -> Callable[[], Iterator[Row]]:
    return partial(_in_folder, partial(costs.rows, calls=calls))


def _live() -> Iterator[Row]:
    yield from _in_folder(live.rows)


def _in_folder(rows: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield from rows(Path(name))
        db.database.close()


def _with_calls() -> Iterator[Row]:
    """The rows of a site with callers."""
    place = Place(TRIALS / "bench")
    yield from beside.rows(place)
    yield from saving.rows(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
