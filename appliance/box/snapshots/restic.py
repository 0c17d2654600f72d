"""restic, the program that keeps the snapshots: asked, listened to, its troubles put in words."""

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
PARTLY = 3  # restic's exit status when a file could not be read
# Ends with the process that started it, and leaves the processor to the calls.
_GENTLY = ("setpriv", "--pdeathsig", "TERM", "--", "nice", "-n", "10")
_STATUS = {
    10: ("absent", "there is no repository at {url}: is the disk or the share mounted?"),
    11: ("locked", "another process works on the repository {url}"),
    12: ("key", "the key in {key} does not open the repository {url}"),
}
_SIGNS = (
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
    """One repository. Every call raises SnapshotError when restic says no."""

    backup: Backup
    cache: Path

    @property
    def folder(self) -> Path | None:
        """Where it lies when it is a folder of this machine (a disk, an NFS or SMB share)."""
        return None if ":" in self.backup.url else Path(self.backup.url)

    def run(self, *words: str | Path, then: Callable[[dict[str, Any]], None] | None = None) -> int:
        """Have something done; `then` hears each JSON message. Returns 0, or PARTLY."""
        with self._started(words) as (process, errors):
            for line in process.stdout or ():
                with contextlib.suppress(json.JSONDecodeError):
                    message = json.loads(line)
                    if then and isinstance(message, dict):
                        then(message)
            status = process.wait()
            said = self._messages(errors)
            if then:
                for message in said:
                    then(message)
        if status not in (0, PARTLY):
            raise self.trouble(status, said)
        return status

    def ask(self, *words: str | Path) -> Any:
        """The one JSON value that restic answers with."""
        with self._started(words) as (process, errors):
            answer = process.stdout.read() if process.stdout else b""
            if status := process.wait():
                raise self.trouble(status, self._messages(errors))
        return json.loads(answer)

    @contextlib.contextmanager
    def reading(self, *words: str | Path) -> Iterator[IO[bytes]]:
        """What restic writes out; raises at the end when it was not all of it."""
        with self._started(words) as (process, errors):
            stream = cast("IO[bytes]", process.stdout)
            yield stream
            stream.read()
            if status := process.wait():
                raise self.trouble(status, self._messages(errors))

    def trouble(self, status: int, said: list[dict[str, Any]]) -> SnapshotError:
        """The words for what restic complained of."""
        texts = [_words(message) for message in said]
        shown = next((text for text in reversed(texts) if text), f"restic ended with {status}")
        values = {"url": self.backup.url, "key": self.backup.password_file, "said": shown}
        if status in _STATUS:
            code, words = _STATUS[status]
            return SnapshotError(code, words.format(**values))
        whole = "\n".join(texts).lower()
        if "panic:" in whole:  # restic 0.18 on a folder's list that was damaged
            code, words = _SIGNS[-1][:2]
            return SnapshotError(code, words.format(url=self.backup.url, said="a folder in it"))
        for code, words, signs in _SIGNS:
            if any(sign in whole for sign in signs):
                return SnapshotError(code, words.format(**values))
        return SnapshotError("failed", shown)

    @contextlib.contextmanager
    def _started(
        self, words: tuple[str | Path, ...]
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        backup = self.backup
        if not backup.password_file.is_file():
            raise SnapshotError(
                "key", f"{backup.password_file} is missing: no key for {backup.url}"
            )
        cache = ["--no-cache"] if self.folder else ["--cache-dir", str(self.cache)]
        command = [
            *(*_GENTLY, "restic", "--json", "--repo", backup.url),
            *("--password-file", str(backup.password_file), *cache, *map(str, words)),
        ]
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=_environment(backup),
                )
            except FileNotFoundError as error:
                raise SnapshotError("setting", f"{error.filename} is not installed") from error
            with process:
                try:
                    yield process, errors
                finally:
                    if process.poll() is None:
                        process.terminate()

    def _messages(self, errors: IO[bytes]) -> list[dict[str, Any]]:
        errors.seek(0)
        found: list[dict[str, Any]] = []
        for line in errors.read().decode("utf-8", "replace").splitlines():
            try:
                message = json.loads(line)
            except json.JSONDecodeError:
                message = {"message": line.strip()}
            found.append(message if isinstance(message, dict) else {"message": line})
        return found


def _words(message: dict[str, Any]) -> str:
    error = message.get("error")
    if isinstance(error, dict):
        return f"{message.get('item', '')}: {error.get('message', '')}"
    return str(message.get("message") or "")


def _environment(backup: Backup) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    kept["GOMAXPROCS"] = "1"
    if backup.environment_file:
        for line in Path(backup.environment_file).read_text("utf-8").splitlines():
            name, sign, value = line.strip().partition("=")
            if sign and not name.startswith("#"):
                kept[name.strip()] = value.strip().strip("\"'")
    return kept
