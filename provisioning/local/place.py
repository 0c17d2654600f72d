"""Where a local site lives: its folder, and loopback addresses that no other site uses."""

import hashlib
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.local import asterisk, settings_file
from provisioning.local.settings_file import Table

SIP, AMI, HTTP = 5060, 5038, 8088
GUNICORN, TLS = 8000, 8443
HOTLINE = "1006"


@dataclass(frozen=True)
class Place:
    """A site's folder and addresses. Two folders give two networks 127.A.B.0."""

    folder: Path
    calls_itself: bool = False  # has a carrier, and places test calls as a box does

    @property
    def network(self) -> str:
        """The first three octets; 127.0 and 127.254 are left to others on this machine."""
        digest = hashlib.sha256(str(self.folder.resolve()).encode()).digest()
        return f"127.{digest[0] % 250 + 1}.{digest[1]}"

    @property
    def box(self) -> str:
        """Where the box listens."""
        return f"{self.network}.1"

    @property
    def carrier(self) -> str:
        """Where calls of the citizens come from."""
        return f"{self.network}.2"

    @property
    def phones(self) -> str:
        """Where the operators' phones are."""
        return f"{self.network}.10"

    @property
    def url(self) -> str:
        """How people reach the pages."""
        return f"https://{self.box}:{TLS}"

    @property
    def config(self) -> Path:
        """The appliance's settings file."""
        return self.folder / "appliance.toml"

    @property
    def description(self) -> Path:
        """What `./run up` writes for whoever wants to use the site."""
        return self.folder / "site.json"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.folder / "log"

    @property
    def run(self) -> Path:
        """Process ids by name, and what else lives as long as the processes."""
        return self.folder / "run"

    def make(self) -> None:
        """Make the folders and the settings file; secrets made once are kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for folder in (self.logs, self.run, self.folder / "backups", self.folder / "data"):
            folder.mkdir(exist_ok=True)
        asterisk.make_data(self.folder / "asterisk" / "data")
        kept = tomllib.loads(self.config.read_text("utf-8")) if self.config.exists() else {}
        self.config.touch(mode=0o600)
        self.config.write_text(self._settings(kept), "utf-8")

    def _settings(self, kept: dict[str, dict[str, str]]) -> str:
        def secret(table: str, key: str) -> str:
            return kept.get(table, {}).get(key) or secrets.token_urlsafe(32)

        tables: dict[str, Table | Sequence[Table]] = {
            "paths": {
                "database": "data/appliance.db",
                "event_log": "asterisk/log/cel-custom/events.csv",
                "recordings": "recordings",
                "prompts": "prompts",
                "asterisk": "asterisk/etc",
                "backups": "backups",
            },
            "web": {
                "bind": f"{self.box}:{GUNICORN}",
                "url": self.url,
                "certificate": "tls/server.pem",
                "secret_key": secret("web", "secret_key"),
            },
            "asterisk": {
                "address": self.box,
                "modules": str(asterisk.MODULES),
                **{name: f"asterisk/{name}" for name in ("data", "run", "log", "spool", "var")},
                **{
                    name: secret("asterisk", name)
                    for name in ("ami_secret", "pages_secret", "guesses_secret")
                },
                "certificate": "tls/server.pem",
                "certificate_key": "tls/server.key",
                "plain_phones": ["*"],  # simulated ones speak UDP
                "command": asterisk.command(),
                "sip_port": SIP,
                "ami_port": AMI,
                "http_port": HTTP,
                "browser_phones": True,
            },
            "sign_in": settings_file.EASY,  # who tries the site has no telephone
            "calls": {"hotline_number": HOTLINE},
            "backups": [
                {"name": "disk", "url": "backups/repository", "password_file": "repository.key"}
            ],
            "trunks": [{"name": "carrier", "address": self.carrier}],
            "audit": {"key": "audit.key", "public_key": "audit.pub"},
            **(
                {"self_tests": {"call_minutes": 10, "carrier_minutes": 10}}
                if self.calls_itself
                else {}
            ),
        }
        written = settings_file.written(tables)
        return f"# Written anew by every start of the local site.\n\n{written}"
