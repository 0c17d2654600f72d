"""Compares what Asterisk runs, as its console prints it, with the files of its configuration."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_LOAD_LINE = re.compile(r"^load = (\S+)$", re.MULTILINE)
_RUNNING_MODULE = re.compile(r"^(\S+)\s.*(?<!Not)\sRunning\s", re.MULTILINE)
_SECTION_HEAD = re.compile(r"^\[([\w-]+)\]", re.ASCII)
_STEP_LINE = re.compile(r"^(?:exten|same)\s*=>?\s*(?:[^,]+,)?\s*(?:\d+|n)(?:\([\w-]+\))?,(.*)$")
_SHOWN_CONTEXT = re.compile(r"^\[ Context '([^']+)'")
_SHOWN_STEP = re.compile(r"^.*?\d+\. (.*?)\s*\[([\w.-]+):(\d+)\]$")
_SHOWN_QUEUE = re.compile(r"^(\S+) has \d+ calls \(max (\w+)\) in '(\w+)' strategy .*, W:(\d+),")
_QUEUE_OPTION = re.compile(r"^(strategy|maxlen|weight)\s*=\s*(\w+)\s*$")
_MAX_COMPARED_CHARS = 200  # of a dialplan step: the console cuts a long one
_NON_CONTEXT_SECTIONS = {"general", "globals"}  # sections of extensions.conf that are not contexts

type DialplanStep = tuple[str, str, int, str]  # context, file, line, application with its data
type QueueOptions = tuple[str, str, str]  # strategy, maximum of callers ("0": no limit), weight


def configured_modules(etc: Path) -> list[str]:
    """Return the modules that modules.conf in the folder `etc` loads; empty if it is missing."""
    file = etc / "modules.conf"
    return _LOAD_LINE.findall(file.read_text("utf-8", "replace")) if file.exists() else []


def modules_not_running(etc: Path, console_lines: Iterable[str]) -> list[str]:
    """Return the configured modules that do not run, loaded or not.

    `console_lines` is the output of `module show`.
    """
    running = set(_RUNNING_MODULE.findall("\n".join(console_lines)))
    return [name for name in configured_modules(etc) if name not in running]


def differing_contexts(etc: Path, files: Iterable[str], console_lines: Iterable[str]) -> list[str]:
    """Return the contexts of the dialplan whose steps in Asterisk differ from those in the files.

    `files` are the names of the dialplan's files in the folder `etc`; `console_lines` is the output
    of `dialplan show`.
    """
    configured = {step for name in files for step in _configured_steps(etc / name)}
    running = set(_running_steps(console_lines, {context for context, *_ in configured}))
    return sorted({context for context, *_ in configured ^ running})


def queue_differences(etc: Path, console_lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (missing, differing): the queues that Asterisk lacks, and those with other options.

    A differing queue is described by its name and the options that Asterisk uses and that differ
    from the file's, such as "uz: rrmemory". `console_lines` is the output of `queue show`.
    """
    running = {name: queue for name, queue in map(_parse_queue_line, console_lines) if name}
    configured = _configured_queues(etc / "queues.conf")
    differences = [
        f"{name}: "
        f"{', '.join(actual for actual, expected in zip(running[name], queue, strict=True))}"
        for name, queue in configured.items()
        if name in running and running[name] != queue
    ]
    return [name for name in configured if name not in running], differences


def _configured_steps(file: Path) -> Iterable[DialplanStep]:
    """Yield the steps of a dialplan file; nothing if the file does not exist."""
    context = ""
    if not file.exists():
        return
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if head := _SECTION_HEAD.match(line):
            context = head[1]
        elif (
            context
            and context not in _NON_CONTEXT_SECTIONS
            and (step := _STEP_LINE.match(line.strip()))
        ):
            yield context, file.name, number, _normalised_step(step[1])


def _running_steps(console_lines: Iterable[str], contexts: set[str]) -> Iterable[DialplanStep]:
    """Yield the steps of these contexts from the output of `dialplan show`.

    A step that was added on the console has the file "" and the line 0.
    """
    context = ""
    for line in console_lines:
        if head := _SHOWN_CONTEXT.match(line):
            context = head[1]
        elif context in contexts and (step := _SHOWN_STEP.match(line)):
            yield context, step[2], int(step[3]), _normalised_step(step[1])
        elif context in contexts and re.match(r"^\s.*\d+\. ", line):
            yield context, "", 0, _normalised_step(line)


def _normalised_step(text: str) -> str:
    """Return a step without the spaces and escapes that Asterisk removes when it reads it."""
    return re.sub(r"[\\\s]", "", text)[:_MAX_COMPARED_CHARS]


def _configured_queues(file: Path) -> Mapping[str, QueueOptions]:
    """Return the options of the queues in the file, by queue; empty if the file does not exist."""
    options_by_queue: dict[str, dict[str, str]] = {}
    name = ""
    for line in file.read_text("utf-8", "replace").splitlines() if file.exists() else ():
        if head := _SECTION_HEAD.match(line):
            name = head[1]
        elif name and name != "general" and (option := _QUEUE_OPTION.match(line)):
            options_by_queue.setdefault(name, {})[option[1]] = option[2]
    return {
        name: (facts.get("strategy", ""), facts.get("maxlen", "0"), facts.get("weight", "0"))
        for name, facts in options_by_queue.items()
    }


def _parse_queue_line(line: str) -> tuple[str, QueueOptions]:
    """Return (name, options) from a line that describes a queue; the name is "" for other lines."""
    match = _SHOWN_QUEUE.match(line)
    if not match:
        return "", ("", "", "")
    return match[1], (match[3], "0" if match[2] == "unlimited" else match[2], match[4])
