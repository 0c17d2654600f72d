"""Programs that process files from people or callers, run so that a flaw in them gives no access.

A program in the sandbox opens no socket, starts no other program, reads only the system's libraries
and the files passed as readable, writes only those passed as writable, and has bounded time, memory
and output. Only setpriv and prlimit of util-linux are needed: no namespace and no privilege.
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

TIME_LIMIT_SECONDS = 60
MEGABYTE = 1024 * 1024
MEMORY_LIMIT_BYTES = 512 * MEGABYTE
MAX_FILE_BYTES = 64 * MEGABYTE  # bytes of one file that the program writes

_MAX_REPORT_BYTES = 65536  # bytes of error output that are read; a flawed program may write more
_READ_RIGHTS = "read-file"
_WRITE_RIGHTS = "read-file,write-file,truncate"
_FOLDER_RIGHTS = f"{_WRITE_RIGHTS},read-dir,make-reg,remove-file"
_SYSTEM_FOLDERS = ("/usr", "/etc/alternatives")
# The system calls that would lead out of the sandbox, by machine type: the type's number in the
# kernel's audit, then the numbers of socket, ptrace, kill, process_vm_writev, io_uring_setup.
_REFUSED_CALLS = {
    "x86_64": (0xC000003E, (41, 101, 62, 311, 425)),
    "aarch64": (0xC00000B7, (198, 117, 129, 271, 425)),
}
_X32_CALL_BIT = 0x40000000  # x32, the second set of system calls on x86
_EPERM = 1


class SandboxError(OSError):
    """This machine's kernel or programs cannot create the sandbox: nothing was run."""


def run_program(
    *command: str,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    seconds: int = TIME_LIMIT_SECONDS,
    max_file_bytes: int = MAX_FILE_BYTES,
    nice: int = 0,
) -> str:
    """Run a system program in the sandbox, such as one that converts a sound file from outside.

    Returns its error output, at most _MAX_REPORT_BYTES. Its standard input is empty, its standard
    output is dropped, and it may use at most MEMORY_LIMIT_BYTES of memory. `reads` are the files
    that it may read, `writes` the files (created if missing) or folders that it may write.
    `seconds` limits both the elapsed and the processor time; `nice` is the program's niceness.
    Raises SandboxError, or CalledProcessError if the program fails, or TimeoutExpired (both of
    subprocess).
    """
    program = shutil.which(command[0])
    if not program:
        raise SandboxError(f"{command[0]} is not installed")
    landlock_options = _landlock_options(program, reads, writes)
    bounds = _Bounds(seconds, MEMORY_LIMIT_BYTES, max_file_bytes, nice)
    no_stream = subprocess.DEVNULL
    return _execute([program, *command[1:]], landlock_options, bounds, no_stream, no_stream)


def run_python(
    module: str, *arguments: str, content: bytes, seconds: int, memory_bytes: int
) -> bytes:
    """Run `python -m module` in the sandbox with `content` as its input; returns its output.

    The process can read the interpreter, its packages and the appliance's own package, and can
    write nothing. `seconds` limits both the elapsed and the processor time, `memory_bytes` the
    memory. The output has at most MAX_FILE_BYTES bytes. Raises SandboxError, or CalledProcessError
    if the module fails, or TimeoutExpired (both of subprocess).
    """
    landlock_options = _landlock_options(sys.executable, (), ())
    for folder in (Path(sys.prefix), PACKAGE):
        landlock_options += ["--landlock-rule", f"path-beneath:{_READ_RIGHTS},read-dir:{folder}"]
    command = [sys.executable, "-I", "-m", module, *arguments]
    with tempfile.TemporaryFile() as input_file, tempfile.TemporaryFile() as output_file:
        input_file.write(content)
        input_file.seek(0)
        _execute(
            command,
            landlock_options,
            _Bounds(seconds, memory_bytes, MAX_FILE_BYTES, 0),
            input_file,
            output_file,
        )
        output_file.seek(0)
        return output_file.read()


@dataclass(frozen=True)
class _Bounds:
    """The resources that a program may use; its niceness is `nice`."""

    seconds: int  # of elapsed time, and of processor time
    memory_bytes: int
    max_file_bytes: int  # of one file that the program writes
    nice: int


