"""A small site beside the real one: its plan and prompts, an empty database, its own processes."""

import contextlib
import dataclasses
import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.box import selftests
from appliance.box.links import hosts
from appliance.casework import catalogs, forms
from appliance.core import db
from appliance.core import settings as reader
from appliance.core.settings import Links, SelfTests, Settings, Trunk
from appliance.pbx import config
from appliance.people import accounts, presence
from appliance.telephony import routing

LOGIN, EXTENSION = "drill", "1000"
HOST, CARRIER = "127.0.0.1", "127.0.0.77"


@dataclass(frozen=True)
class Scratch:
    """The settings of the small site, and its one operator's password and SIP password."""

    settings: Settings
    password: str
    sip_password: str


def make(settings: Settings, folder: Path) -> Scratch:
    """Prepare the site in a folder; its database is the open one from then on."""
    current, names = routing.current(settings), hosts.known()
    prompts = folder / "prompts"
    _copy_sounds(settings.paths.prompts, prompts)
    places: dict[str, Any] = {name: folder / name for name in ("run", "log", "spool", "var")}
    made = dataclasses.replace(
        settings,
        paths=dataclasses.replace(
            settings.paths,
            database=folder / "site.db",
            event_log=folder / "log" / "cel-custom" / "events.csv",
            recordings=folder / "recordings",
            prompts=prompts,
            asterisk=folder / "etc",
            backups=folder / "backups",
        ),
        web=dataclasses.replace(
            settings.web, bind=f"{HOST}:8000", secret_key=secrets.token_hex(32), threads=20
        ),
        asterisk=dataclasses.replace(
            settings.asterisk, address=HOST, ami_secret=secrets.token_hex(16), **places
        ),
        trunks=(Trunk("drill", CARRIER),),
        sms=(),
        telegram=None,
        duty=(),
        links=Links(),
        self_tests=SelfTests(),
    )
    file = folder / "appliance.toml"
    file.write_text(as_toml(made), "utf-8")
    made = reader.load(file)
    db.open_database(made.paths.database)
    db.migrate()
    catalogs.seed()
    forms.seed()
    password = secrets.token_urlsafe(16)
    user = accounts.add(
        LOGIN,
        "Drill",
        "operator",
        password,
        extension=EXTENSION,
        speaks=tuple(accounts.CALL_LANGUAGES),
    )
    presence.choose_state(user, "ready")
    hosts.remember(names)
    carriers = tuple(trunk for trunk in current.trunks if trunk.kind == "sip")
    trunks = (*routing.first(made).trunks, *carriers)  # E1 channels belong to the real site
    routing.save(dataclasses.replace(current, trunks=trunks, routes=()), LOGIN)
    config.install(made)
    return Scratch(made, password, user.sip_password)


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[None]:
    """The processes of the site; they end with this one, however it ends."""
    conf = str(settings.paths.asterisk / "asterisk.conf")
    commands = (
        [*settings.asterisk.command, "-f", "-C", conf],
        selftests.command(settings, "pbx"),
        selftests.command(settings, "web"),
    )
    started = []
    try:
        for command in commands:
            started.append(
                subprocess.Popen(  # noqa: S603  our own processes
                    ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield
    finally:
        config.end(*started)


def _copy_sounds(prompts: Path, into: Path) -> None:
    """What is spoken now, without the folders' modes: the jobs' cell lets nobody set such bits."""
    for folder, below, files in prompts.walk():
        if "versions" in below:
            below.remove("versions")
        copies = into / folder.relative_to(prompts)
        copies.mkdir()
        for file in files:
            shutil.copyfile(folder / file, copies / file)


def as_toml(settings: Settings) -> str:
    """Settings as a file that `settings.load` reads."""
    top, tables = [], []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name == "file" or value is None:
            continue
        if dataclasses.is_dataclass(value):
            tables.append(_table(f"[{field.name}]", value))
        elif isinstance(value, tuple):
            tables += [_table(f"[[{field.name}]]", row) for row in value]
        else:
            top.append(f"{field.name} = {json.dumps(value)}")
    return "\n".join([*top, *tables]) + "\n"


def _table(head: str, row: object) -> str:
    lines = [head]
    for field in dataclasses.fields(row):  # type: ignore[arg-type]  # a dataclass of the settings
        value = getattr(row, field.name)
        plain = str(value) if isinstance(value, Path) else value
        if plain is not None:
            lines.append(f"{field.name} = {json.dumps(plain)}")
    return "\n".join(lines)
