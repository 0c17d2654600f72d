"""Runs restic, the program that stores the snapshots, and converts its errors to SnapshotError."""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from appliance.box.snapshots.errors import SnapshotError
from appliance.core.settings import Backup

TAG = "appliance"
EXIT_INCOMPLETE = 3  # restic's exit status if a file could not be read
# The process ends with the process that started it, and has a lower priority than calls.
_LOW_PRIORITY_PREFIX = ("setpriv", "--pdeathsig", "TERM", "--", "nice", "-n", "10")
_EXIT_ERRORS = {
    10: ("absent", "there is no repository at {url}: is the disk or the share mounted?"),
    11: ("locked", "another process works on the repository {url}"),
    12: ("key", "the key in {key} does not open the repository {url}"),
}
_OUTPUT_ERRORS = (
    ("full", "the disk is full: {said}", ("no space left", "disk quota", "file too large")),
    ("denied", "no right to it: {said}", ("permission denied", "read-only file system")),
    (
        "unreachable",
        "the repository {url} cannot be reached: {said}",
        (
            "connection refused",
            "no such host",
            "dial tcp",
            "i/o timeout",
            "unable to start the sftp",
        ),
    ),
    ("unknown", "there is no such snapshot in {url}", ("no matching id", "no snapshot found")),
    (
        "damaged",
        "the repository {url} is damaged: {said}",
        (
            *("ciphertext verification", "hash mismatch", "invalid data", "unexpected eof"),
            *("not found in repository", "does not match", "contains errors", "pack id"),
            *("no such file or directory", "not found in index", "failed to decrypt", "load("),
            *("too short", "not contained in any pack", "wrong data returned", "were detected"),
        ),
    ),
)


@dataclass(frozen=True)
class Restic:
    """One repository. Every method raises SnapshotError if restic fails."""

    backup: Backup
    cache: Path

    @property
    def local_folder(self) -> Path | None:
        """The repository's folder, if it is on this machine (a disk, an NFS or SMB share)."""
        return None if ":" in self.backup.url else Path(self.backup.url)

    def run_command(
        self, *arguments: str | Path, on_message: Callable[[dict[str, Any]], None] | None = None
    ) -> int:
        """Run a command; `on_message` receives each JSON message. Returns 0 or EXIT_INCOMPLETE."""
        with self._start_process(arguments) as (process, errors):
            for line in process.stdout or ():
                with contextlib.suppress(json.JSONDecodeError):
                    message = json.loads(line)
                    if on_message and isinstance(message, dict):
                        on_message(message)
            status = process.wait()
            error_messages = self._parse_messages(errors)
            if on_message:
                for message in error_messages:
                    on_message(message)
        if status not in (0, EXIT_INCOMPLETE):
            raise self.build_error(status, error_messages)
        return status

    def query_json(self, *arguments: str | Path) -> Any:
        """Run a command and return the single JSON value that it prints."""
        with self._start_process(arguments) as (process, errors):
            output = process.stdout.read() if process.stdout else b""
            if status := process.wait():
                raise self.build_error(status, self._parse_messages(errors))
        return json.loads(output)

    @contextlib.contextmanager
    def open_output(self, *arguments: str | Path) -> Iterator[IO[bytes]]:
        """Yield the output of a command as a stream; raises at the end if restic failed."""
        with self._start_process(arguments) as (process, errors):
            stream = cast("IO[bytes]", process.stdout)
            yield stream
            stream.read()
            if status := process.wait():
                raise self.build_error(status, self._parse_messages(errors))

    def build_error(self, status: int, messages: list[dict[str, Any]]) -> SnapshotError:
        """Return the error for an exit status and restic's messages."""
        texts = [_message_text(message) for message in messages]
        last_text = next((text for text in reversed(texts) if text), f"restic ended with {status}")
        values = {"url": self.backup.url, "key": self.backup.password_file, "said": last_text}
        if status in _EXIT_ERRORS:
            code, template = _EXIT_ERRORS[status]
            return SnapshotError(code, template.format(**values))
        all_text = "\n".join(texts).lower()
        if "panic:" in all_text:  # restic 0.18 panics on a damaged folder list
            code, template = _OUTPUT_ERRORS[-1][:2]
            return SnapshotError(code, template.format(url=self.backup.url, said="a folder in it"))
        for code, template, signs in _OUTPUT_ERRORS:
            if any(sign in all_text for sign in signs):
                return SnapshotError(code, template.format(**values))
        return SnapshotError("failed", last_text)

    @contextlib.contextmanager
    def _start_process(
        self, arguments: tuple[str | Path, ...]
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """Start restic; yields the process and its error output, and terminates it at the end."""
        backup = self.backup
        if not backup.password_file.is_file():
            raise SnapshotError(
                "key", f"{backup.password_file} is missing: no key for {backup.url}"
            )
        cache = ["--no-cache"] if self.local_folder else ["--cache-dir", str(self.cache)]
        command = [
            *(*_LOW_PRIORITY_PREFIX, "restic", "--json", "--repo", backup.url),
            *("--password-file", str(backup.password_file), *cache, *map(str, arguments)),
        ]
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=_process_environment(backup),
                )
            except FileNotFoundError as error:
                raise SnapshotError("setting", f"{error.filename} is not installed") from error
            with process:
                try:
                    yield process, errors
                finally:
                    if process.poll() is None:
                        process.terminate()

    def _parse_messages(self, errors: IO[bytes]) -> list[dict[str, Any]]:
        """Parse the error output: JSON messages, or plain lines as messages."""
        errors.seek(0)
        messages: list[dict[str, Any]] = []
        for line in errors.read().decode("utf-8", "replace").splitlines():
            try:
                message = json.loads(line)
            except json.JSONDecodeError:
                message = {"message": line.strip()}
            messages.append(message if isinstance(message, dict) else {"message": line})
        return messages


def _message_text(message: dict[str, Any]) -> str:
    """Return the text of one message."""
    error = message.get("error")
    if isinstance(error, dict):
        return f"{message.get('item', '')}: {error.get('message', '')}"
    return str(message.get("message") or "")


def _process_environment(backup: Backup) -> dict[str, str]:
    """Return the environment of restic: a few of this process's variables, and the backup's own."""
    variables = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    variables["GOMAXPROCS"] = "1"
    if backup.environment_file:
        for line in Path(backup.environment_file).read_text("utf-8").splitlines():
            name, sign, value = line.strip().partition("=")
            if sign and not name.startswith("#"):
                variables[name.strip()] = value.strip().strip("\"'")
    return variables
