"""`./run fuzz [SECONDS] [NAME…]`: fuzz every parser of foreign bytes, one per processor.

`--keep` copies inputs that reach new branches into the committed corpus, as few as reach them all.
Exit status 1 when a parser raised an error that no caller expects; the input is printed.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.rig.fuzz.targets import CORPUS, FUZZ_TARGETS, MAX_INPUT_BYTES

DEFAULT_SECONDS = 60
SLOW_INPUT_SECONDS = 10  # one input that takes longer is a defect
MEMORY_MEGABYTES = 1024
GRACE_SECONDS = 120  # for start and end beyond the time of fuzzing
FINDINGS = Path(".fuzz")


def main() -> None:
    """Fuzz the targets of the command line, and print a line for each."""
    parser = argparse.ArgumentParser(prog="./run fuzz")
    parser.add_argument("seconds", nargs="?", type=int, default=DEFAULT_SECONDS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FUZZ_TARGETS))
    parser.add_argument("--keep", action="store_true", help="add to the committed corpus")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(FUZZ_TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    names = arguments.names or list(FUZZ_TARGETS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda name: _fuzz_target(name, arguments), names))
    failed = results.count(False)
    print(f"fuzz: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def _fuzz_target(name: str, arguments: argparse.Namespace) -> bool:
    """Fuzz one target; returns True if nothing was found."""
    findings = FINDINGS.resolve() / name
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = _fuzz_command(
            name, f"-max_total_time={arguments.seconds}", folder, str(CORPUS / name)
        )
        command += [f"-artifact_prefix={findings}/", f"-timeout={SLOW_INPUT_SECONDS}"]
        try:
            process = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=arguments.seconds + GRACE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            print(f"{name}: did not end in time", flush=True)
            return False
        if arguments.keep:
            _minimise_corpus(name, Path(folder))
    return _report_result(name, process.returncode, process.stdout + process.stderr)


def _fuzz_command(name: str, *options: str) -> list[str]:
    limits = (
        f"-max_len={MAX_INPUT_BYTES}",
        f"-rss_limit_mb={MEMORY_MEGABYTES}",
        "-close_fd_mask=1",
    )
    return [sys.executable, "-m", "tests.rig.fuzz.one", name, *limits, *options]


def _minimise_corpus(name: str, fresh: Path) -> None:
    """Replace the target's corpus by the fewest inputs that reach what old and new ones reach."""
    with tempfile.TemporaryDirectory() as folder:
        merge = _fuzz_command(name, "-merge=1", folder, str(CORPUS / name), str(fresh))
        subprocess.run(merge, capture_output=True, check=True)
        for file in (CORPUS / name).iterdir():
            if not file.name.startswith("seed-"):
                file.unlink()
        for file in Path(folder).iterdir():
            shutil.copy(file, CORPUS / name / file.name[:16])


def _report_result(name: str, status: int, output: str) -> bool:
    """Print the result of a target; returns True if nothing was found."""
    last = [line for line in output.splitlines() if line.startswith(("Done", "#"))][-1:]
    if status == 0:
        print(f"{name}: {last[0] if last else 'done'}", flush=True)
        return True
    print(f"{name}: FAILED, exit status {status}\n{output[-3000:]}", flush=True)
    return False


if __name__ == "__main__":
    main()
