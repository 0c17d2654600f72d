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
from provisioning.local.place import SIP_PORT, Place
from tests.rig.waiting import wait_until


def test_two_folders_have_different_addresses() -> None:
    networks = {Place(Path(f"/site/{number}")).network_prefix for number in range(20)}
    assert len(networks) == 20


def test_a_folder_has_the_same_addresses_under_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "site")
    assert Place(tmp_path / "link").network_prefix == Place(tmp_path / "site").network_prefix


def test_the_description_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    description = accounts.describe_site(Place(tmp_path))
    operators = description["operators"]
    assert len(operators) >= 25
    assert {tuple(o["languages"]) for o in operators} == {("uz", "ru"), ("uz",), ("ru",)}
    assert all(
        {"login", "password", "extension", "sip_password", "languages"} == set(o) for o in operators
    )
    assert set(description["users"]) == {
        "supervisor",
        "manager",
        "ministry",
        "technician",
        "backup",
    }
    assert len(description["ministry_employees"]) >= 3
    assert set(description["sip_trunk"]) == {"host", "port", "from"}
    assert set(description["operator_sip"]) == {"host", "port", "ws"}


def test_passwords_survive_a_restart_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    place = Place(tmp_path)
    first = accounts.describe_site(place)
    accounts.write_description(place, first)
    assert accounts.describe_site(place) == first
    assert place.description_file.stat().st_mode & 0o077 == 0


def test_no_two_accounts_share_a_password(tmp_path: Path) -> None:
    description = accounts.describe_site(Place(tmp_path))
    passwords = [
        account["password"]
        for account in (*description["operators"], *description["users"].values())
    ]
    assert len(set(passwords)) == len(passwords) == 30


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_an_occupied_port_is_reported_in_one_line_with_a_command(tmp_path: Path, kind: int) -> None:
    place = Place(tmp_path)
    port, letter = (SIP_PORT, "u") if kind == socket.SOCK_DGRAM else (8443, "t")
    with socket.socket(socket.AF_INET, kind) as occupying_socket:
        occupying_socket.bind((place.box_address, port))
        process = subprocess.run(
            [sys.executable, "-m", "provisioning.local", "up"],
            capture_output=True,
            text=True,
            cwd=site.SOURCE_ROOT,
            env={**os.environ, "SITE_DIR": str(tmp_path)},
        )
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1
    assert f"port {port}/{letter}" in process.stderr
    assert f"ss -{letter}lnp 'sport = :{port}'" in process.stderr


def test_asterisk_gets_its_priority_where_the_user_may_set_it() -> None:
    expected = subprocess.run(
        ["nice", "-n", "-11", "nice"], capture_output=True, text=True, check=True
    )
    program = ["sh", "-c", site._NICE_SCRIPT, str(site._NICE_BY_SERVICE["asterisk"]), "nice"]
    environment = {name: value for name, value in os.environ.items() if name != "SITE_NICE"}
    process = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert process.stdout == expected.stdout


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A supervisor of one process that has a child of its own, in tmp_path."""
    program = (
        "from pathlib import Path; from provisioning.local import supervisor as s;"
        "s.supervise_services([s.Service('sleeper', ['sh', '-c', 'sleep 1000 & wait'])],"
        f"Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=site.SOURCE_ROOT,
        env={**os.environ, supervisor.MARK_VARIABLE: str(tmp_path)},
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()
    supervisor.end_marked_processes(tmp_path)


def test_a_killed_process_is_restarted(keeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    first = wait_until(lambda: _sleeper_pid(tmp_path))
    os.kill(first, signal.SIGKILL)
    second = wait_until(lambda: _sleeper_pid(tmp_path) != first and _sleeper_pid(tmp_path))
    # keeper, shell and sleep; the killed shell's child has ended
    wait_until(lambda: len(supervisor.marked_processes(tmp_path)) == 3)
    assert second in supervisor.marked_processes(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_supervisor_leaves_no_process(
    keeper: "subprocess.Popen[bytes]", tmp_path: Path, number: signal.Signals
) -> None:
    wait_until(lambda: _sleeper_pid(tmp_path))
    keeper.send_signal(number)
    assert keeper.wait(15) == 0
    wait_until(lambda: supervisor.marked_processes(tmp_path) == [])


def test_down_ends_the_processes_of_a_killed_supervisor(
    keeper: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    wait_until(lambda: _sleeper_pid(tmp_path))
    keeper.kill()
    keeper.wait()
    site.stop_site(Place(tmp_path))
    assert supervisor.marked_processes(tmp_path) == []


@pytest.mark.calls
def test_a_site_goes_up_twice_and_down(tmp_path: Path) -> None:
    place = Place(tmp_path)
    environment = {**os.environ, "SITE_DIR": str(tmp_path)}
    for _ in range(2):  # the second start finds everything prepared
        subprocess.run([site.SOURCE_ROOT / "run", "up"], check=True, env=environment)
        try:
            assert site.are_pages_answering(place)
            assert site.is_sip_answering(place)
            description = json.loads(place.description_file.read_text())
            assert description["web"] == place.pages_url
            assert (tmp_path / "appliance.toml").stat().st_mode & 0o077 == 0
            # Its carrier connects a test call; sound received in both directions gives status 0.
            assert "back" in site.run_appliance(place, "selftest", "carrier", "carrier")
        finally:
            subprocess.run([site.SOURCE_ROOT / "run", "down"], check=True, env=environment)
        assert supervisor.marked_processes(tmp_path) == []
        site.require_free_ports(place)


def _sleeper_pid(folder: Path) -> int:
    file = folder / "sleeper.pid"
    return int(file.read_text()) if file.exists() else 0
