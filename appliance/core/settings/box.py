"""Settings of files, web pages, retention, links, self-tests and snapshots."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where the site keeps its files; paths are relative to the settings file's folder."""

    database: Path  # the SQLite file
    event_log: Path  # Asterisk's channel event log (CEL), appended by Asterisk
    recordings: Path
    prompts: Path  # audio of the spoken texts: <prompts>/<lang>/<name>.wav
    asterisk: Path  # the folder into which Asterisk's configuration is rendered
    backups: Path  # the folder for work on snapshots and restores

    @property
    def issued_reports(self) -> Path:
        """The folder of the files of submitted reports; it is next to the database."""
        return self.database.parent / "issued"

    @property
    def restore_journal_file(self) -> Path:
        """The list of the files that a restore moves; it exists until the restore has ended."""
        return self.backups / "swap.json"


@dataclass(frozen=True)
class Web:
    """The appliance's web server, and the address of its pages."""

    bind: str  # where gunicorn listens, behind the TLS front
    url: str  # how people reach the site, https://…
    secret_key: str  # signs the sessions
    threads: int = 128  # requests served at the same time; an open page occupies no thread
    certificate: Path | None = None  # the TLS front's certificate, to warn before it expires


@dataclass(frozen=True)
class Retention:
    """How long recordings, and the personal data of closed appeals, are kept.

    The minimums, two months and two years, follow from table 3 of the quarterly report (report form
    №1).
    """

    recordings_months: int = 3  # months of 31 days
    appeals_years: int = 3  # after which a closed appeal's personal data is removed

    def __post_init__(self) -> None:
        """Raise ValueError if one of the two times is below its minimum."""
        if self.recordings_months < 2:
            raise ValueError("retention.recordings_months is at least 2")
        if self.appeals_years < 2:
            raise ValueError("retention.appeals_years is at least 2")


@dataclass(frozen=True)
class Links:
    """Which network links the appliance monitors; a link whose setting is "" is not monitored."""

    gateway: str = ""  # the router: an address, or "auto" for the default route's gateway
    dns: str = ""  # a name that is looked up
    internet: str = ""  # host:port that represents the internet at large
    every: int = 15  # seconds between two probes
    rate_url: str = ""  # a large file that is downloaded once a day to measure the rate
    rate_hour: int = 4  # the hour of that measurement, in the site's time

    def __post_init__(self) -> None:
        """Raise ValueError if `every` is not 1 to 90, or `rate_hour` not 0 to 23.

        A link's state becomes unknown when its last probe is 3 minutes old (MAX_LOOK_AGE of
        box.links): at 90 seconds, one probe can be lost before that.
        """
        if not 1 <= self.every <= 90:
            raise ValueError("links.every is 1 to 90: looks further apart tell of nothing between")
        dt.time(self.rate_hour)  # raises ValueError unless it is 0 to 23


@dataclass(frozen=True)
class SelfTests:
    """When the site tests itself, by test calls and by a drill without internet access.

    0 minutes, or the weekday 0, means never; the hour 0 is midnight.
    """

    call_minutes: int = 0  # between two test calls within the site
    offline_weekday: int = 0  # 1 Monday … 7 Sunday: the drill without internet access
    offline_hour: int = 4  # the hour of that drill, in the site's time
    carrier_minutes: int = 0  # between two test calls over each trunk


@dataclass(frozen=True)
class Backup:
    """A destination of snapshots: restic's repository, its key, and how many snapshots it keeps."""

    name: str  # shown in lists
    url: str  # a folder, sftp:USER@HOST:/FOLDER, s3:https://HOST/BUCKET
    password_file: Path  # contains the repository's key
    environment_file: str = ""  # lines NAME=VALUE: the account of an S3 service
    keep_daily: int = 14  # the number of days of which each day's last snapshot is kept
    keep_weekly: int = 8  # the same for weeks
    keep_monthly: int = 12  # the same for months


@dataclass(frozen=True)
class Snapshots:
    """When snapshots are made, what else they contain, and what limits the loss between them."""

    at: str = "01:30"  # when the nightly snapshot begins, in the site's time
    recovery_file: str = "recovery.key"  # decrypts the secrets in a snapshot
    secrets: tuple[str, ...] = ()  # additional files and folders stored with the secrets
    replica: str = ""  # folder on a second disk for the database's changes; "": no replica
    replica_days: int = 7  # how far back the replica can restore the database
    former_days: int = 30  # how long the replica keeps the copies of databases that were replaced
    contacts: tuple[str, ...] = ()  # "who: number", printed on the recovery sheet
    drill_recordings: int = 100  # how many recordings a restore drill reads back


@dataclass(frozen=True)
class Audit:
    """The files of the keys for the audit's head, its newest entry, which is signed each hour.

    The keys are Ed25519 in PEM. If both are "", nothing is signed.
    """

    key: str = ""  # the private key, which signs; readable by `appliance jobs` only
    public_key: str = ""  # verifies the signatures; readable by everyone who verifies the audit
