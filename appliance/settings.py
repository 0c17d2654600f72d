"""The site's settings: one frozen, typed object read from one TOML file and passed down."""

import dataclasses
import datetime as dt
import ipaddress
import os
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import dacite


class SettingsError(ValueError):
    """The settings file is missing, unreadable, or holds an unknown or mistyped key."""


@dataclass(frozen=True)
class Paths:
    """Where the site keeps its files; relative paths count from the settings file's folder."""

    database: Path
    event_log: Path  # Asterisk's channel event log (CEL), appended by Asterisk
    recordings: Path
    prompts: Path  # audio of the spoken texts: <prompts>/<lang>/<name>.wav
    asterisk: Path  # folder that Asterisk's configuration is rendered into
    backups: Path


@dataclass(frozen=True)
class Web:
    bind: str  # where gunicorn listens, behind the TLS front
    url: str  # how people reach the site, https://…
    secret_key: str
    threads: int = 96  # an open page holds one thread for its event stream
    certificate: Path | None = None  # of the TLS front, to tell when it ends


@dataclass(frozen=True)
class Trunk:
    """A carrier's SIP trunk, recognised by the address it sends from."""

    name: str
    address: str
    port: int = 5060


@dataclass(frozen=True)
class SmsAccount:
    """An account at an SMS gateway."""

    name: str
    kind: Literal["eskiz", "playmobile", "smpp", "modem"]
    url: str  # https://…; host:port of an SMPP centre; a modem's device
    user: str = ""
    password: str = ""
    sender: str = ""
    callback_secret: str = ""  # in the path of the service's delivery reports; "": none are taken
    approval: bool = False  # the service takes only texts that it has approved
    replies: bool = False  # citizens can answer; a modem's number always takes answers
    low_balance: int = 0  # below it the technician is warned; 0: never

    @property
    def takes_replies(self) -> bool:
        """Whether what citizens send to the sender's number reaches us."""
        return self.kind == "modem" or (self.kind == "smpp" and self.replies)


@dataclass(frozen=True)
class Messages:
    """How citizens are written to."""

    public_url: str = ""  # how citizens' phones reach the site, for links; "": no links are sent
    quiet_from: str = "21:00"  # what can wait waits through the night
    quiet_to: str = "08:00"
    per_number: int = 6  # messages to one number within a day; more wait for the next one
    per_day: int = 3000  # of what can wait, to all numbers within a day

    def __post_init__(self) -> None:
        for moment in (self.quiet_from, self.quiet_to):
            dt.time.fromisoformat(moment)


@dataclass(frozen=True)
class Telegram:
    """The bot that alerts the ministry's group; it only ever connects outwards."""

    token: str
    chat: int  # the group's id, negative
    url: str = "https://api.telegram.org"
    phone: Literal["masked", "full", "none"] = "masked"  # how the citizen's number is shown
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"
    minutes: int = 15  # without a taker, then the next on the duty list is asked
    summary: str = "18:00"  # time of day of the daily summary; "": none

    def __post_init__(self) -> None:
        if self.summary:
            dt.time.fromisoformat(self.summary)


@dataclass(frozen=True)
class Duty:
    """Somebody on duty, asked when nobody of the group takes an appeal."""

    name: str
    chat: int = 0  # with the bot; 0: none
    phone: str = ""  # for an SMS when nobody of the list has taken it either


@dataclass(frozen=True)
class Alarms:
    """Whom faults of the box are told to; nobody here: everybody on duty."""

    chat: int = 0  # with the bot, or a group's; 0: none
    phones: tuple[str, ...] = ()  # for SMS
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"


# What the ministry's system is sent of an appeal; made by ministry.mapping.
MINISTRY_FIELDS = (
    *("number", "version", "state", "department", "received_at", "registered_on", "due_on"),
    *("answered_on", "answer", "applicant_kind", "appeal_type", "appeal_type_text", "call_type"),
    *("call_type_text", "direction", "direction_text", "group", "group_text", "employment"),
    *("employment_text", "openness", "first_name", "surname", "entity_name", "stir", "sex"),
    *("passport", "pinfl", "born_on", "born_text", "region", "region_text", "district"),
    *("district_text", "mahalla", "mahalla_text", "address", "phone", "phone_at_hand", "gist"),
)
MINISTRY_CODES: dict[str, tuple[str, ...]] = {  # list → our codes, where they never change
    "state": ("registered", "taken", "returned", "answered", "closed"),
    "applicant_kind": ("person", "entity"),
    "openness": ("open", "personal"),
    "sex": ("m", "f"),
    **dict.fromkeys(("appeal_type", "call_type", "direction", "group", "employment"), ()),
    **dict.fromkeys(("department", "region", "district", "mahalla"), ()),
}
MINISTRY_ACTIONS = (
    *("take", "answer", "interim", "return", "extend", "dismiss", "close", "reopen"),
    *("acknowledged", "refused"),
)


