"""Keys and passwords of a site are changed while a citizen talks: nothing of the call is lost."""

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

from appliance.casework import appeals, catalogs
from appliance.casework.ministry import files, queue
from appliance.core import db, outbox, signatures
from appliance.core import settings as site_settings
from appliance.core.settings import OpenId
from appliance.models import Appeal, Message, SmsHealth, User
from appliance.pbx import actions
from provisioning.local import plans, site
from provisioning.local.callers import Round
from provisioning.local.phones import Handling
from provisioning.local.plans import Times
from tests.calls.conftest import running
from tests.calls.hotline import Hotline
from tests.rig.fakes import ministry, sms, telegram
from tests.rig.outside import openid
from tests.rig.outside.party import Party
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
LIMIT = 400.0  # seconds after which the citizen gives up


@pytest.fixture
def hotline(tmp_path: Path, spoken: Path, migrated: Path) -> Iterator[Hotline]:
    """A site of its own: another test's phones would not know their passwords any more."""
    (folder := tmp_path / "site").mkdir()
    with running(folder, spoken, migrated) as begun:
        yield begun


class Talk:
    """A citizen who talks with an operator until that one is told to hang up."""

    def __init__(self, hotline: Hotline) -> None:
        plan = plans.rated(plans.number(1), Times(stays=LIMIT))
        plan = dataclasses.replace(plan, handling=Handling(talk=None))
        self.hotline, self.number = hotline, plan.number
        self.calls: Round = hotline.call([plan])
        until(lambda: self.calls.reports()[0].operator, limit=60)
        operators = hotline.facts["operators"]
        extension = self.calls.reports()[0].operator
        self.operator = next(one for one in operators if one["extension"] == extension)

    def goes_on(self) -> bool:
        """Whether the ledger knows of it, and of no end."""
        row = self.hotline.export(self.calls.reports()).get(self.number)
        return row is not None and not row["ended_at"]

    def end(self) -> None:
        """Hang up, and find all of it in the ledger."""
        reports = self.calls.reports()
        call = self.hotline.export(reports)[self.number]["id"]
        settings = site_settings.load(self.hotline.place.config)
        actions.hang_up(settings, call, self.operator["extension"])  # refused when it is over
        reports = self.calls.wait(60)
        row = self.hotline.settled(reports, limit=60)[self.number]
        assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
        assert [talk["who"] for talk in row["talks"]] == [self.operator["login"]]
        assert row["talk_seconds"] == pytest.approx(reports[0].talk_seconds, abs=2)
        assert not row["gaps"]
        assert len(row["recordings"]) == 1


def changed(hotline: Hotline, **tables: Any) -> None:
    """The settings with these tables in place of the former ones."""
    file = hotline.place.config
    file.write_text(tomli_w.dumps(tomllib.loads(file.read_text("utf-8")) | tables), "utf-8")


def registered(hotline: Hotline, gist: str) -> Appeal:
    """An appeal of an operator's, to be sent to the ministry's system."""
    settings = site_settings.load(hotline.place.config)
    with db.open_database(settings.paths.database).connection_context():
        operator = User.get(User.login == hotline.facts["operators"][0]["login"])
        appeal = appeals.register(
            {"gist": gist},
            operator=operator,
            token=appeals.token_for(operator, None),
            tz=settings.tz,
            calendar=catalogs.working_calendar(settings),
        )
        queue.registered(settings, appeal)
    return appeal


