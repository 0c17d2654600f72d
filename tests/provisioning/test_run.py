"""`./run`: its messages when it cannot do what was requested."""

import hashlib
import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from provisioning.local.site import SOURCE_ROOT

CLOSED_ADDRESS = "http://127.0.0.1:9"  # no server listens on the discard port
UNREACHABLE_REGISTRIES = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), CLOSED_ADDRESS),
    "npm_config_fetch_retry_mintimeout": "100",
    "no_proxy": "",
    "NO_PROXY": "",
}
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def run_command(
    *arguments: str, top: Path = SOURCE_ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(top / "run"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the files that the set-up reads, before the set-up."""
    lists = ("package.json", "package-lock.json", ".npmrc")
    for name in ("run", "setup.cfg", "pyproject.toml", "requirements-dev.lock", *lists):
        shutil.copy(SOURCE_ROOT / name, tmp_path / name)
    return tmp_path


def test_wrong_usage_shows_the_commands() -> None:
    process = run_command("fly")
    assert process.returncode == 2
    assert "usage: ./run" in process.stderr


def test_the_usage_names_every_command() -> None:
    commands = re.findall(
        r"^    (\w[\w| ]*)\)", (SOURCE_ROOT / "run").read_text(), flags=re.MULTILINE
    )
    usage = run_command("help").stderr
    for command in " ".join(commands).replace("|", " ").split():
        assert re.search(rf"\b{command}\b", usage), command


@needs_root
def test_missing_packages_without_root_are_reported_in_one_line(
    clone: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    for path in (clone, programs, programs / "dpkg-query", clone / "run"):
        path.chmod(0o755)
    for parent in clone.parents:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):  # noqa: S108  pytest's own
            parent.chmod(0o755)
    process = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(clone / "run"), "up"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
    )
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert "only root can install what is missing: python3 " in process.stderr


def test_a_missing_python_registry_is_reported_in_one_line_and_retried(clone: Path) -> None:
    process = run_command("up", top=clone, **UNREACHABLE_REGISTRIES)
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert "is the Python package index within reach?" in process.stderr
    assert str(clone / ".venv" / "set-up.log") in process.stderr
    assert not (clone / ".venv" / "stamps" / "python").exists()


def test_a_missing_npm_registry_is_reported_in_one_line_and_retried(clone: Path) -> None:
    stamps = clone / ".venv" / "stamps"
    stamps.mkdir(parents=True)
    (clone / ".venv" / "bin").symlink_to(SOURCE_ROOT / ".venv" / "bin")
    inputs = ("requirements-dev.lock", "setup.cfg", "pyproject.toml")
    digest = hashlib.sha256(b"".join((clone / name).read_bytes() for name in inputs))
    (stamps / "python").write_text(f"{digest.hexdigest()}  -\n")
    process = run_command(
        "up", top=clone, npm_config_cache=str(clone / "cache"), **UNREACHABLE_REGISTRIES
    )
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert "is the npm registry within reach?" in process.stderr
    assert not (stamps / "npm").exists()


def test_callers_without_a_site_are_refused_in_one_line(tmp_path: Path) -> None:
    process = run_command("callers", "2", SITE_DIR=str(tmp_path / "site"))
    assert (process.returncode, process.stderr.count("\n")) == (1, 1)
    assert "no site is running" in process.stderr


def test_down_without_a_site_reports_it(tmp_path: Path) -> None:
    process = run_command("down", SITE_DIR=str(tmp_path / "site"))
    assert (process.returncode, process.stdout) == (0, "nothing was running\n")


def test_every_dependency_is_locked() -> None:
    setup = ConfigParser()
    setup.read(SOURCE_ROOT / "setup.cfg")
    locks = {
        name: _locked_packages(SOURCE_ROOT / name)
        for name in ("requirements.lock", "requirements-dev.lock")
    }
    product = set(setup["options"]["install_requires"].split())
    tools = set(setup["options.extras_require"]["dev"].split())
    assert product <= locks["requirements.lock"]
    assert product | tools <= locks["requirements-dev.lock"]


def _locked_packages(file: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", file.read_text(), flags=re.MULTILINE))
