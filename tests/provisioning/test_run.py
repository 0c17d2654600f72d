"""`./run`: what it says when it cannot do what it was asked."""

import hashlib
import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from provisioning.local.site import TOP

NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port
UNREACHABLE = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE),
    "npm_config_fetch_retry_mintimeout": "100",
    "no_proxy": "",
    "NO_PROXY": "",
}
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def run(*arguments: str, top: Path = TOP, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(top / "run"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the set-up reads, nothing of it done yet."""
    lists = ("package.json", "package-lock.json", ".npmrc")
    for name in ("run", "setup.cfg", "pyproject.toml", "requirements-dev.lock", *lists):
        shutil.copy(TOP / name, tmp_path / name)
    return tmp_path


def test_wrong_use_shows_the_commands() -> None:
    done = run("fly")
    assert done.returncode == 2
    assert "usage: ./run" in done.stderr


def test_the_usage_names_every_command() -> None:
    commands = re.findall(r"^    (\w[\w| ]*)\)", (TOP / "run").read_text(), flags=re.MULTILINE)
    told = run("help").stderr
    for command in " ".join(commands).replace("|", " ").split():
        assert re.search(rf"\b{command}\b", told), command


@needs_root
def test_missing_packages_and_not_root_is_one_line(clone: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    for path in (clone, programs, programs / "dpkg-query", clone / "run"):
        path.chmod(0o755)
    for parent in clone.parents:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):  # noqa: S108  pytest's own
            parent.chmod(0o755)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(clone / "run"), "up"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "only root can install what is missing: python3 " in done.stderr


def test_no_python_registry_is_one_line_and_can_be_tried_again(clone: Path) -> None:
    done = run("up", top=clone, **UNREACHABLE)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is the Python package index within reach?" in done.stderr
    assert str(clone / ".venv" / "set-up.log") in done.stderr
    assert not (clone / ".venv" / "stamps" / "python").exists()


def test_no_npm_registry_is_one_line_and_can_be_tried_again(clone: Path) -> None:
    stamps = clone / ".venv" / "stamps"
    stamps.mkdir(parents=True)
    (clone / ".venv" / "bin").symlink_to(TOP / ".venv" / "bin")
    inputs = ("requirements-dev.lock", "setup.cfg", "pyproject.toml")
    digest = hashlib.sha256(b"".join((clone / name).read_bytes() for name in inputs))
    (stamps / "python").write_text(f"{digest.hexdigest()}  -\n")
    done = run("up", top=clone, npm_config_cache=str(clone / "cache"), **UNREACHABLE)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is the npm registry within reach?" in done.stderr
    assert not (stamps / "npm").exists()


def test_callers_without_a_site_is_one_line(tmp_path: Path) -> None:
    done = run("callers", "2", SITE_DIR=str(tmp_path / "site"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no site is running" in done.stderr


def test_down_without_a_site_says_so(tmp_path: Path) -> None:
    done = run("down", SITE_DIR=str(tmp_path / "site"))
    assert (done.returncode, done.stdout) == (0, "nothing was running\n")


def test_every_dependency_is_locked() -> None:
    setup = ConfigParser()
    setup.read(TOP / "setup.cfg")
    locks = {name: _locked(TOP / name) for name in ("requirements.lock", "requirements-dev.lock")}
    product = set(setup["options"]["install_requires"].split())
    tools = set(setup["options.extras_require"]["dev"].split())
    assert product <= locks["requirements.lock"]
    assert product | tools <= locks["requirements-dev.lock"]


def _locked(file: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", file.read_text(), flags=re.MULTILINE))
