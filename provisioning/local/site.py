"""The local site: prepare it, start it in the background, await its answers, stop it."""

import contextlib
import fcntl
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from appliance.box import processes
from appliance.box.snapshots import creating
from appliance.core import db, settings, signatures
from appliance.pbx import config
from appliance.telephony import prompts
from provisioning.local import accounts, front, ministry, supervisor
from provisioning.local.place import AMI_PORT, GUNICORN_PORT, HTTP_PORT, SIP_PORT, TLS_PORT, Place
from provisioning.local.supervisor import Service

SOURCE_ROOT = Path(__file__).parents[2]
APPLIANCE_PROGRAM = Path(sys.executable).with_name("appliance")
CALLS_ITSELF_VARIABLE = "SITE_CALLS_ITSELF"  # environment variable of the site's keeper
START_TIMEOUT_SECONDS = 60.0  # time that a start may take
_OPTIONS_REQUEST = """OPTIONS sip:{box} SIP/2.0
Via: SIP/2.0/UDP {here};branch=z9hG4bK{one}
From: <sip:check@{here}>;tag=1
To: <sip:{box}>
Call-ID: {one}@{here}
CSeq: 1 OPTIONS
Contact: <sip:check@{here}>
Max-Forwards: 5
Content-Length: 0

""".replace("\n", "\r\n")


class SiteError(RuntimeError):
    """The site cannot be started or used; the message is one line for the user."""


def prepare_site(place: Place) -> None:
    """Make everything that must exist before the processes start; quick if it already exists."""
    place.make_files()
    front.make_certificates(place)
    if not (key := place.folder / "audit.key").exists():
        signatures.create_key_pair(key, key.with_suffix(".pub"))
    run_appliance(place, "migrate")
    site_settings = settings.load_settings(place.config_file)
    db.open_database(site_settings.paths.database)
    description = accounts.describe_site(place)
    # before the accounts, because a password must not get lost
    accounts.write_description(place, description)
    if count := accounts.create_accounts(description):
        print(f"  {count} accounts made")
    if count := ministry.create_departments():
        print(f"  {count} departments made")
    if count := len(prompts.synthesise_prompts(site_settings.paths.prompts)):
        print(f"  {count} prompts spoken")
    prompts.link_for_asterisk(site_settings.paths.prompts, site_settings.asterisk.data)
    if count := len(config.install_files(site_settings)):
        print(f"  {count} files of Asterisk's configuration written and tried out")
    for item in creating.prepare_repositories(site_settings):
        print(f"  {item} made")
    db.database.close()


# Priorities as in the systemd units of a box; without the right to raise priority, all processes
# start alike. Tests, many of which run at once, set no priority.
_NICE_SCRIPT = (
    'n=${SITE_NICE:-$0}; echo "$n" 2>/dev/null >/proc/self/autogroup; exec nice -n "$n" "$@"'
)
_NICE_BY_SERVICE = {"asterisk": -11, "web": -5}


def site_services(place: Place) -> list[Service]:
    """The site's processes in the order of their start."""
    site_settings = settings.load_settings(place.config_file)
    program = [str(APPLIANCE_PROGRAM), "--config", str(place.config_file)]
    asterisk_command = [
        *site_settings.asterisk.command,
        "-f",
        "-C",
        str(site_settings.paths.asterisk / "asterisk.conf"),
    ]
    commands = {"asterisk": asterisk_command}
    commands |= {name: [*program, name] for name in ("pbx", "web", "jobs")}
    if place.calls_itself:
        commands["carrier"] = [sys.executable, "-m", "provisioning.local", "carrier"]
    commands["front"] = front.write_config(place, SOURCE_ROOT / "appliance" / "built")
    for name, nice in _NICE_BY_SERVICE.items():
        commands[name] = ["sh", "-c", _NICE_SCRIPT, str(nice), *commands[name]]
    return [Service(name, command) for name, command in commands.items()]


