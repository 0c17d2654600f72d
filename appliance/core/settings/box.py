"""Where things lie, the pages, how long things are kept, links, tests, snapshots."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where the site keeps its files; relative paths count from the settings file's folder."""

    database: Path
    event_log: Path  # Asterisk's channel event log (CEL), appended by Asterisk
    recordings: Path
    prompts: Path  # audio of the spoken texts: <prompts>/<lang>/<name>.wav
    asterisk: Path  # folder that Asterisk's configuration is rendered into
    backups: Path

    @property
    def unfinished_restore(self) -> Path:
        """What a restore has moved so far; it is there only while one goes on, or was stopped."""
        return self.backups / "swap.json"


@dataclass(frozen=True)
class Web:
    bind: str  # where gunicorn listens, behind the TLS front
    url: str  # how people reach the site, https://…
    secret_key: str
    threads: int = 128  # requests that are answered at the same time; an open page holds none
    certificate: Path | None = None  # of the TLS front, to tell when it ends


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
    carrier_minutes: int = 0  # between two test calls over each trunk


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
    former_days: int = 30  # how long the copies of replaced databases stay
    contacts: tuple[str, ...] = ()  # "who: number", printed on the recovery sheet
    drill_recordings: int = 100  # how many a restore drill reads back


@dataclass(frozen=True)
class Audit:
    """Files of the key that signs the audit's head each hour, Ed25519 in PEM; "": not signed."""

    key: str = ""  # readable by `appliance jobs` only
    public_key: str = ""  # for all who verify
