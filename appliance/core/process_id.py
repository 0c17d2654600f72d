"""Which process does something, told so that another can see whether it still lives."""

import os
from pathlib import Path


def this_process() -> str:
    """A name for this process that no other ever has on this machine while it is up."""
    return f"{os.getpid()}:{started(os.getpid())}"


def lives(holder: str) -> bool:
    """Whether the process of that name is still there."""
    pid, _, begun = holder.partition(":")
    return pid.isdecimal() and bool(begun) and started(int(pid)) == begun


def stands_still(pid: int) -> bool:
    """Whether a process was stopped by a signal, and waits to be let go on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    except OSError:
        return False


def started(pid: int) -> str:
    """When a process began, in the kernel's ticks; "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
