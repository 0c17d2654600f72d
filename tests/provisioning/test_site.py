"""The local site: its addresses, its description, its processes from start to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import accounts, site, supervisor
from provisioning.local.place import SIP, Place
from tests.rig.waiting import until


def test_two_folders_have_different_addresses() -> None:
    networks = {Place(Path(f"/site/{number}")).network for number in range(20)}
    assert len(networks) == 20


def test_a_folder_keeps_its_addresses_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "site")
    assert Place(tmp_path / "link").network == Place(tmp_path / "site").network


def test_the_description_is_what_the_contract_says(tmp_path: Path) -> None:
    told = accounts.describe(Place(tmp_path))
    operators = told["operators"]
    assert len(operators) >= 25
    assert {tuple(o["languages"]) for o in operators} == {("uz", "ru"), ("uz",), ("ru",)}
    assert all(
        {"login", "password", "extension", "sip_password", "languages"} == set(o) for o in operators
    )
    assert set(told["users"]) == {"supervisor", "manager", "ministry", "technician", "backup"}
    assert len(told["ministry_employees"]) >= 3
    assert set(told["sip_trunk"]) == {"host", "port", "from"}
    assert set(told["operator_sip"]) == {"host", "port", "ws"}


def test_passwords_stay_over_a_restart_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    place = Place(tmp_path)
    first = accounts.describe(place)
    accounts.write(place, first)
    assert accounts.describe(place) == first
    assert place.description.stat().st_mode & 0o077 == 0


def test_no_two_accounts_share_a_password(tmp_path: Path) -> None:
    told = accounts.describe(Place(tmp_path))
    passwords = [one["password"] for one in (*told["operators"], *told["users"].values())]
    assert len(set(passwords)) == len(passwords) == 30


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_taken_port_is_one_line_that_says_who_to_ask(tmp_path: Path, kind: int) -> None:
    place = Place(tmp_path)
    port, letter = (SIP, "u") if kind == socket.SOCK_DGRAM else (8443, "t")
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((place.box, port))
        done = subprocess.run(
            [sys.executable, "-m", "provisioning.local", "up"],
            capture_output=True,
            text=True,
            cwd=site.TOP,
            env={**os.environ, "SITE_DIR": str(tmp_path)},
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port}/{letter}" in done.stderr
    assert f"ss -{letter}lnp 'sport = :{port}'" in done.stderr


def test_asterisk_has_the_processor_first_where_that_is_ours_to_give() -> None:
    asked = subprocess.run(
        ["nice", "-n", "-11", "nice"], capture_output=True, text=True, check=True
    )
    program = ["sh", "-c", site._AHEAD, str(site._NICE["asterisk"]), "nice"]
    usual = {name: held for name, held in os.environ.items() if name != "SITE_NICE"}
    told = subprocess.run(program, env=usual, capture_output=True, text=True, check=True)
    assert told.stdout == asked.stdout


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A supervisor of one process that has a child of its own, in tmp_path."""
    program = (
        "from pathlib import Path; from provisioning.local import supervisor as s;"
        "s.supervise([s.Service('sleeper', ['sh', '-c', 'sleep 1000 & wait'])],"
        f"Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=site.TOP,
        env={**os.environ, supervisor.MARK: str(tmp_path)},
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()
    supervisor.end_left_over(tmp_path)


def test_a_killed_process_comes_back(keeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    first = until(lambda: _pid(tmp_path))
    os.kill(first, signal.SIGKILL)
    second = until(lambda: _pid(tmp_path) != first and _pid(tmp_path))
    # keeper, shell, sleep: what the killed shell had started is gone
    until(lambda: len(supervisor.left_over(tmp_path)) == 3)
    assert second in supervisor.left_over(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_supervisor_leaves_nothing(
    keeper: "subprocess.Popen[bytes]", tmp_path: Path, number: signal.Signals
) -> None:
    until(lambda: _pid(tmp_path))
    keeper.send_signal(number)
    assert keeper.wait(15) == 0
    until(lambda: supervisor.left_over(tmp_path) == [])


def test_what_a_killed_supervisor_leaves_is_ended_by_down(
    keeper: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    until(lambda: _pid(tmp_path))
    keeper.kill()
    keeper.wait()
    site.stop(Place(tmp_path))
    assert supervisor.left_over(tmp_path) == []


@pytest.mark.calls
def test_up_and_down(tmp_path: Path) -> None:
    place = Place(tmp_path)
    environment = {**os.environ, "SITE_DIR": str(tmp_path)}
    for _ in range(2):  # the second start finds everything prepared
        subprocess.run([site.TOP / "run", "up"], check=True, env=environment)
        try:
            assert site.pages_answer(place)
            assert site.sip_answers(place)
            told = json.loads(place.description.read_text())
            assert told["web"] == place.url
            assert (tmp_path / "appliance.toml").stat().st_mode & 0o077 == 0
            # Its carrier puts a test call through; what is heard both ways ends with status 0.
            assert "back" in site.appliance(place, "selftest", "carrier", "carrier")
        finally:
            subprocess.run([site.TOP / "run", "down"], check=True, env=environment)
        assert supervisor.left_over(tmp_path) == []
        site.require_ports(place)


def _pid(folder: Path) -> int:
    file = folder / "sleeper.pid"
    return int(file.read_text()) if file.exists() else 0
