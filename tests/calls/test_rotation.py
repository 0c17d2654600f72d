"""Keys and passwords of a site change while a citizen talks: no part of the call is lost."""

import base64
import dataclasses
import json
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import tomli_w

from appliance.casework.ministry import files, queue
from appliance.core import db, outbox, signatures
from appliance.core import settings as site_settings
from appliance.core.settings import OpenId
from appliance.models import Appeal, Message, SmsHealth, User
from appliance.pbx import actions
from provisioning.local import plans, site
from provisioning.local.callers import CallRound
from provisioning.local.phones import Handling
from provisioning.local.plans import Times
from tests.calls.conftest import running_hotline
from tests.calls.hotline import Hotline
from tests.rig.appeals import create_appeal
from tests.rig.fakes import ministry, sms, telegram
from tests.rig.outside import openid
from tests.rig.outside.party import ExternalServer
from tests.rig.waiting import wait_until

pytestmark = pytest.mark.calls
MAX_CALL_SECONDS = 400.0  # after this time the citizen hangs up


@pytest.fixture
def hotline(tmp_path: Path, synthesised_prompts: Path, migrated: Path) -> Iterator[Hotline]:
    """A separate site: the phones of other tests would have outdated passwords afterwards."""
    (folder := tmp_path / "site").mkdir()
    with running_hotline(folder, synthesised_prompts, migrated) as site_hotline:
        yield site_hotline


class OpenTalk:
    """A citizen who talks with an operator until the operator hangs up on command."""

    def __init__(self, hotline: Hotline) -> None:
        plan = plans.rated(plans.caller_number(1), Times(stays=MAX_CALL_SECONDS))
        plan = dataclasses.replace(plan, handling=Handling(talk=None))
        self.hotline, self.number = hotline, plan.number
        self.calls: CallRound = hotline.place_calls([plan])
        wait_until(lambda: self.calls.current_reports()[0].operator_extension, limit=60)
        operators = hotline.description["operators"]
        extension = self.calls.current_reports()[0].operator_extension
        self.operator = next(
            operator for operator in operators if operator["extension"] == extension
        )

    def is_open(self) -> bool:
        """Return True if the ledger holds the call without an end."""
        row = self.hotline.export_rows(self.calls.current_reports()).get(self.number)
        return row is not None and not row["ended_at"]

    def end_talk(self) -> None:
        """Hang up and check that the ledger holds the whole call."""
        reports = self.calls.current_reports()
        call = self.hotline.export_rows(reports)[self.number]["id"]
        settings = site_settings.load_settings(self.hotline.place.config_file)
        # refused when the call is over
        actions.hang_up_phone(settings, call, self.operator["extension"])
        reports = self.calls.wait_for_end(60)
        row = self.hotline.settled_rows(reports, limit=60)[self.number]
        assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
        assert [talk["who"] for talk in row["talks"]] == [self.operator["login"]]
        assert row["talk_seconds"] == pytest.approx(reports[0].talk_seconds, abs=2)
        assert not row["gaps"]
        assert len(row["recordings"]) == 1


def change_settings(hotline: Hotline, **tables: Any) -> None:
    """Replace these tables in the settings file."""
    file = hotline.place.config_file
    file.write_text(tomli_w.dumps(tomllib.loads(file.read_text("utf-8")) | tables), "utf-8")


def register_appeal(hotline: Hotline, gist: str) -> Appeal:
    """Register an operator's appeal that is to be sent to the ministry's system."""
    settings = site_settings.load_settings(hotline.place.config_file)
    with db.open_database(settings.paths.database).connection_context():
        operator = User.get(User.login == hotline.description["operators"][0]["login"])
        appeal = create_appeal(settings, operator, {"gist": gist})
        queue.queue_appeal(settings, appeal)
    return appeal


