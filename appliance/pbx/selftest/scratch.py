"""A small site next to the real one: same plan and prompts, empty database, its own processes."""

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
from appliance.core import db, schema
from appliance.core import settings as reader
from appliance.core.settings import Links, SelfTests, Settings, Trunk
from appliance.pbx import config
from appliance.people import accounts, presence
from appliance.telephony import routing

OPERATOR_LOGIN, OPERATOR_EXTENSION = "drill", "1000"
SITE_ADDRESS, CARRIER_ADDRESS = "127.0.0.1", "127.0.0.77"


@dataclass(frozen=True)
class ScratchSite:
    """The settings of the small site, and its one operator's password and SIP password."""

    settings: Settings
    password: str
    sip_password: str


def create_site(settings: Settings, folder: Path) -> ScratchSite:
    """Create the site in a folder; afterwards, the open database is the site's.

    The site has the real one's plan, prompts and addresses of hosts, one operator who is ready, and
    neither SMS accounts nor a bot. Its processes are started by `run_site`.
    """
    plan, host_names = routing.current_plan(settings), hosts.stored_addresses()
    prompts = folder / "prompts"
    _copy_sounds(settings.paths.prompts, prompts)
    folders: dict[str, Any] = {name: folder / name for name in ("run", "log", "spool", "var")}
    site_settings = dataclasses.replace(
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
            settings.web, bind=f"{SITE_ADDRESS}:8000", secret_key=secrets.token_hex(32), threads=20
        ),
        asterisk=dataclasses.replace(
            settings.asterisk, address=SITE_ADDRESS, ami_secret=secrets.token_hex(16), **folders
        ),
        trunks=(Trunk("drill", CARRIER_ADDRESS),),
        sms=(),
        telegram=None,
        duty=(),
        links=Links(),
        self_tests=SelfTests(),
    )
    file = folder / "appliance.toml"
    file.write_text(settings_to_toml(site_settings), "utf-8")
    site_settings = reader.load_settings(file)
    db.open_database(site_settings.paths.database)
    schema.apply_migrations()
    catalogs.seed_lists()
    forms.seed_product_forms()
    password = secrets.token_urlsafe(16)
    user = accounts.create_account(
        OPERATOR_LOGIN,
        "Drill",
        "operator",
        password,
        extension=OPERATOR_EXTENSION,
        speaks=tuple(accounts.CALL_LANGUAGES),
    )
    presence.choose_state(user, "ready")
    hosts.store_addresses(host_names)
    carriers = tuple(trunk for trunk in plan.trunks if trunk.kind == "sip")
    trunks = (*routing.initial_plan(site_settings).trunks, *carriers)  # E1 is the real site's
    routing.save_plan(dataclasses.replace(plan, trunks=trunks, routes=()), OPERATOR_LOGIN)
    config.install_files(site_settings)
    return ScratchSite(site_settings, password, user.sip_password)


@contextlib.contextmanager
def run_site(settings: Settings) -> Iterator[None]:
    """Run the processes of the site; they end with this process, however it ends."""
    conf = str(settings.paths.asterisk / "asterisk.conf")
    commands = (
        [*settings.asterisk.command, "-f", "-C", conf],
        selftests.appliance_command(settings, "pbx"),
        selftests.appliance_command(settings, "web"),
    )
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(  # noqa: S603  our own processes
                    ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield
    finally:
        config.stop_processes(*processes)


def _copy_sounds(prompts: Path, destination: Path) -> None:
    """Copy the current prompts; folders get the default mode: the jobs' sandbox allows no other."""
    for folder, subfolders, files in prompts.walk():
        if "versions" in subfolders:  # former recordings of the prompts
            subfolders.remove("versions")
        target = destination / folder.relative_to(prompts)
        target.mkdir()
        for file in files:
            shutil.copyfile(folder / file, target / file)


def settings_to_toml(settings: Settings) -> str:
    """Return the settings as the text of a file that `load_settings` reads."""
    top_lines, tables = [], []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name == "file" or value is None:
            continue
        if dataclasses.is_dataclass(value):
            tables.append(_toml_table(f"[{field.name}]", value))
        elif isinstance(value, tuple):
            tables += [_toml_table(f"[[{field.name}]]", row) for row in value]
        else:
            top_lines.append(f"{field.name} = {json.dumps(value)}")
    return "\n".join([*top_lines, *tables]) + "\n"


def _toml_table(head: str, row: object) -> str:
    """Return one table of the file under the line `head`; fields that are None are left out."""
    lines = [head]
    for field in dataclasses.fields(row):  # type: ignore[arg-type]  # a dataclass of the settings
        value = getattr(row, field.name)
        json_value = str(value) if isinstance(value, Path) else value
        if json_value is not None:
            lines.append(f"{field.name} = {json.dumps(json_value)}")
    return "\n".join(lines)