class Stick:
    """Signed files to and from the ministry, and both sides' pairs of keys."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline, self.folder = hotline, hotline.place.folder / "stick"
        self.folder.mkdir()

    def takes(self, name: str) -> None:
        """A pair of that name for each side, in the settings."""
        for side in ("ours", "theirs"):
            signatures.make(self.key(side, name), self.key(side, name).with_suffix(".pub"))
        own, their = self.key("ours", name), self.key("theirs", name).with_suffix(".pub")
        changed(self.hotline, ministry={"own_key": str(own), "their_key": str(their)})

    def key(self, side: str, name: str) -> Path:
        return self.hotline.place.folder / f"{side}-{name}.pem"

    def is_signed(self, name: str) -> bool:
        """Whether what is exported bears the signature of the pair of that name."""
        self.hotline.appliance("ministry", "export", str(self.folder))
        file = self.folder / "hotline-000001.json"
        signature = file.with_name(f"{file.name}.sig").read_bytes()
        public = str(self.key("ours", name).with_suffix(".pub"))
        return signatures.is_signed(file.read_bytes(), signature, public, "x")

    def told(self, name: str) -> str:
        """What the box says to a file of the ministry's that is signed by its key of that name."""
        package = {"format": files.FORMAT, "from": "ministry", "number": 1}
        file = self.folder / "ministry-000001.json"
        file.write_bytes(json.dumps(package).encode())
        signature = signatures.sign(file.read_bytes(), str(self.key("theirs", name)), "x")
        file.with_name(f"{file.name}.sig").write_bytes(signature)
        return self.hotline.appliance("ministry", "import", str(file))


def test_each_by_its_command_without_a_lost_call(hotline: Hotline) -> None:
    """As docs/operating.md says, "Changing keys and passwords"."""
    folder, config = hotline.place.folder, hotline.place.config
    stick = Stick(hotline)
    stick.takes("former")
    talk = Talk(hotline)
    talking = talk.operator
    registered(hotline, "for the stick")
    assert stick.is_signed("former")
    settings = tomllib.loads(config.read_text("utf-8"))
    settings["asterisk"]["ami_secret"] = "another one"
    settings["web"]["secret_key"] = "another one"

    given = hotline.appliance("user", "phone-password", talking["login"]).strip()
    assert given not in ("", talking["sip_password"])
    hotline.appliance("user", "second-factor", talking["login"], "--forget")
    config.write_text(tomli_w.dumps(settings), "utf-8")
    assert "manager.conf" in hotline.appliance("render")
    hotline.appliance("audit", "new-key", str(folder / "audit.key"), str(folder / "audit.pub"))
    for process in ("pbx", "web", "jobs"):
        hotline.kill(process)
    assert "repository.key" in hotline.appliance("backup", "rotate-keys")
    stick.takes("next")
    assert stick.is_signed("next")
    assert not stick.is_signed("former")
    with pytest.raises(subprocess.CalledProcessError):
        stick.told("former")
    assert stick.told("next").startswith("1:")
    until(lambda: site.pages_answer(hotline.place))

    until(talk.goes_on)
    talk.end()
    hotline.appliance("operator", "ready", hotline.facts["operators"][1]["login"])  # Asterisk obeys
    hotline.appliance("audit", "verify")
    hotline.appliance("backup", "create")
    assert hotline.appliance("backup", "list")


