"""`python -m tests.rig.storm [--messages N] [--kills N] [--seed N] [FAULT…]`, for `./run`.

Each fault is a storm with its own process and site; all storms run at the same time.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from provisioning.local import site
from tests.rig.storm.faults import FAULTS
from tests.rig.storm.play import StormCount, fill_site, run_storm
from tests.rig.trials.running import pipe_table

STORM_FOLDER = site.SOURCE_ROOT / ".site-storm"
_TABLE_HEAD = ("fault", "by", "messages", "delivered", "sent", "refused", "expired", "lost",
         "twice", "twice undeclared", "perhaps twice", "out of order", "busiest", "kills",
         "seconds to drain")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Exit status 0 no message was lost or silently duplicated, 1 one was, 2 wrong use."""
    parser = argparse.ArgumentParser(prog="./run storm", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--messages", type=int, default=5000, help="of each kind")
    parser.add_argument("--kills", type=int, default=6, help="of the jobs, in each storm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=3000, help="seconds for all to go out")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := {name for faults in options.faults for name in faults.split("+")} - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    if options.into:
        _run_single_storm(options)
        return 0
    counts = _run_all_storms(options)
    rows = [tuple(map(_table_cell, count.as_row().values())) for count in counts]
    print(pipe_table(_TABLE_HEAD, rows))
    return 0 if counts and all(count.is_right for count in counts) else 1


def _run_single_storm(options: argparse.Namespace) -> None:
    faults = options.faults[0].split("+")
    counts = run_storm(
        STORM_FOLDER / "filled",
        options.into,
        faults,
        seed=options.seed,
        kills=options.kills,
        limit=options.limit,
    )
    (options.into / "counts.json").write_text(json.dumps([count.as_row() for count in counts]))


def _run_all_storms(options: argparse.Namespace) -> list[StormCount]:
    shutil.rmtree(STORM_FOLDER, ignore_errors=True)
    fill_site(STORM_FOLDER / "filled", options.messages)
    started = {}
    for position, fault in enumerate(options.faults or FAULTS):
        folder = STORM_FOLDER / fault
        storm_options = {
            "--kills": options.kills,
            "--seed": options.seed + position,
            "--limit": options.limit,
            "--into": folder,
        }
        arguments = [str(argument) for option in storm_options.items() for argument in option]
        command = [sys.executable, "-m", "tests.rig.storm", fault, *arguments]
        started[folder] = subprocess.Popen(command, cwd=site.SOURCE_ROOT)
    counts = []
    for folder, process in started.items():
        if process.wait() == 0:
            rows = json.loads((folder / "counts.json").read_text())
            counts += [StormCount(**row) for row in rows]
            print(f"{folder.name}: counted", flush=True)
        else:
            print(f"{folder.name}: failed, see the output above", flush=True)
    return counts if len(counts) == 2 * len(started) else []


def _table_cell(value: object) -> str:
    return "not drained" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
