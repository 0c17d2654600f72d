"""The limits of a program in the sandbox, tested with real programs of the system."""

import json
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from appliance.core import sandbox

SYSTEM_PYTHON = "/usr/bin/python3"  # a program of the system, which the sandbox permits to be read


def run_in_sandbox(folder: Path, code: str, **limits: int) -> object:
    """Run lines of Python in the sandbox; return their `result`, or the name of the error."""
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    caught = "except Exception as error:\n    result = type(error).__name__"
    out = f"import json\nopen({str(folder / 'out')!r}, 'w').write(json.dumps(result))"
    script = f"try:\n{lines}\n{caught}\n{out}"
    sandbox.run_program(SYSTEM_PYTHON, "-I", "-S", "-c", script, writes=[folder], **limits)
    return json.loads((folder / "out").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside").mkdir()
    return tmp_path / "inside"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_a_socket_cannot_be_opened(folder: Path, family: str) -> None:
    code = f"import socket\nsocket.socket(getattr(socket, {family!r}))\nresult = 'open'"
    assert run_in_sandbox(folder, code) == "PermissionError"


def test_other_processes_cannot_be_signalled(folder: Path) -> None:
    code = "import os\nos.kill(os.getppid(), 0)\nresult = 'reached'"
    assert run_in_sandbox(folder, code) == "PermissionError"


@pytest.mark.parametrize("program", ["/bin/sh", "/usr/bin/wget", "/usr/bin/id"])
def test_other_programs_cannot_be_started(folder: Path, program: str) -> None:
    code = f"import os\nos.execv({program!r}, [{program!r}])"
    assert run_in_sandbox(folder, code) in ("PermissionError", "FileNotFoundError")
    assert run_in_sandbox(folder, f"import os\nresult = os.system({program!r})") != 0


def test_only_named_files_can_be_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "settings.toml"
    secret.write_text("secret_key")
    read = f"result = open({str(secret)!r}).read()"
    assert run_in_sandbox(folder, read) == "PermissionError"
    assert run_in_sandbox(folder, "result = open('/etc/passwd').read()") == "PermissionError"
    assert run_in_sandbox(folder, "result = open('/proc/self/environ').read()") == "PermissionError"
    assert run_in_sandbox(folder, f"import os\nresult = os.listdir({str(tmp_path)!r})") == (
        "PermissionError"
    )


def test_only_named_files_can_be_written(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "given.wav"
    target.write_text("whole")
    sandbox.run_program("cp", str(target), str(folder / "copy"), reads=[target], writes=[folder])
    assert (folder / "copy").read_text() == "whole"
    with pytest.raises(subprocess.CalledProcessError):
        sandbox.run_program("cp", str(folder / "copy"), str(target), reads=[folder / "copy"])
    with pytest.raises(subprocess.CalledProcessError):
        sandbox.run_program("mkdir", str(folder / "deeper"), writes=[folder])


def test_memory_output_and_time_are_bounded(folder: Path) -> None:
    assert run_in_sandbox(folder, "result = len(bytearray(1 << 30))") == "MemoryError"
    big = f"file = open({str(folder / 'big')!r}, 'wb')\nfile.write(bytes(9000))\nfile.close()"
    assert run_in_sandbox(folder, big, max_file_bytes=8192) == "OSError"
    assert (folder / "big").stat().st_size <= 8192
    with pytest.raises((subprocess.TimeoutExpired, subprocess.CalledProcessError)):
        run_in_sandbox(folder, "while True: pass", seconds=1)


def test_the_environment_is_not_passed_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_SECRET", "1")
    assert run_in_sandbox(folder, "import os\nresult = sorted(os.environ)") == ["LC_ALL", "PATH"]


def test_a_sandbox_that_cannot_be_set_up_raises_its_own_error(folder: Path) -> None:
    with pytest.raises(sandbox.SandboxError):
        sandbox.run_program("no-such-program")
    with pytest.raises(sandbox.SandboxError):
        sandbox.run_program("cat", reads=[folder / "missing"])


def test_a_playlist_for_sox_runs_and_downloads_nothing(folder: Path) -> None:
    """Even if it is passed as a playlist, neither its command nor its download is run."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        was_contacted = threading.Event()
        port = listener.getsockname()[1]

        def accept_connection() -> None:
            listener.accept()[0].close()
            was_contacted.set()

        threading.Thread(target=accept_connection, daemon=True).start()
        mark = folder / "ran"
        (folder / "a.m3u").write_text(f'http://127.0.0.1:{port}/";touch {mark};"\n')
        with pytest.raises(subprocess.CalledProcessError):
            sandbox.run_program("sox", str(folder / "a.m3u"), "-n", "stats", writes=[folder])
        assert not mark.exists()
        assert not was_contacted.is_set()
        socket.create_connection(("127.0.0.1", port)).close()  # to show that the listener works
        assert was_contacted.wait(5)
