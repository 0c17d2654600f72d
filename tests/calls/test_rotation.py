"""Keys and passwords of a site are changed while a citizen talks: nothing of the call is lost."""

import dataclasses
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from appliance.casework import appeals, catalogs
from appliance.casework.ministry import queue
from appliance.core import db, outbox
from appliance.core import settings as site_settings
from appliance.models import Message, User
from provisioning.local import plans, site
from provisioning.local.plans import Times
from tests.calls.conftest import running
from tests.calls.hotline import Hotline
from tests.rig.fakes import ministry, sms, telegram
from tests.rig.waiting import until

pytestmark = pytest.mark.calls


@pytest.fixture
def hotline(tmp_path: Path, spoken: Path) -> Iterator[Hotline]:
    """A site of its own: another test's phones would not know their passwords any more."""
    (folder := tmp_path / "site").mkdir()
    with running(folder, spoken) as begun:
        yield begun


def test_each_by_its_command_without_a_lost_call(hotline: Hotline) -> None:
    """As docs/operating.md says, "Changing keys and passwords"."""
    folder, config = hotline.place.folder, hotline.place.config
    calls = hotline.call([plans.rated(plans.number(1), Times(talk=40.0, stays=180.0))])
    until(lambda: calls.reports()[0].operator, limit=60)
    talking = next(
        o for o in hotline.facts["operators"] if o["extension"] == calls.reports()[0].operator
    )
    former = config.read_text("utf-8")
    settings = tomllib.loads(former)
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
    until(lambda: site.pages_answer(hotline.place))

    reports = calls.wait(240)
    row = hotline.settled(reports, limit=60)[reports[0].plan.number]
    assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
    assert [talk["who"] for talk in row["talks"]] == [talking["login"]]
    assert row["talk_seconds"] == pytest.approx(reports[0].talk_seconds, abs=2)
    assert not row["gaps"]
    assert len(row["recordings"]) == 1
    hotline.appliance("operator", "ready", hotline.facts["operators"][1]["login"])  # Asterisk obeys
    hotline.appliance("audit", "verify")
    hotline.appliance("backup", "create")
    assert hotline.appliance("backup", "list")


@dataclasses.dataclass
class Outside:
    """The parties that messages go to; each takes one secret, and `put` sends each a message."""

    hotline: Hotline
    service: sms.Service
    chats: telegram.Chats
    register: ministry.Register
    put_so_far: int = 0

    def wants(self, secret: str) -> None:
        """From now on each party takes this secret and no other."""
        self.service.password = self.register.token = secret
        self.service.tokens.clear()
        self.chats.token = f"1:{secret}"

    def write(self, secret: str) -> None:
        """As the operator does it: the settings, then the processes anew."""
        file = self.hotline.place.config
        tables: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        account = {"name": "first", "kind": "eskiz", "url": self.service.url, "user": "u"}
        tables["sms"] = [account | {"password": secret, "sender": "1282"}]
        tables["telegram"] = {"token": f"1:{secret}", "chat": -5, "url": self.chats.url}
        tables["ministry"] = {"url": self.register.url, "token": secret, "every": 5}
        file.write_text(tomli_w.dumps(tables), "utf-8")
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
            operator = User.get(User.login == self.hotline.facts["operators"][0]["login"])
            appeal = appeals.register(
                {"gist": key},
                operator=operator,
                token=appeals.token_for(operator, None),
                tz=settings.tz,
                calendar=catalogs.working_calendar(settings),
            )
            queue.registered(settings, appeal)

    def took(self, count: int) -> bool:
        """Whether each party has taken so many."""
        return (
            len({text for _, text in self.service.took if "rotation" in text}) == count
            and len({text for _, text, _ in self.chats.took if "rotation" in text}) == count
            and len(self.register.appeals) == count
        )


def test_what_messages_go_by_without_a_lost_call_or_message(hotline: Hotline) -> None:
    """SMS service, bot and ministry have another secret first; what is put meanwhile waits."""
    with sms.service() as service, telegram.chats() as chats, ministry.register() as register:
        outside = Outside(hotline, service, chats, register)
        outside.wants("former")
        outside.write("former")
        calls = hotline.call([plans.rated(plans.number(1), Times(talk=60.0, stays=240.0))])
        until(lambda: calls.reports()[0].operator, limit=60)
        outside.put()
        until(lambda: outside.took(1), limit=120)

        outside.wants("next")
        outside.put()
        until(lambda: service.refused and chats.refused and register.unknown, limit=120)
        assert outside.took(1)  # the former one opens nothing
        outside.write("next")
        with db.open_database(hotline.place.folder / "data/appliance.db").connection_context():
            for one in Message.select().where(Message.state.in_(("pending", "refused"))):
                outbox.try_again(one)  # at once, not at the next turn
        until(lambda: outside.took(2), limit=120)
        outside.put()
        until(lambda: outside.took(3), limit=120)

        reports = calls.wait(300)
        row = hotline.settled(reports, limit=60)[reports[0].plan.number]
        assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
        assert row["talk_seconds"] == pytest.approx(reports[0].talk_seconds, abs=2)
        assert len(row["recordings"]) == 1