@dataclasses.dataclass
class Outside:
    """The parties that messages go to and people come from; each takes one secret, and `put` sends
    a message to each."""

    hotline: Hotline
    service: sms.Service
    chats: telegram.Chats
    register: ministry.Register
    put_so_far: int = 0
    knows: Party | None = None  # who people are
    by_password: bool = False  # the ministry's system asks for one

    def wants(self, secret: str) -> OpenId:
        """From now on each party takes this secret and no other."""
        self.service.password = self.register.token = secret
        if self.by_password:
            both = base64.b64encode(f"hotline:{secret}".encode()).decode()
            self.register.token = f"Basic {both}"
        self.service.tokens.clear()
        self.chats.token = f"1:{secret}"
        place = self.hotline.place
        self.leave()
        address, back = f"{place.network}.20:8443", f"{place.url}/login/openid/back"
        (folder := place.folder / "openid").mkdir(exist_ok=True)
        self.knows, self.rules = openid.provider(folder, address, back, secret)
        self.knows.start()
        return self.rules

    def leave(self) -> None:
        """Who knows people is away."""
        if self.knows:
            self.knows.stop()

    def write(self, secret: str) -> None:
        """As the operator does it: the settings, then the processes anew."""
        account = {"name": "first", "kind": "eskiz", "url": self.service.url, "user": "u"}
        account |= {"password": secret, "callback_secret": secret, "sender": "1282"}
        system = {"user": "hotline", "password": secret} if self.by_password else {"token": secret}
        party = dataclasses.asdict(self.rules) | {"client_secret": secret}
        changed(
            self.hotline,
            sms=[account],
            telegram={"token": f"1:{secret}", "chat": -5, "url": self.chats.url},
            ministry={"url": self.register.url, "every": 5, **system},
            openid=party,
        )
        for process in ("web", "jobs"):
            self.hotline.kill(process)
        until(lambda: site.pages_answer(self.hotline.place))

    def put(self) -> None:
        """A short message, an alert, an appeal for the ministry."""
        self.put_so_far += 1
        key, settings = f"rotation {self.put_so_far}", site_settings.load(self.hotline.place.config)
        with db.open_database(settings.paths.database).connection_context():
            outbox.put_sms("alarm", "+998901112233", key, key=key, tz=settings.tz)
            outbox.put("telegram", "alarm", "-5", key=f"{key} t", text=key)
        registered(self.hotline, key)

    def try_again(self) -> None:
        """At once, not at the next turn, nor when the SMS account has rested from its failure."""
        with db.open_database(self.hotline.place.folder / "data/appliance.db").connection_context():
            SmsHealth.update(held_until=None).execute()
            for one in Message.select().where(Message.state.in_(("pending", "refused"))):
                outbox.try_again(one)

    def took(self, count: int) -> bool:
        """Whether each party has taken so many."""
        return (
            len({text for _, text in self.service.took if "rotation" in text}) == count
            and len({text for _, text, _ in self.chats.took if "rotation" in text}) == count
            and len(self.register.appeals) == count
        )

    def hears_of(self, secret: str) -> bool:
        """Whether the box takes a report of the SMS service at this secret's address."""
        with self.browser() as service:
            where = f"{self.hotline.place.url}/sms-reports/first/{secret}"
            return service.post(where, json={"message_id": "1", "status": "DELIVRD"}).ok

    def lets_in(self) -> bool:
        """Whether a person whom the party knows signs in."""
        with self.browser() as person:
            begun = person.get(f"{self.hotline.place.url}/login/openid", allow_redirects=False)
            back = openid.visit(self.rules, begun.headers["Location"], "n-1")
            return person.get(back, allow_redirects=False).status_code == 302

    def browser(self) -> requests.Session:
        made = requests.Session()
        made.verify, made.trust_env = str(self.hotline.place.folder / "tls/ca.pem"), False
        return made


def test_what_goes_in_and_out_by_a_secret_without_a_lost_call_or_message(hotline: Hotline) -> None:
    """SMS service, bot, ministry and OpenID have another secret first; what is put meanwhile waits,
    and the former one opens nothing."""
    login = hotline.facts["operators"][0]["login"]
    hotline.appliance("user", "identity", login, "openid", "n-1")
    with sms.service() as service, telegram.chats() as chats, ministry.register() as register:
        outside = Outside(hotline, service, chats, register)
        try:
            outside.wants("former")
            outside.write("former")
            talk = Talk(hotline)
            outside.put()
            until(lambda: outside.took(1), limit=120)
            assert outside.lets_in()
            assert (outside.hears_of("former"), outside.hears_of("next")) == (True, False)

            outside.wants("next")
            outside.put()
            until(lambda: service.refused and chats.refused and register.unknown, limit=120)
            assert outside.took(1)
            assert not outside.lets_in()
            outside.write("next")
            outside.try_again()
            until(lambda: outside.took(2), limit=120)
            assert outside.lets_in()
            assert (outside.hears_of("former"), outside.hears_of("next")) == (False, True)

            outside.by_password = True
            for number, secret in enumerate(("third", "fourth"), 3):
                before = register.unknown
                outside.wants(secret)
                outside.put()
                until(lambda before=before: register.unknown > before, limit=120)  # type: ignore[misc]
                assert len(register.appeals) == number - 1
                outside.write(secret)
                outside.try_again()
                until(lambda number=number: outside.took(number), limit=120)  # type: ignore[misc]

            until(talk.goes_on)
            talk.end()
        finally:
            outside.leave()
