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
from appliance.core.settings.people import ROLES, Ldap, OpenId, SignIn
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
    "load_settings",
    "ROLES",
]


class SettingsError(ValueError):
    """The settings file is missing or unreadable, or a key in it is unknown, missing or invalid."""


@dataclass(frozen=True)
class Settings:
    """All settings of the site (an installation); each field is a table or value of the TOML file.

    An optional table that is None, such as `telegram`, switches its function off.
    """

    paths: Paths
    web: Web
    asterisk: Asterisk
    calls: Calls
    trunks: tuple[Trunk, ...]
    sms: tuple[SmsAccount, ...] = ()  # in the order of preference
    messages: Messages = field(default_factory=Messages)
    telegram: Telegram | None = None
    duty: tuple[Duty, ...] = ()  # people on duty, in the order in which they are asked
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
    work_opens: str = "09:00"  # the ministry's working hours
    work_closes: str = "18:00"
    encrypted_disk: bool = False  # the site is on a LUKS volume; a self-check verifies it
    file: Path = field(default=Path(), metadata={"doc": "the file these settings were read from"})

    @property
    def tz(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    def without_ami_secret(self) -> "Settings":
        """Return the settings for the web process: without `ami_secret` if `pages_secret` is set.

        Then the web process logs in to AMI with its own account, whose password is `pages_secret`.
        """
        if not self.asterisk.pages_secret:
            return self
        return dataclasses.replace(self, asterisk=dataclasses.replace(self.asterisk, ami_secret=""))


def load_settings(path: Path | str) -> Settings:
    """Read the settings from a TOML file.

    Raises SettingsError if the file cannot be read, or if a key is unknown, missing or of the wrong
    type: a mistyped setting must not be ignored silently.
    """
    path = Path(path).resolve()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        settings = dacite.from_dict(Settings, data, dacite.Config(strict=True, cast=[Path, tuple]))
    except (OSError, ValueError, dacite.DaciteError) as error:
        raise SettingsError(f"{path}: {error}") from error
    return dataclasses.replace(
        settings,
        paths=_resolve_paths(settings.paths, path.parent),
        web=_resolve_paths(settings.web, path.parent),
        asterisk=_resolve_paths(settings.asterisk, path.parent),
        ministry=settings.ministry and _resolve_keys(settings.ministry, path.parent),
        openid=settings.openid and _resolve_ca_path(settings.openid, path.parent),
        ldap=settings.ldap and _resolve_ca_path(settings.ldap, path.parent),
        backups=tuple(_resolve_backup(item, path.parent) for item in settings.backups),
        snapshots=_resolve_snapshots(settings.snapshots, path.parent),
        audit=Audit(  # its fields are all paths
            *(_absolute_path(item, path.parent) for item in dataclasses.astuple(settings.audit))
        ),
        file=path,
    )


def _resolve_backup(backup: Backup, folder: Path) -> Backup:
    """Return a backup's settings with absolute paths; relative ones start at `folder`.

    A URL without a colon is the path of a local folder.
    """
    return dataclasses.replace(
        backup,
        url=backup.url if ":" in backup.url else os.path.normpath(folder / backup.url),
        password_file=folder / backup.password_file,
        environment_file=_absolute_path(backup.environment_file, folder),
    )


def _resolve_snapshots(snapshots: Snapshots, folder: Path) -> Snapshots:
    """Return the snapshots' settings with absolute paths; relative ones start at `folder`."""
    return dataclasses.replace(
        snapshots,
        recovery_file=_absolute_path(snapshots.recovery_file, folder),
        secrets=tuple(_absolute_path(secret_path, folder) for secret_path in snapshots.secrets),
        replica=_absolute_path(snapshots.replica, folder),
    )


def _resolve_ca_path[T: (OpenId, Ldap)](section: T, folder: Path) -> T:
    """Return a section with an absolute path of its CA certificate.

    A relative path starts at `folder`; "" (not set) stays "".
    """
    return dataclasses.replace(section, ca=_absolute_path(section.ca, folder))


def _absolute_path(path: str, folder: Path) -> str:
    """Return a path made absolute, starting at `folder`; "" (not set) stays ""."""
    return str(folder / path) if path else ""


def _resolve_paths[T: (Paths, Web, Asterisk)](section: T, folder: Path) -> T:
    """Return a section of the settings with absolute paths; relative ones start at `folder`.

    The paths are its fields of the type Path.
    """
    values = ((f.name, getattr(section, f.name)) for f in dataclasses.fields(section))
    absolute: dict[str, Any] = {n: folder / v for n, v in values if isinstance(v, Path)}
    return dataclasses.replace(section, **absolute)


def _resolve_keys(ministry: Ministry, folder: Path) -> Ministry:
    """Return the ministry's settings with absolute paths of its key files.

    Relative ones start at `folder`; "" (no such key) stays "".
    """
    return dataclasses.replace(
        ministry,
        own_key=ministry.own_key and str(folder / ministry.own_key),
        their_key=ministry.their_key and str(folder / ministry.their_key),
    )
