"""The site's settings: one frozen, typed object read from one TOML file and passed down."""

import dataclasses
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dacite

from appliance.core.settings.box import (
    Audit,
    Backup,
    Links,
    Paths,
    Retention,
    SelfTests,
    Snapshots,
    Web,
)
from appliance.core.settings.messaging import Alarms, Duty, Messages, SmsAccount, SmsKind, Telegram
from appliance.core.settings.ministry import (
    MINISTRY_ACTIONS,
    MINISTRY_CODES,
    MINISTRY_FIELDS,
    Ministry,
)
from appliance.core.settings.people import Ldap, OpenId, SignIn
from appliance.core.settings.telephony import Asterisk, Calls, Outgoing, Trunk

__all__ = [
    "MINISTRY_ACTIONS",
    "MINISTRY_CODES",
    "MINISTRY_FIELDS",
    "Alarms",
    "Asterisk",
    "Audit",
    "Backup",
    "Calls",
    "Duty",
    "Ldap",
    "Links",
    "Messages",
    "Ministry",
    "OpenId",
    "Outgoing",
    "Paths",
    "Retention",
    "SelfTests",
    "Settings",
    "SettingsError",
    "SignIn",
    "SmsAccount",
    "SmsKind",
    "Snapshots",
    "Telegram",
    "Trunk",
    "Web",
    "load",
]


class SettingsError(ValueError):
    """The settings file is missing, unreadable, or holds an unknown or mistyped key."""


@dataclass(frozen=True)
class Settings:
    paths: Paths
    web: Web
    asterisk: Asterisk
    calls: Calls
    trunks: tuple[Trunk, ...]
    sms: tuple[SmsAccount, ...] = ()  # in the order of preference
    messages: Messages = field(default_factory=Messages)
    telegram: Telegram | None = None
    duty: tuple[Duty, ...] = ()  # in the order of asking
    alarms: Alarms = field(default_factory=Alarms)
    outgoing: Outgoing = field(default_factory=Outgoing)
    ministry: Ministry | None = None
    retention: Retention = field(default_factory=Retention)
    sign_in: SignIn = field(default_factory=SignIn)
    openid: OpenId | None = None
    ldap: Ldap | None = None
    links: Links = field(default_factory=Links)
    self_tests: SelfTests = field(default_factory=SelfTests)
    backups: tuple[Backup, ...] = ()
    snapshots: Snapshots = field(default_factory=Snapshots)
    audit: Audit = field(default_factory=Audit)
    timezone: str = "Asia/Tashkent"
    work_opens: str = "09:00"
    work_closes: str = "18:00"
    encrypted_disk: bool = False  # the site lies on a LUKS volume: a self-check looks
    file: Path = field(default=Path(), metadata={"doc": "the file these settings were read from"})

    @property
    def tz(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    def for_pages(self) -> "Settings":
        """As the process of the pages works with them: without what it need not know."""
        if not self.asterisk.pages_secret:
            return self
        return dataclasses.replace(self, asterisk=dataclasses.replace(self.asterisk, ami_secret=""))


def load(path: Path | str) -> Settings:
    """Read the settings from a TOML file.

    Raises SettingsError when the file cannot be read, when a key is unknown, missing or of the
    wrong type: a mistyped setting must not be passed over in silence.
    """
    path = Path(path).resolve()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        settings = dacite.from_dict(Settings, data, dacite.Config(strict=True, cast=[Path, tuple]))
    except (OSError, ValueError, dacite.DaciteError) as error:
        raise SettingsError(f"{path}: {error}") from error
    return dataclasses.replace(
        settings,
        paths=_from_folder(settings.paths, path.parent),
        web=_from_folder(settings.web, path.parent),
        asterisk=_from_folder(settings.asterisk, path.parent),
        ministry=settings.ministry and _with_keys(settings.ministry, path.parent),
        openid=settings.openid and _with_authority(settings.openid, path.parent),
        ldap=settings.ldap and _with_authority(settings.ldap, path.parent),
        backups=tuple(_backup(one, path.parent) for one in settings.backups),
        snapshots=_snapshots(settings.snapshots, path.parent),
        audit=Audit(*(_path(one, path.parent) for one in dataclasses.astuple(settings.audit))),
        file=path,
    )


def _backup(backup: Backup, folder: Path) -> Backup:
    return dataclasses.replace(
        backup,
        url=backup.url if ":" in backup.url else os.path.normpath(folder / backup.url),
        password_file=folder / backup.password_file,
        environment_file=_path(backup.environment_file, folder),
    )


def _snapshots(snapshots: Snapshots, folder: Path) -> Snapshots:
    return dataclasses.replace(
        snapshots,
        recovery_file=_path(snapshots.recovery_file, folder),
        secrets=tuple(_path(one, folder) for one in snapshots.secrets),
        replica=_path(snapshots.replica, folder),
    )


def _with_authority[T: (OpenId, Ldap)](party: T, folder: Path) -> T:
    return dataclasses.replace(party, ca=_path(party.ca, folder))


def _path(written: str, folder: Path) -> str:
    return str(folder / written) if written else ""


def _from_folder[T: (Paths, Web, Asterisk)](group: T, folder: Path) -> T:
    """Make the group's relative paths absolute."""
    values = ((f.name, getattr(group, f.name)) for f in dataclasses.fields(group))
    absolute: dict[str, Any] = {n: folder / v for n, v in values if isinstance(v, Path)}
    return dataclasses.replace(group, **absolute)


def _with_keys(ministry: Ministry, folder: Path) -> Ministry:
    """The paths of the keys made absolute."""
    return dataclasses.replace(
        ministry,
        own_key=ministry.own_key and str(folder / ministry.own_key),
        their_key=ministry.their_key and str(folder / ministry.their_key),
    )