@dataclass(frozen=True)
class Ministry:
    """The ministry's own system: its address, or only keys for signed files; names and codes."""

    url: str = ""  # where its interface begins; "": signed files only
    token: str = ""
    user: str = ""  # with a password, when there is no token
    password: str = ""
    every: int = 60  # seconds between two questions for answers
    own_key: str = ""  # file: our private key, Ed25519 in PEM
    their_key: str = ""  # file: the ministry's public key
    fields: dict[str, str] = field(default_factory=dict)  # our name → theirs; "": left out
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # list → our code → theirs
    actions: dict[str, str] = field(default_factory=dict)  # their word for what was done → ours

    def __post_init__(self) -> None:
        _known("ministry.fields", self.fields, MINISTRY_FIELDS)
        _known("ministry.codes", self.codes, MINISTRY_CODES)
        for name, codes in self.codes.items():
            _known(f"ministry.codes.{name}", codes, MINISTRY_CODES[name] or codes)
        _known("ministry.actions", self.actions.values(), MINISTRY_ACTIONS)
        called: dict[str, list[str]] = {}
        for name in MINISTRY_FIELDS:
            if name in self.fields or not name.endswith("_text"):  # those make way
                called.setdefault(self.fields.get(name, name), []).append(name)
        for theirs, ours in called.items():
            if theirs and len(ours) > 1:
                raise ValueError(f"ministry.fields: {', '.join(ours)} are {theirs} all at once")


@dataclass(frozen=True)
class Asterisk:
    address: str  # where Asterisk listens for SIP and sends sound from; see `inside`
    modules: Path
    data: Path  # Asterisk's own sounds and documentation
    run: Path
    log: Path
    spool: Path
    var: Path
    ami_secret: str
    command: tuple[str, ...] = ("/usr/sbin/asterisk",)  # how the program is started
    sip_port: int = 5060
    ami_port: int = 5038
    http_port: int = 8088
    agi_port: int = 4573  # where `appliance pbx` answers the dialplan's look-ups
    rtp_first: int = 10000
    rtp_last: int = 19999
    certificate: Path | None = None  # shown to carriers who call over TLS
    certificate_key: Path | None = None

    @property
    def inside(self) -> str:
        """Where commands and look-ups are answered: never outside this machine."""
        return self.address if ipaddress.ip_address(self.address).is_loopback else "127.0.0.1"


@dataclass(frozen=True)
class Calls:
    """How a call is treated; seconds unless the name says otherwise."""

    hotline_number: str
    menu_timeout: int = 4
    ring: int = 15
    max_wait: int = 300
    wrap_up: int = 0
    short_abandon: float = 5.0
    service_level: float = 20.0
    rating_timeout: int = 6
    compress_after: int = 3600  # after the last sound; until then a recording stays as written
    test_number: str = ""  # called over a trunk to try it


@dataclass(frozen=True)
class Retention:
    """How long things are kept; the least is what report form №1, table 3, asks for."""

    recordings_months: int = 3
    appeals_years: int = 3  # then a closed appeal's personal data are removed

    def __post_init__(self) -> None:
        if self.recordings_months < 2:
            raise ValueError("retention.recordings_months is at least 2")
        if self.appeals_years < 2:
            raise ValueError("retention.appeals_years is at least 2")


@dataclass(frozen=True)
class Links:
    """What of the way outside is watched; "" and 0: nothing is asked."""

    gateway: str = ""  # an address, or "auto" for that of the default route
    dns: str = ""  # a name that is looked up
    internet: str = ""  # host:port that stands for the internet at large
    every: int = 15  # seconds between two looks
    rate_url: str = ""  # a large file that is fetched to measure the rate
    rate_hour: int = 4  # of the site's time

    def __post_init__(self) -> None:
        if not 1 <= self.every <= 90:
            raise ValueError("links.every is 1 to 90: looks further apart tell of nothing between")
        dt.time(self.rate_hour)


@dataclass(frozen=True)
class SelfTests:
    """When the site tests itself; 0: never."""

    call_minutes: int = 0  # between two test calls
    offline_weekday: int = 0  # 1 Monday … 7 Sunday: the drill without the internet
    offline_hour: int = 4  # of the site's time


@dataclass(frozen=True)
class Backup:
    """A place that snapshots go to: restic's repository, its key, and how many are kept."""

    name: str
    url: str  # a folder, sftp:USER@HOST:/FOLDER, s3:https://HOST/BUCKET
    password_file: Path
    environment_file: str = ""  # lines NAME=VALUE: the account at an S3 service
    keep_daily: int = 14
    keep_weekly: int = 8
    keep_monthly: int = 12


@dataclass(frozen=True)
class Snapshots:
    """When snapshots are made, what else goes into them, and what bounds the loss between them."""

    at: str = "01:30"
    recovery_file: str = "recovery.key"  # opens the secrets in a snapshot
    secrets: tuple[str, ...] = ()  # further files and folders that go with the secrets
    replica: str = ""  # folder on a second disk for the database's changes; "": none
    replica_days: int = 7
    drill_recordings: int = 100  # how many a restore drill reads back


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
    ministry: Ministry | None = None
    retention: Retention = field(default_factory=Retention)
    links: Links = field(default_factory=Links)
    self_tests: SelfTests = field(default_factory=SelfTests)
    backups: tuple[Backup, ...] = ()
    snapshots: Snapshots = field(default_factory=Snapshots)
    timezone: str = "Asia/Tashkent"
    work_opens: str = "09:00"
    work_closes: str = "18:00"
    file: Path = field(default=Path(), metadata={"doc": "the file these settings were read from"})

    @property
    def tz(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)


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
        backups=tuple(_backup(one, path.parent) for one in settings.backups),
        snapshots=_snapshots(settings.snapshots, path.parent),
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


def _known(where: str, named: Iterable[str], known: Collection[str]) -> None:
    if strange := sorted({*named} - {*known}):
        raise ValueError(f"{where}: {', '.join(strange)}: none of {', '.join(known)}")