class UsbStick:
    """Signed files to and from the ministry, and the key pairs of both sides."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline, self.folder = hotline, hotline.place.folder / "stick"
        self.folder.mkdir()

    def use_key_pairs(self, name: str) -> None:
        """Make a key pair of that name for each side and enter them in the settings."""
        for side in ("ours", "theirs"):
            signatures.create_key_pair(
                self.key_file(side, name), self.key_file(side, name).with_suffix(".pub")
            )
        private_key, public_key = (
            self.key_file("ours", name),
            self.key_file("theirs", name).with_suffix(".pub"),
        )
        change_settings(
            self.hotline, ministry={"own_key": str(private_key), "their_key": str(public_key)}
        )

    def key_file(self, side: str, name: str) -> Path:
        return self.hotline.place.folder / f"{side}-{name}.pem"

    def is_signed(self, name: str) -> bool:
        """Return True if the export is signed by our key pair of that name."""
        self.hotline.appliance("ministry", "export", str(self.folder))
        file = self.folder / "hotline-000001.json"
        signature = file.with_name(f"{file.name}.sig").read_bytes()
        public = str(self.key_file("ours", name).with_suffix(".pub"))
        return signatures.is_signature_valid(file.read_bytes(), signature, public, "x")

    def import_package(self, name: str) -> str:
        """Import a package signed by the ministry's key of that name; return the output."""
        package = {"format": files.PACKAGE_FORMAT, "from": "ministry", "number": 1}
        file = self.folder / "ministry-000001.json"
        file.write_bytes(json.dumps(package).encode())
        signature = signatures.sign_bytes(
            file.read_bytes(), str(self.key_file("theirs", name)), "x"
        )
        file.with_name(f"{file.name}.sig").write_bytes(signature)
        return self.hotline.appliance("ministry", "import", str(file))


def test_each_key_is_changed_by_its_command_without_a_lost_call(hotline: Hotline) -> None:
    """Follows "Changing keys and passwords" in docs/operating.md."""
    folder, config = hotline.place.folder, hotline.place.config_file
    stick = UsbStick(hotline)
    stick.use_key_pairs("former")
    talk = OpenTalk(hotline)
    talking = talk.operator
    register_appeal(hotline, "for the stick")
    assert stick.is_signed("former")
    settings = tomllib.loads(config.read_text("utf-8"))
    settings["asterisk"]["ami_secret"] = "another one"
    settings["web"]["secret_key"] = "another one"

    phone_password = hotline.appliance("user", "phone-password", talking["login"]).strip()
    assert phone_password not in ("", talking["sip_password"])
    hotline.appliance("user", "second-factor", talking["login"], "--forget")
    config.write_text(tomli_w.dumps(settings), "utf-8")
    assert "manager.conf" in hotline.appliance("render")
    hotline.appliance("audit", "new-key", str(folder / "audit.key"), str(folder / "audit.pub"))
    for process in ("pbx", "web", "jobs"):
        hotline.kill_service(process)
    assert "repository.key" in hotline.appliance("backup", "rotate-keys")
    stick.use_key_pairs("next")
    assert stick.is_signed("next")
    assert not stick.is_signed("former")
    with pytest.raises(subprocess.CalledProcessError):
        stick.import_package("former")
    assert stick.import_package("next").startswith("1:")
    wait_until(lambda: site.are_pages_answering(hotline.place))

    wait_until(talk.is_open)
    talk.end_talk()
    # Asterisk obeys
    hotline.appliance("operator", "ready", hotline.description["operators"][1]["login"])
    hotline.appliance("audit", "verify")
    hotline.appliance("backup", "create")
    assert hotline.appliance("backup", "list")


