"""What Asterisk runs with, as its console prints it, against the files that it was given."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_LOADED = re.compile(r"^load = (\S+)$", re.MULTILINE)
_RUNS = re.compile(r"^(\S+)\s.*(?<!Not)\sRunning\s", re.MULTILINE)
_CONTEXT = re.compile(r"^\[([\w-]+)\]", re.ASCII)
_STEP = re.compile(r"^(?:exten|same)\s*=>?\s*(?:[^,]+,)?\s*(?:\d+|n)(?:\([\w-]+\))?,(.*)$")
_SHOWN_CONTEXT = re.compile(r"^\[ Context '([^']+)'")
_SHOWN_STEP = re.compile(r"^.*?\d+\. (.*?)\s*\[([\w.-]+):(\d+)\]$")
_SHOWN_QUEUE = re.compile(r"^(\S+) has \d+ calls \(max (\w+)\) in '(\w+)' strategy .*, W:(\d+),")
_KEY = re.compile(r"^(strategy|maxlen|weight)\s*=\s*(\w+)\s*$")
_COMPARED = 200  # characters of a step: a long one is cut on the console
_APART = {"general", "globals"}  # sections of extensions.conf that are no contexts

type Step = tuple[str, str, int, str]  # context, file, line, application with its data
type Queue = tuple[str, str, str]  # strategy, most callers ("0": any number), weight


def configured_modules(etc: Path) -> list[str]:
    """The modules that the configuration names; none while it is not written."""
    file = etc / "modules.conf"
    return _LOADED.findall(file.read_text("utf-8", "replace")) if file.exists() else []


def not_running(etc: Path, shown: Iterable[str]) -> list[str]:
    """The configured modules that do not run, loaded or not; `shown`: `module show`."""
    running = set(_RUNS.findall("\n".join(shown)))
    return [name for name in configured_modules(etc) if name not in running]


def dialplan_differences(etc: Path, files: Iterable[str], shown: Iterable[str]) -> list[str]:
    """The contexts whose steps are not those of the files; `shown`: `dialplan show`."""
    written = {step for name in files for step in _written_steps(etc / name)}
    running = set(_shown_steps(shown, {context for context, *_ in written}))
    return sorted({context for context, *_ in written ^ running})


def queue_differences(etc: Path, shown: Iterable[str]) -> tuple[list[str], list[str]]:
    """(queues that are not there, how others differ: "uz: rrmemory"); `shown`: `queue show`."""
    running = {name: queue for name, queue in map(_shown_queue, shown) if name}
    written = _written_queues(etc / "queues.conf")
    differing = [
        f"{name}: {', '.join(here for here, there in zip(running[name], queue, strict=True))}"
        for name, queue in written.items()
        if name in running and running[name] != queue
    ]
    return [name for name in written if name not in running], differing


def _written_steps(file: Path) -> Iterable[Step]:
    context = ""
    if not file.exists():
        return
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if head := _CONTEXT.match(line):
            context = head[1]
        elif context and context not in _APART and (step := _STEP.match(line.strip())):
            yield context, file.name, number, _plain(step[1])


def _shown_steps(shown: Iterable[str], known: set[str]) -> Iterable[Step]:
    context = ""
    for line in shown:
        if head := _SHOWN_CONTEXT.match(line):
            context = head[1]
        elif context in known and (step := _SHOWN_STEP.match(line)):
            yield context, step[2], int(step[3]), _plain(step[1])
        elif context in known and re.match(r"^\s.*\d+\. ", line):  # put in on the console
            yield context, "", 0, _plain(line)


def _plain(text: str) -> str:
    """A step without spaces and escapes, which Asterisk takes away as it reads."""
    return re.sub(r"[\\\s]", "", text)[:_COMPARED]


def _written_queues(file: Path) -> Mapping[str, Queue]:
    found: dict[str, dict[str, str]] = {}
    name = ""
    for line in file.read_text("utf-8", "replace").splitlines() if file.exists() else ():
        if head := _CONTEXT.match(line):
            name = head[1]
        elif name and name != "general" and (fact := _KEY.match(line)):
            found.setdefault(name, {})[fact[1]] = fact[2]
    return {
        name: (facts.get("strategy", ""), facts.get("maxlen", "0"), facts.get("weight", "0"))
        for name, facts in found.items()
    }


def _shown_queue(line: str) -> tuple[str, Queue]:
    fact = _SHOWN_QUEUE.match(line)
    if not fact:
        return "", ("", "", "")
    return fact[1], (fact[3], "0" if fact[2] == "unlimited" else fact[2], fact[4])
