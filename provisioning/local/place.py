"""Where a local site is: its folder, and loopback addresses that no other site uses."""

import hashlib
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.local import asterisk, settings_file
from provisioning.local.settings_file import Table

SIP_PORT, AMI_PORT, HTTP_PORT = 5060, 5038, 8088
GUNICORN_PORT, TLS_PORT = 8000, 8443
HOTLINE_NUMBER = "1006"


@dataclass(frozen=True)
class Place:
    """A site's folder and addresses; the folder determines the network 127.A.B.0."""

    folder: Path
    calls_itself: bool = False  # has a carrier, and places test calls like a box

    @property
    def network_prefix(self) -> str:
        """The first three octets; 127.0 and 127.254 are left to other programs on this machine."""
        digest = hashlib.sha256(str(self.folder.resolve()).encode()).digest()
        return f"127.{digest[0] % 250 + 1}.{digest[1]}"

    @property
    def box_address(self) -> str:
        """The address on which the box listens."""
        return f"{self.network_prefix}.1"

    @property
    def carrier_address(self) -> str:
        """The address from which citizens' calls come."""
        return f"{self.network_prefix}.2"

    @property
    def phones_address(self) -> str:
        """The address of the operators' phones."""
        return f"{self.network_prefix}.10"

    @property
    def pages_url(self) -> str:
        """The address of the pages for browsers."""
        return f"https://{self.box_address}:{TLS_PORT}"

    @property
    def config_file(self) -> Path:
        """The appliance's settings file."""
        return self.folder / "appliance.toml"

    @property
    def description_file(self) -> Path:
        """The file that `./run up` writes for people and programs that use the site."""
        return self.folder / "site.json"

    @property
    def log_folder(self) -> Path:
        """The folder of logs, one file per process."""
        return self.folder / "log"

    @property
    def run_folder(self) -> Path:
        """Process ids by name, and other files that last as long as the processes."""
        return self.folder / "run"

    def make_files(self) -> None:
        """Make the folders and the settings file; secrets from an earlier start are kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for folder in (
            self.log_folder,
            self.run_folder,
            self.folder / "backups",
            self.folder / "data",
        ):
            folder.mkdir(exist_ok=True)
        asterisk.make_data_folder(self.folder / "asterisk" / "data")
        stored = (
            tomllib.loads(self.config_file.read_text("utf-8")) if self.config_file.exists() else {}
        )
        self.config_file.touch(mode=0o600)
        self.config_file.write_text(self._settings_text(stored), "utf-8")

    def _settings_text(self, stored: dict[str, dict[str, str]]) -> str:
        def stored_secret(table: str, key: str) -> str:
            return stored.get(table, {}).get(key) or secrets.token_urlsafe(32)

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
                "bind": f"{self.box_address}:{GUNICORN_PORT}",
                "url": self.pages_url,
                "certificate": "tls/server.pem",
                "secret_key": stored_secret("web", "secret_key"),
            },
            "asterisk": {
                "address": self.box_address,
                "modules": str(asterisk.MODULES_FOLDER),
                **{name: f"asterisk/{name}" for name in ("data", "run", "log", "spool", "var")},
                **{
                    name: stored_secret("asterisk", name)
                    for name in ("ami_secret", "pages_secret", "guesses_secret")
                },
                "certificate": "tls/server.pem",
                "certificate_key": "tls/server.key",
                "plain_phones": ["*"],  # simulated phones use UDP
                "command": asterisk.start_command(),
                "sip_port": SIP_PORT,
                "ami_port": AMI_PORT,
                "http_port": HTTP_PORT,
                "browser_phones": True,
            },
            "sign_in": settings_file.EASY_SIGN_IN,  # people who try the site have no second factor
            "calls": {"hotline_number": HOTLINE_NUMBER},
            "backups": [
                {"name": "disk", "url": "backups/repository", "password_file": "repository.key"}
            ],
            "trunks": [{"name": "carrier", "address": self.carrier_address}],
            "audit": {"key": "audit.key", "public_key": "audit.pub"},
            **(
                {"self_tests": {"call_minutes": 10, "carrier_minutes": 10}}
                if self.calls_itself
                else {}
            ),
        }
        text = settings_file.toml_text(tables)
        return f"# Rewritten at every start of the local site.\n\n{text}"
