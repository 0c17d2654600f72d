"""Names of processes by which another process can find out whether they are still alive."""

import os
from pathlib import Path


def this_process_name() -> str:
    """Return a name for this process, unique on this machine until the next boot.

    Other processes pass it to `is_process_alive`. It consists of the process id and the start time,
    because ids are reused.
    """
    return f"{os.getpid()}:{start_ticks(os.getpid())}"


def is_process_alive(process_name: str) -> bool:
    """Return True if the process that `this_process_name` named so is still running."""
    pid, _, start_time = process_name.partition(":")
    return pid.isdecimal() and bool(start_time) and start_ticks(int(pid)) == start_time


def is_stopped(pid: int) -> bool:
    """Return True if a process was stopped (SIGSTOP, a debugger); False if it does not exist."""
    try:
        # After the program's name, in brackets, the first field is the process's state (proc(5)).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    except OSError:
        return False


def start_ticks(pid: int) -> str:
    """Return a process's start time, in the kernel's ticks since boot; "" if it does not exist."""
    try:
        # `starttime` of proc(5), the twentieth field after the program's name in brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
