"""What a program in the sandbox can do, and cannot: tried by real programs of the system."""

import json
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from appliance.core import sandbox

PYTHON = "/usr/bin/python3"  # a program of the system, so that the sandbox lets it be read


def attempt(folder: Path, code: str, **given: int) -> object:
    """What a few lines of Python come to in the sandbox: their `result`, or the error's name."""
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    caught = "except Exception as error:\n    result = type(error).__name__"
    out = f"import json\nopen({str(folder / 'out')!r}, 'w').write(json.dumps(result))"
    script = f"try:\n{lines}\n{caught}\n{out}"
    sandbox.run(PYTHON, "-I", "-S", "-c", script, writes=[folder], **given)
    return json.loads((folder / "out").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside").mkdir()
    return tmp_path / "inside"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_no_socket_is_opened(folder: Path, family: str) -> None:
    code = f"import socket\nsocket.socket(getattr(socket, {family!r}))\nresult = 'open'"
    assert attempt(folder, code) == "PermissionError"


def test_no_other_process_is_touched(folder: Path) -> None:
    code = "import os\nos.kill(os.getppid(), 0)\nresult = 'reached'"
    assert attempt(folder, code) == "PermissionError"


@pytest.mark.parametrize("program", ["/bin/sh", "/usr/bin/wget", "/usr/bin/id"])
def test_no_other_program_is_started(folder: Path, program: str) -> None:
    code = f"import os\nos.execv({program!r}, [{program!r}])"
    assert attempt(folder, code) in ("PermissionError", "FileNotFoundError")
    assert attempt(folder, f"import os\nresult = os.system({program!r})") != 0


def test_only_the_named_files_are_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "settings.toml"
    secret.write_text("secret_key")
    read = f"result = open({str(secret)!r}).read()"
    assert attempt(folder, read) == "PermissionError"
    assert attempt(folder, "result = open('/etc/passwd').read()") == "PermissionError"
    assert attempt(folder, "result = open('/proc/self/environ').read()") == "PermissionError"
    assert attempt(folder, f"import os\nresult = os.listdir({str(tmp_path)!r})") == (
        "PermissionError"
    )


def test_only_the_named_files_are_written(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "given.wav"
    target.write_text("whole")
    sandbox.run("cp", str(target), str(folder / "copy"), reads=[target], writes=[folder])
    assert (folder / "copy").read_text() == "whole"
    with pytest.raises(subprocess.CalledProcessError):
        sandbox.run("cp", str(folder / "copy"), str(target), reads=[folder / "copy"])
    with pytest.raises(subprocess.CalledProcessError):
        sandbox.run("mkdir", str(folder / "deeper"), writes=[folder])


def test_memory_output_and_time_are_bounded(folder: Path) -> None:
    assert attempt(folder, "result = len(bytearray(1 << 30))") == "MemoryError"
    big = f"file = open({str(folder / 'big')!r}, 'wb')\nfile.write(bytes(9000))\nfile.close()"
    assert attempt(folder, big, largest=8192) == "OSError"
    assert (folder / "big").stat().st_size <= 8192
    with pytest.raises((subprocess.TimeoutExpired, subprocess.CalledProcessError)):
        attempt(folder, "while True: pass", seconds=1)


def test_the_environment_stays_outside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_SECRET", "1")
    assert attempt(folder, "import os\nresult = sorted(os.environ)") == ["LC_ALL", "PATH"]


def test_what_cannot_be_made_is_told_apart_from_what_fails(folder: Path) -> None:
    with pytest.raises(sandbox.SandboxError):
        sandbox.run("no-such-program")
    with pytest.raises(sandbox.SandboxError):
        sandbox.run("cat", reads=[folder / "missing"])


def test_a_playlist_of_sox_reaches_nobody(folder: Path) -> None:
    """Even were it named as one: neither its shell nor its download."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard = threading.Event()
        port = listener.getsockname()[1]

        def listen() -> None:
            listener.accept()[0].close()
            heard.set()

        threading.Thread(target=listen, daemon=True).start()
        mark = folder / "ran"
        (folder / "a.m3u").write_text(f'http://127.0.0.1:{port}/";touch {mark};"\n')
        with pytest.raises(subprocess.CalledProcessError):
            sandbox.run("sox", str(folder / "a.m3u"), "-n", "stats", writes=[folder])
        assert not mark.exists()
        assert not heard.is_set()
        socket.create_connection(("127.0.0.1", port)).close()  # the listener did listen
        assert heard.wait(5)