def _execute(
    command: list[str],
    landlock_options: list[str],
    bounds: _Bounds,
    source: IO[bytes] | int,
    output: IO[bytes] | int,
) -> str:
    """Run a command with Landlock's restrictions and resource bounds; returns its error output.

    `landlock_options` are those of setpriv. `source` and `output`, each a file or
    subprocess.DEVNULL, become its standard input and output. Raises the same errors as
    `run_program`.
    """
    limits = (  # options of prlimit
        *(
            f"--cpu={bounds.seconds}",
            f"--as={bounds.memory_bytes}",
            f"--fsize={bounds.max_file_bytes}",
        ),
        *("--core=0", "--nofile=64"),  # no core file; 64 open files suffice
    )
    with tempfile.TemporaryFile() as filter_file, tempfile.TemporaryFile() as error_file:
        filter_file.write(_seccomp_filter())
        filter_file.flush()
        call_filter = f"/proc/self/fd/{filter_file.fileno()}"
        process = subprocess.run(  # noqa: S603  a fixed program
            [
                *("nice", "-n", str(bounds.nice), "prlimit", *limits, "--"),
                *("setpriv", "--no-new-privs", "--pdeathsig", "KILL"),
                *("--seccomp-filter", call_filter, *landlock_options, "--", *command),
            ],
            stdin=source,
            stdout=output,
            stderr=error_file,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            check=False,
            timeout=bounds.seconds,
            pass_fds=[filter_file.fileno()],
        )
        error_file.seek(0)
        errors = error_file.read(_MAX_REPORT_BYTES).decode("utf-8", "replace")
    # Then one of the tools that build the sandbox failed, before the program was started.
    if process.returncode and errors.startswith(("setpriv:", "prlimit:")):
        raise SandboxError(errors.strip())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[0], stderr=errors)
    return errors


def _landlock_options(program: str, reads: Iterable[Path], writes: Iterable[Path]) -> list[str]:
    """Return the options of setpriv that limit the files which a program may use in the sandbox.

    It may read itself, the system's libraries and the files `reads`, and write the files or folders
    `writes`. Files of `writes` that are missing are created, because a rule needs an existing path.
    """
    allowed = [f"{_READ_RIGHTS},execute:{Path(program).resolve()}"]
    # The dynamic loader, which the kernel runs to start a program.
    allowed += [
        f"{_READ_RIGHTS},execute:{loader}" for loader in Path("/").glob("lib*/ld-linux*.so.*")
    ]
    allowed += [f"{_READ_RIGHTS},read-dir:{folder}" for folder in _SYSTEM_FOLDERS]
    allowed += [f"{_READ_RIGHTS}:{file}" for file in ("/etc/ld.so.cache", *reads)]
    allowed.append(f"{_WRITE_RIGHTS}:/dev/null")
    for path in writes:
        if not path.is_dir():
            path.touch()
        allowed.append(f"{_FOLDER_RIGHTS if path.is_dir() else _WRITE_RIGHTS}:{path}")
    options = ["--landlock-access", "fs"]
    for rule in allowed:
        options += ["--landlock-rule", f"path-beneath:{rule}"]
    return options


def _seccomp_filter() -> bytes:
    """Return a seccomp filter (classic BPF) that refuses the _REFUSED_CALLS of this machine's type.

    It also refuses all calls made with the numbers of another machine type.
    """
    machine_type, calls = _REFUSED_CALLS[platform.machine()]
    load, equal, above, end = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JMP|JEQ, JMP|JGE, RET
    allow, refuse = 0x7FFF0000, 0x00050000 | _EPERM
    count = len(calls)
    # Each step is (operation, steps to skip if true, steps to skip if false, operand). The last two
    # allow and refuse the call: a test that refuses it skips all steps before the last one.
    steps = [
        (load, 0, 0, 4),  # the machine type of the call
        (equal, 0, count + 3, machine_type),  # another type: refuse
        (load, 0, 0, 0),  # the number of the call
        (above, count + 1, 0, _X32_CALL_BIT),  # a call of x32: refuse
    ]
    steps += [(equal, count - position, 0, number) for position, number in enumerate(calls)]
    steps += [(end, 0, 0, allow), (end, 0, 0, refuse)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