def start_site(place: Place, tied: bool) -> None:
    """Prepare and start the site; returns when SIP and the pages answer.

    `tied`: the site ends when the calling process does. Raises SiteError.
    """
    if keeper_pid(place):
        raise SiteError(f"the site in {place.folder} is running already; stop it by ./run down")
    supervisor.end_marked_processes(place.folder)
    require_free_ports(place)
    prepare_site(place)
    command = [sys.executable, "-m", "provisioning.local", "supervise"]
    if tied:
        command = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    with (place.log_folder / "site.log").open("ab") as log:
        keeper = subprocess.Popen(
            command,
            cwd=SOURCE_ROOT,
            env={
                **os.environ,
                "SITE_DIR": str(place.folder),
                CALLS_ITSELF_VARIABLE: "yes" if place.calls_itself else "",
                supervisor.MARK_VARIABLE: str(place.folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await_ready(place, keeper)
    except (SiteError, KeyboardInterrupt):
        stop_site(place)
        raise


@contextlib.contextmanager
def trial_site(place: Place, fresh: bool = True) -> Iterator[Place]:
    """A site for one trial, started from nothing and stopped afterwards; its files remain.

    `fresh`: the contents of its folder are removed first. Raises SiteError.
    """
    stop_site(place)
    if fresh:
        shutil.rmtree(place.folder, ignore_errors=True)
    start_site(place, tied=True)
    try:
        yield place
    finally:
        stop_site(place)


def run_keeper(place: Place) -> None:
    """Be the process that keeps the site's processes running, until a signal stops it."""
    with _site_lock(place) as lock:
        if not lock:
            raise SiteError("the site is running already")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        supervisor.supervise_services(site_services(place), place.run_folder, place.log_folder)


def stop_site(place: Place) -> bool:
    """Stop the site; returns True if anything ran. Afterwards no process of it is left."""
    keeper = keeper_pid(place)
    if keeper:
        with contextlib.suppress(ProcessLookupError):
            os.kill(keeper, 15)
        limit = time.monotonic() + supervisor.STOP_TIMEOUT_SECONDS + 5
        while keeper_pid(place) and time.monotonic() < limit:
            time.sleep(0.05)
    return bool(supervisor.end_marked_processes(place.folder) or keeper)


def keeper_pid(place: Place) -> int | None:
    """The pid of the process that keeps the site, if any.

    A lock shows whether it runs, so a stale pid does no harm.
    """
    if not place.run_folder.is_dir():
        return None
    with _site_lock(place) as lock:
        if lock:
            return None
    return int((place.run_folder / "site.pid").read_text("ascii") or 0) or None


def require_free_ports(place: Place) -> None:
    """Raise SiteError for the first port of the box that another process holds."""
    ports = [
        (SIP_PORT, socket.SOCK_DGRAM),
        *((p, socket.SOCK_STREAM) for p in (AMI_PORT, HTTP_PORT, GUNICORN_PORT, TLS_PORT)),
    ]
    for port, kind in ports:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((place.box_address, port))
            except OSError as error:
                name, flag = ("udp", "u") if kind is socket.SOCK_DGRAM else ("tcp", "t")
                raise SiteError(
                    f"port {port}/{name} of {place.box_address} cannot be had ({error.strerror}); "
                    f"who holds it: ss -{flag}lnp 'sport = :{port}'"
                ) from error


def is_sip_answering(place: Place) -> bool:
    """Returns True if the box answers a SIP OPTIONS: a running process alone proves nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((place.carrier_address, 0))
        phone.settimeout(0.5)
        box_address = (place.box_address, SIP_PORT)
        own_address = f"{place.carrier_address}:{phone.getsockname()[1]}"
        phone.sendto(
            _OPTIONS_REQUEST.format(
                here=own_address, box=place.box_address, one=time.time_ns()
            ).encode(),
            box_address,
        )
        try:
            return phone.recv(4096).startswith(b"SIP/2.0 ")
        except OSError:
            return False


def are_pages_answering(place: Place) -> bool:
    """Returns True if /healthz answers 200 through the TLS front."""
    context = ssl.create_default_context(cafile=place.folder / "tls" / "ca.pem")
    connection = http.client.HTTPSConnection(
        place.box_address, TLS_PORT, timeout=5, context=context
    )
    return processes.is_serving(connection)


def run_appliance(place: Place, *arguments: str) -> str:
    """The output of a command of the appliance on this site.

    Raises SiteError with the last line of its errors.
    """
    command = [str(APPLIANCE_PROGRAM), "--config", str(place.config_file), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE_ROOT)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["it said nothing"]
        raise SiteError(f"appliance {' '.join(arguments)}: {lines[-1]}")
    return result.stdout


def _await_ready(place: Place, keeper: "subprocess.Popen[bytes]") -> None:
    """Wait until SIP and the pages answer.

    Raises SiteError if a process does not start, or after START_TIMEOUT_SECONDS.
    """
    limit = time.monotonic() + START_TIMEOUT_SECONDS
    checks = {"SIP": is_sip_answering, "the pages": are_pages_answering}
    waiting = list(checks)
    while waiting:
        waiting = [name for name in waiting if not checks[name](place)]
        trouble_files = sorted(place.run_folder.glob("*.trouble"))
        if trouble_files:
            log = place.log_folder / f"{trouble_files[0].stem}.log"
            raise SiteError(
                f"{trouble_files[0].stem} does not start: {_last_line(log)} (see {log})"
            )
        if keeper.poll() is not None:
            log = place.log_folder / "site.log"
            raise SiteError(f"the site does not start: {_last_line(log)} (see {log})")
        if waiting and time.monotonic() > limit:
            raise SiteError(
                f"no answer from {' and '.join(waiting)}; see the files in {place.log_folder}"
            )
        time.sleep(0.05)


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"


@contextlib.contextmanager
def _site_lock(place: Place) -> Iterator[IO[str] | None]:
    """The site's lock, an open file with the keeper's pid, unless another process holds it."""
    with (place.run_folder / "site.pid").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file