@dataclasses.dataclass
class OutsideParties:
    """The services that receive messages, and the one that signs people in.

    Each accepts one secret; `send_messages` queues a message for each of them.
    """

    hotline: Hotline
    service: sms.SmsService
    chats: telegram.BotApi
    register: ministry.MinistrySystem
    message_count: int = 0
    identity_provider: ExternalServer | None = None  # the OpenID provider
    by_password: bool = False  # the ministry's system requires a user name and a password

    def require_secret(self, secret: str) -> OpenId:
        """Make each service accept this secret and no other."""
        self.service.password = self.register.token = secret
        if self.by_password:
            credentials = base64.b64encode(f"hotline:{secret}".encode()).decode()
            self.register.token = f"Basic {credentials}"
        self.service.tokens.clear()
        self.chats.token = f"1:{secret}"
        place = self.hotline.place
        self.stop_provider()
        address, back = f"{place.network_prefix}.20:8443", f"{place.pages_url}/login/openid/back"
        (folder := place.folder / "openid").mkdir(exist_ok=True)
        self.identity_provider, self.rules = openid.make_provider(folder, address, back, secret)
        self.identity_provider.start_server()
        return self.rules

    def stop_provider(self) -> None:
        """Stop the OpenID provider."""
        if self.identity_provider:
            self.identity_provider.stop_server()

    def write_settings(self, secret: str) -> None:
        """Do what the technician does: change the settings, then restart the processes."""
        account = {"name": "first", "kind": "eskiz", "url": self.service.url, "user": "u"}
        account |= {"password": secret, "callback_secret": secret, "sender": "1282"}
        system = {"user": "hotline", "password": secret} if self.by_password else {"token": secret}
        party = dataclasses.asdict(self.rules) | {"client_secret": secret}
        change_settings(
            self.hotline,
            sms=[account],
            telegram={"token": f"1:{secret}", "chat": -5, "url": self.chats.url},
            ministry={"url": self.register.url, "every": 5, **system},
            openid=party,
        )
        for process in ("web", "jobs"):
            self.hotline.kill_service(process)
        wait_until(lambda: site.are_pages_answering(self.hotline.place))

    def send_messages(self) -> None:
        """Queue a short message, an alert and an appeal for the ministry."""
        self.message_count += 1
        key, settings = (
            f"rotation {self.message_count}",
            site_settings.load_settings(self.hotline.place.config_file),
        )
        with db.open_database(settings.paths.database).connection_context():
            outbox.queue_sms("alarm", "+998901112233", key, key=key, tz=settings.tz)
            outbox.queue_message("telegram", "alarm", "-5", key=f"{key} t", text=key)
        register_appeal(self.hotline, key)

    def retry_messages(self) -> None:
        """Retry now, without waiting for the next turn or for the pause of the SMS account."""
        with db.open_database(self.hotline.place.folder / "data/appliance.db").connection_context():
            SmsHealth.update(held_until=None).execute()
            for message in Message.select().where(Message.state.in_(("pending", "refused"))):
                outbox.requeue_message(message)

    def has_received(self, count: int) -> bool:
        """Return True if each service has received this number of messages."""
        return (
            len({text for _, text in self.service.messages if "rotation" in text}) == count
            and len({text for _, text, _ in self.chats.messages if "rotation" in text}) == count
            and len(self.register.appeals) == count
        )

    def accepts_report(self, secret: str) -> bool:
        """Return True if the box accepts an SMS delivery report at the address with this secret."""
        with self.http_session() as service:
            report_url = f"{self.hotline.place.pages_url}/sms-reports/first/{secret}"
            return service.post(report_url, json={"message_id": "1", "status": "DELIVRD"}).ok

    def can_sign_in(self) -> bool:
        """Return True if a person whom the provider identifies can sign in."""
        with self.http_session() as person:
            redirect = person.get(
                f"{self.hotline.place.pages_url}/login/openid", allow_redirects=False
            )
            callback_url = openid.visit_provider(self.rules, redirect.headers["Location"], "n-1")
            return person.get(callback_url, allow_redirects=False).status_code == 302

    def http_session(self) -> requests.Session:
        session = requests.Session()
        session.verify, session.trust_env = str(self.hotline.place.folder / "tls/ca.pem"), False
        return session


def test_service_secrets_change_without_a_lost_call_or_message(hotline: Hotline) -> None:
    """The SMS service, bot, ministry and OpenID provider change their secret before the box does.

    Messages queued until the settings follow wait, and the former secret is refused.
    """
    login = hotline.description["operators"][0]["login"]
    hotline.appliance("user", "identity", login, "openid", "n-1")
    with (
        sms.run_sms_service() as service,
        telegram.run_bot_api() as chats,
        ministry.run_ministry() as register,
    ):
        outside = OutsideParties(hotline, service, chats, register)
        try:
            outside.require_secret("former")
            outside.write_settings("former")
            talk = OpenTalk(hotline)
            outside.send_messages()
            wait_until(lambda: outside.has_received(1), limit=120)
            assert outside.can_sign_in()
            assert outside.accepts_report("former")
            assert not outside.accepts_report("next")

            outside.require_secret("next")
            outside.send_messages()
            wait_until(
                lambda: (
                    service.refused_log_ins
                    and chats.refused_requests
                    and register.unknown_token_count
                ),
                limit=120,
            )
            assert outside.has_received(1)
            assert not outside.can_sign_in()
            outside.write_settings("next")
            outside.retry_messages()
            wait_until(lambda: outside.has_received(2), limit=120)
            assert outside.can_sign_in()
            assert not outside.accepts_report("former")
            assert outside.accepts_report("next")

            outside.by_password = True
            for number, secret in enumerate(("third", "fourth"), 3):
                before = register.unknown_token_count
                outside.require_secret(secret)
                outside.send_messages()
                wait_until(lambda before=before: register.unknown_token_count > before, limit=120)  # type: ignore[misc]
                assert len(register.appeals) == number - 1
                outside.write_settings(secret)
                outside.retry_messages()
                wait_until(lambda number=number: outside.has_received(number), limit=120)  # type: ignore[misc]

            wait_until(talk.is_open)
            talk.end_talk()
        finally:
            outside.stop_provider()
