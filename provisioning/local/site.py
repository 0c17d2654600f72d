"""The local site: prepared, started in the background, waited for, stopped."""

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

from appliance.box import processes, snapshots
from appliance.core import db, settings, signatures
from appliance.pbx import config
from appliance.telephony import prompts
from provisioning.local import accounts, front, ministry, supervisor
from provisioning.local.place import AMI, GUNICORN, HTTP, SIP, TLS, Place
from provisioning.local.supervisor import Service

TOP = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("appliance")
CALLS_ITSELF = "SITE_CALLS_ITSELF"  # in the environment of the site's keeper
READY = 60.0  # seconds that a start may take
_OPTIONS = """OPTIONS sip:{box} SIP/2.0
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
    """The site cannot be started or used; the message is one line for the person who asked."""


def prepare(place: Place) -> None:
    """Everything that must lie there before the processes start; quick when it already does."""
    place.make()
    front.make_certificates(place)
    if not (key := place.folder / "audit.key").exists():
        signatures.make(key, key.with_suffix(".pub"))
    appliance(place, "migrate")
    site = settings.load(place.config)
    db.open_database(site.paths.database)
    description = accounts.describe(place)
    accounts.write(place, description)  # before the accounts: a password must not get lost
    if made := accounts.create(description):
        print(f"  {made} accounts made")
    if made := ministry.create():
        print(f"  {made} departments made")
    if made := len(prompts.synthesise(site.paths.prompts)):
        print(f"  {made} prompts spoken")
    prompts.show_to_asterisk(site.paths.prompts, site.asterisk.data)
    if made := len(config.install(site)):
        print(f"  {made} files of Asterisk's configuration written and tried out")
    for new in snapshots.prepare(site):
        print(f"  {new} made")
    db.database.close()


# Who comes before others, as the units of a box have it; without the right to that all are started
# alike. Tests, of which many go on at once, ask for none.
_AHEAD = 'n=${SITE_NICE:-$0}; echo "$n" 2>/dev/null >/proc/self/autogroup; exec nice -n "$n" "$@"'
_NICE = {"asterisk": -11, "web": -5}


def services(place: Place) -> list[Service]:
    """The site's processes in the order of their start."""
    site = settings.load(place.config)
    program = [str(PROGRAM), "--config", str(place.config)]
    asterisk = [*site.asterisk.command, "-f", "-C", str(site.paths.asterisk / "asterisk.conf")]
    commands = {"asterisk": asterisk}
    commands |= {name: [*program, name] for name in ("pbx", "web", "jobs")}
    if place.calls_itself:
        commands["carrier"] = [sys.executable, "-m", "provisioning.local", "carrier"]
    commands["front"] = front.configure(place, TOP / "appliance" / "built")
    for name, nice in _NICE.items():
        commands[name] = ["sh", "-c", _AHEAD, str(nice), *commands[name]]
    return [Service(name, command) for name, command in commands.items()]


