"""Programs that read what a person or a caller gave, run where a flaw in them opens nothing.

A program in the sandbox opens no socket, starts no other program, reads the system's libraries and
the files named to it, writes the files named to it, and has bounded time, memory and output. Only
setpriv and prlimit of util-linux are needed: no namespace, no right.
"""

import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from appliance import PACKAGE

SECONDS = 60
MEGABYTES = 1024 * 1024
MEMORY = 512 * MEGABYTES
LARGEST = 64 * MEGABYTES  # bytes of one file that it writes

_REPORT = 65536
_READ = "read-file"
_WRITE = "read-file,write-file,truncate"
_FOLDER = f"{_WRITE},read-dir,make-reg,remove-file"
_SYSTEM = ("/usr", "/etc/alternatives")
# system calls of the machine's kind that would lead out: number of its kind in the kernel's audit,
# then socket, ptrace, kill, process_vm_writev; io_uring_setup has one number everywhere
_CALLS = {
    "x86_64": (0xC000003E, (41, 101, 62, 311, 425)),
    "aarch64": (0xC00000B7, (198, 117, 129, 271, 425)),
}
_OTHER_NUMBERS = 0x40000000  # x86's second set of system calls
_EPERM = 1


class SandboxError(OSError):
    """This machine's kernel or programs cannot make the sandbox: nothing was run."""


def run(
    *command: str,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    seconds: int = SECONDS,
    largest: int = LARGEST,
    nice: int = 0,
) -> str:
    """Run a program of the system; what it reported on its error channel, at most _REPORT bytes.

    `reads`: files; `writes`: files (made when missing) or folders. `seconds` by the clock and of
    the processor. Raises SandboxError, and subprocess.CalledProcessError or TimeoutExpired.
    """
    program = shutil.which(command[0])
    if not program:
        raise SandboxError(f"{command[0]} is not installed")
    rules = _rules(program, reads, writes)
    bounds = _Bounds(seconds, MEMORY, largest, nice)
    nothing = subprocess.DEVNULL
    return _execute([program, *command[1:]], rules, bounds, nothing, nothing)


def run_python(module: str, *arguments: str, content: bytes, seconds: int, memory: int) -> bytes:
    """Run `python -m module` of the appliance with `content` as its input; what it prints.

    The process reads the interpreter, its packages and the appliance's own package, writes nothing
    and has `seconds` by the clock and of the processor and `memory` bytes. It prints at most
    LARGEST bytes. Raises SandboxError, and subprocess.CalledProcessError or TimeoutExpired.
    """
    rules = _rules(sys.executable, (), ())
    for folder in (Path(sys.prefix), PACKAGE):
        rules += ["--landlock-rule", f"path-beneath:{_READ},read-dir:{folder}"]
    command = [sys.executable, "-I", "-m", module, *arguments]
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
        question.write(content)
        question.seek(0)
        _execute(command, rules, _Bounds(seconds, memory, LARGEST, 0), question, answer)
        answer.seek(0)
        return answer.read()


@dataclass(frozen=True)
class _Bounds:
    seconds: int
    memory: int  # bytes
    largest_file: int  # bytes
    nice: int


def _execute(
    command: list[str],
    rules: list[str],
    bounds: _Bounds,
    source: IO[bytes] | int,
    answer: IO[bytes] | int,
) -> str:
    """Run a command under rules and bounds; what it wrote to its error channel."""
    limits = (
        *(f"--cpu={bounds.seconds}", f"--as={bounds.memory}", f"--fsize={bounds.largest_file}"),
        *("--core=0", "--nofile=64"),
    )
    with tempfile.TemporaryFile() as calls, tempfile.TemporaryFile() as report:
        calls.write(_filter())
        calls.flush()
        call_filter = f"/proc/self/fd/{calls.fileno()}"
        process = subprocess.run(  # noqa: S603  a fixed program
            [
                *("nice", "-n", str(bounds.nice), "prlimit", *limits, "--"),
                *("setpriv", "--no-new-privs", "--pdeathsig", "KILL"),
                *("--seccomp-filter", call_filter, *rules, "--", *command),
            ],
            stdin=source,
            stdout=answer,
            stderr=report,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            check=False,
            timeout=bounds.seconds,
            pass_fds=[calls.fileno()],
        )
        report.seek(0)
        errors = report.read(_REPORT).decode("utf-8", "replace")
    if process.returncode and errors.startswith(("setpriv:", "prlimit:")):
        raise SandboxError(errors.strip())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[0], stderr=errors)
    return errors


def _rules(program: str, reads: Iterable[Path], writes: Iterable[Path]) -> list[str]:
    """What may be opened; anything else that the kernel's Landlock knows may not."""
    allowed = [f"{_READ},execute:{Path(program).resolve()}"]
    allowed += [f"{_READ},execute:{loader}" for loader in Path("/").glob("lib*/ld-linux*.so.*")]
    allowed += [f"{_READ},read-dir:{folder}" for folder in _SYSTEM]
    allowed += [f"{_READ}:{file}" for file in ("/etc/ld.so.cache", *reads)]
    allowed.append(f"{_WRITE}:/dev/null")
    for path in writes:
        if not path.is_dir():
            path.touch()
        allowed.append(f"{_FOLDER if path.is_dir() else _WRITE}:{path}")
    given = ["--landlock-access", "fs"]
    for rule in allowed:
        given += ["--landlock-rule", f"path-beneath:{rule}"]
    return given


def _filter() -> bytes:
    """A seccomp filter (classic BPF) that refuses the calls of _CALLS, and every foreign kind."""
    kind, calls = _CALLS[platform.machine()]
    load, equal, above, end = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JMP|JEQ, JMP|JGE, RET
    allow, refuse = 0x7FFF0000, 0x00050000 | _EPERM
    left = len(calls)
    steps = [
        (load, 0, 0, 4),
        (equal, 0, left + 3, kind),
        (load, 0, 0, 0),
        (above, left + 1, 0, _OTHER_NUMBERS),
    ]
    steps += [(equal, left - at, 0, number) for at, number in enumerate(calls)]
    steps += [(end, 0, 0, allow), (end, 0, 0, refuse)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
