"""`python -m tests.rig.storm [--messages N] [--kills N] [--seed N] [FAULT…]`, for `./run`.

Each fault is a storm in a process and a site of its own; all of them rage at once.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from provisioning.local import site
from tests.rig.storm.faults import FAULTS
from tests.rig.storm.play import Count, fill, play
from tests.rig.trials.running import pipes

FOLDER = site.TOP / ".site-storm"
_HEAD = ("fault", "by", "messages", "delivered", "sent", "refused", "expired", "lost", "twice",
         "twice undeclared", "perhaps twice", "out of order", "busiest", "kills",
         "seconds to drain")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Exit status 0 nothing was lost or twice in silence, 1 something was, 2 wrong use."""
    reader = argparse.ArgumentParser(prog="./run storm", description=__doc__)
    reader.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    reader.add_argument("--messages", type=int, default=5000, help="of each kind")
    reader.add_argument("--kills", type=int, default=6, help="of the jobs, in each storm")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--limit", type=float, default=3000, help="seconds for all to go out")
    reader.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    asked = reader.parse_args(arguments)
    if wrong := {name for one in asked.faults for name in one.split("+")} - set(FAULTS):
        reader.error(f"no such fault: {', '.join(sorted(wrong))}; there are {', '.join(FAULTS)}")
    if asked.into:
        _one(asked)
        return 0
    counts = _all(asked)
    rows = [tuple(map(_cell, count.row().values())) for count in counts]
    print(pipes(_HEAD, rows))
    return 0 if counts and all(count.right for count in counts) else 1


def _one(asked: argparse.Namespace) -> None:
    faults = asked.faults[0].split("+")
    found = play(
        FOLDER / "filled",
        asked.into,
        faults,
        seed=asked.seed,
        kills=asked.kills,
        limit=asked.limit,
    )
    (asked.into / "counts.json").write_text(json.dumps([count.row() for count in found]))


def _all(asked: argparse.Namespace) -> list[Count]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    fill(FOLDER / "filled", asked.messages)
    started = {}
    for position, fault in enumerate(asked.faults or FAULTS):
        folder = FOLDER / fault
        options = {
            "--kills": asked.kills,
            "--seed": asked.seed + position,
            "--limit": asked.limit,
            "--into": folder,
        }
        words = [str(word) for option in options.items() for word in option]
        command = [sys.executable, "-m", "tests.rig.storm", fault, *words]
        started[folder] = subprocess.Popen(command, cwd=site.TOP)
    counts = []
    for folder, process in started.items():
        if process.wait() == 0:
            found = json.loads((folder / "counts.json").read_text())
            counts += [Count(**row) for row in found]
            print(f"{folder.name}: told", flush=True)
        else:
            print(f"{folder.name}: failed, see what stands above", flush=True)
    return counts if len(counts) == 2 * len(started) else []


def _cell(value: object) -> str:
    return "not drained" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