def start(place: Place, tied: bool) -> None:
    """Prepare and start the site; returns when SIP and the pages answer.

    `tied`: the site ends when the calling process does. Raises SiteError.
    """
    if running(place):
        raise SiteError(f"the site in {place.folder} is running already; stop it by ./run down")
    supervisor.end_left_over(place.folder)
    require_ports(place)
    prepare(place)
    command = [sys.executable, "-m", "provisioning.local", "supervise"]
    if tied:
        command = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    with (place.logs / "site.log").open("ab") as log:
        keeper = subprocess.Popen(
            command,
            cwd=TOP,
            env={
                **os.environ,
                "SITE_DIR": str(place.folder),
                CALLS_ITSELF: "yes" if place.calls_itself else "",
                supervisor.MARK: str(place.folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await_ready(place, keeper)
    except (SiteError, KeyboardInterrupt):
        stop(place)
        raise


@contextlib.contextmanager
def trial(place: Place, fresh: bool = True) -> Iterator[Place]:
    """A site for one trial, started from nothing and stopped afterwards; its files stay to look at.

    `fresh`: what lies in its folder is removed first. Raises SiteError.
    """
    stop(place)
    if fresh:
        shutil.rmtree(place.folder, ignore_errors=True)
    start(place, tied=True)
    try:
        yield place
    finally:
        stop(place)


def keep(place: Place) -> None:
    """Be the process that keeps the site's processes, until told to stop."""
    with _lock(place) as lock:
        if not lock:
            raise SiteError("the site is running already")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        supervisor.supervise(services(place), place.run, place.logs)


def stop(place: Place) -> bool:
    """Stop the site; returns whether anything ran. Afterwards none of its processes is left."""
    keeper = running(place)
    if keeper:
        with contextlib.suppress(ProcessLookupError):
            os.kill(keeper, 15)
        limit = time.monotonic() + supervisor.GRACE + 5
        while running(place) and time.monotonic() < limit:
            time.sleep(0.05)
    return bool(supervisor.end_left_over(place.folder) or keeper)


def running(place: Place) -> int | None:
    """The process that keeps the site, or None. A lock tells, so an old pid cannot deceive."""
    if not place.run.is_dir():
        return None
    with _lock(place) as lock:
        if lock:
            return None
    return int((place.run / "site.pid").read_text("ascii") or 0) or None


def require_ports(place: Place) -> None:
    """Raise SiteError naming the first port of the box that somebody else holds."""
    wanted = [
        (SIP, socket.SOCK_DGRAM),
        *((p, socket.SOCK_STREAM) for p in (AMI, HTTP, GUNICORN, TLS)),
    ]
    for port, kind in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((place.box, port))
            except OSError as error:
                name, flag = ("udp", "u") if kind is socket.SOCK_DGRAM else ("tcp", "t")
                raise SiteError(
                    f"port {port}/{name} of {place.box} cannot be had ({error.strerror}); "
                    f"who holds it: ss -{flag}lnp 'sport = :{port}'"
                ) from error


def sip_answers(place: Place) -> bool:
    """Whether the box answers a SIP OPTIONS: a process that runs proves nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((place.carrier, 0))
        phone.settimeout(0.5)
        there = (place.box, SIP)
        here = f"{place.carrier}:{phone.getsockname()[1]}"
        phone.sendto(_OPTIONS.format(here=here, box=place.box, one=time.time_ns()).encode(), there)
        try:
            return phone.recv(4096).startswith(b"SIP/2.0 ")
        except OSError:
            return False


def pages_answer(place: Place) -> bool:
    """Whether /healthz says 200 through the TLS front."""
    trusted = ssl.create_default_context(cafile=place.folder / "tls" / "ca.pem")
    line = http.client.HTTPSConnection(place.box, TLS, timeout=5, context=trusted)
    return processes.serves(line)


def appliance(place: Place, *arguments: str) -> str:
    """What a command of the appliance prints on this site. Raises SiteError with its last line."""
    command = [str(PROGRAM), "--config", str(place.config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise SiteError(f"appliance {' '.join(arguments)}: {last[-1]}")
    return done.stdout


def _await_ready(place: Place, keeper: "subprocess.Popen[bytes]") -> None:
    limit = time.monotonic() + READY
    checks = {"SIP": sip_answers, "the pages": pages_answer}
    waiting = list(checks)
    while waiting:
        waiting = [name for name in waiting if not checks[name](place)]
        troubled = sorted(place.run.glob("*.trouble"))
        if troubled:
            log = place.logs / f"{troubled[0].stem}.log"
            raise SiteError(f"{troubled[0].stem} does not start: {_last_line(log)} (see {log})")
        if keeper.poll() is not None:
            log = place.logs / "site.log"
            raise SiteError(f"the site does not start: {_last_line(log)} (see {log})")
        if waiting and time.monotonic() > limit:
            raise SiteError(
                f"no answer from {' and '.join(waiting)}; see the files in {place.logs}"
            )
        time.sleep(0.05)


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"


@contextlib.contextmanager
def _lock(place: Place) -> Iterator[IO[str] | None]:
    """The site's lock, an open file that holds the keeper's pid; None when another has it."""
    with (place.run / "site.pid").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file
