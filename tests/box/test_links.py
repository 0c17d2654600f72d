"""The ways out of the box: seen up and down without flutter, shown, told in the report."""

import dataclasses
import datetime as dt
import socket
from pathlib import Path

import pytest

from appliance.box import alarms, health, links, runs
from appliance.box.links import hosts, looking
from appliance.box.links.looking import Look
from appliance.box.links.parties import Party
from appliance.core import clock, outbox
from appliance.core.settings import (
    Ldap,
    Links,
    OpenId,
    SelfTests,
    Settings,
    SettingsError,
    SmsAccount,
    Telegram,
    load,
)
from appliance.jobs import timetable
from appliance.jobs.links import Watcher
from appliance.models import Alarm, LinkStretch, RateReading
from appliance.reports import monthly, services
from appliance.reports.periods import Period
from tests.rig.fakes.sms import service

UP, DOWN = Look(True, "answers"), Look(False, "timeout")
NOON = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)


@pytest.fixture
def watched(settings: Settings) -> Settings:
    """A site whose internet is watched; nothing listens there."""
    return dataclasses.replace(settings, links=Links(internet="127.0.0.1:9"))


def told(looks: str, every: float = 15.0, begin: dt.datetime = NOON) -> list[tuple[bool, float]]:
    """Take looks in ("+" up, "-" down); the stretches as (up, seconds from the first look)."""
    contrary: dict = {}
    for number, sign in enumerate(looks):
        look = UP if sign == "+" else DOWN
        links.observe({"internet": look}, contrary, begin + dt.timedelta(seconds=number * every))
    rows = LinkStretch.select().order_by(LinkStretch.since)
    return [(row.up, (row.since - begin).total_seconds()) for row in rows]


@pytest.mark.parametrize(
    ("looks", "stretches"),
    [
        ("+++", [(True, 0)]),
        ("+-+--+", [(True, 0)]),  # packets get lost
        ("+---", [(True, 0), (False, 15)]),  # since the first that got lost
        ("+---+-+-", [(True, 0), (False, 15)]),
        ("+---++", [(True, 0), (False, 15), (True, 60)]),
        ("-", [(False, 0)]),
    ],
)
def test_one_look_makes_no_outage(settings: Settings, looks, stretches) -> None:
    assert told(looks) == stretches


def test_what_nobody_looked_at_is_not_known(settings: Settings) -> None:
    told("++++")
    told("++", begin=NOON + dt.timedelta(hours=1))
    [one] = services.availability(NOON, NOON + dt.timedelta(hours=2))
    assert (one.up, one.down, one.share) == (60.0, 0.0, 100.0)
    assert links.current(dataclasses.replace(settings, links=Links(internet="x:1"))) == {
        "internet": None
    }


def test_a_clock_that_was_put_back_begins_anew(settings: Settings) -> None:
    told("++++")
    begin = NOON - dt.timedelta(days=1)
    told("+++", begin=begin)
    going = LinkStretch.get(LinkStretch.until.is_null())
    assert (going.up, going.since) == (True, begin)
    [one] = services.availability(begin, begin + dt.timedelta(hours=1))
    assert (one.up, one.down, one.outages) == (30.0, 0.0, 0)
    links.observe({"internet": DOWN}, {}, clock.now() + dt.timedelta(days=1))
    site = dataclasses.replace(settings, links=Links(internet="x:1"))
    assert links.current(site) == {"internet": None}  # nobody has looked since


def test_looks_too_far_apart_are_a_mistake_in_the_settings(settings: Settings) -> None:
    text = settings.file.read_text()
    for seconds in (1, 90):
        settings.file.write_text(f"{text}\n[links]\nevery = {seconds}\n")
        assert load(settings.file).links.every == seconds
    for wrong in ("every = 91", "every = 0", "rate_hour = 24"):
        settings.file.write_text(f"{text}\n[links]\n{wrong}\n")
        with pytest.raises(SettingsError):
            load(settings.file)


def test_availability_of_a_part_of_the_time(settings: Settings) -> None:
    told("++" + "-" * 4 + "++")  # down from 30 s to 90 s
    [one] = services.availability(NOON + dt.timedelta(seconds=60), NOON + dt.timedelta(days=1))
    assert (one.up, one.down, one.outages) == (15.0, 30.0, 1)
    assert one.share == pytest.approx(100 / 3)
    assert services.availability(NOON - dt.timedelta(days=1), NOON) == []


def test_only_what_the_settings_name_is_watched(settings: Settings) -> None:
    assert links.watched(settings) == []
    tests = ("self_test_call", "self_test_offline", "rate")
    assert not {job.name for job in timetable.jobs(settings, lambda: True)} & set(tests)
    sms = SmsAccount("first", "eskiz", "https://sms.example/api", "u", "p", "4546")
    named = dataclasses.replace(
        settings,
        links=Links(gateway="auto", dns="a.example", internet="b.example:443", rate_url="c"),
        sms=(
            sms,
            SmsAccount("second", "smpp", "smsc.example:2775"),
            SmsAccount("third", "modem", "/dev/ttyUSB0"),
        ),
        telegram=Telegram("t", -1, "http://127.0.0.1:8081"),
        openid=OpenId("OneID", "https://one.example/realm", "box", "s"),
        ldap=Ldap("ldap://directory.example", "{}@vazirlik.uz"),
        self_tests=SelfTests(10, 7),
    )
    assert [(p.name, p.target) for p in links.watched(named)] == [
        ("gateway", "auto"),
        ("dns", "a.example"),
        ("internet", "b.example:443"),
        ("sms.first", "sms.example:443"),
        ("sms.second", "smsc.example:2775"),
        ("telegram", "127.0.0.1:8081"),
        ("openid", "one.example:443"),
        ("ldap", "directory.example:389"),
    ]
    due = [job for job in timetable.jobs(named, lambda: True) if job.name in tests]
    assert tuple(job.name for job in due) == tests


def test_looks_at_what_there_is_on_this_machine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        parties = [
            Party("there", "tcp", f"127.0.0.1:{port}"),
            Party("nobody", "tcp", "127.0.0.1:9"),
            Party("name", "names", "localhost"),
            Party("no name", "names", "no..name"),
        ]
        seen = {name: look.seen for name, look in looking.look(parties).items()}
    assert seen == {
        "there": "answers",
        "nobody": "refused",
        "name": "answers",
        "no name": "no_name",
    }
    routes = tmp_path / "route"
    head = "Iface\tDestination\tGateway\tFlags\n"
    routes.write_text(head + "eth0\t0000A8C0\t00000000\t1\neth0\t00000000\t0100A8C0\t3\n")
    assert looking.default_gateway(routes) == "192.168.0.1"
    routes.write_text(head)
    assert looking.default_gateway(routes) is None
    names = tmp_path / "hosts"
    names.write_text("127.0.1.1 box.example box\n")
    assert not looking.own_name_is_known(names, "box")
    names.write_text("127.0.1.1 box\n::1 localhost box # both\n")
    assert looking.own_name_is_known(names, "box")


def test_an_outage_shows_on_every_page_and_goes_by_itself(watched: Settings, app, login_as) -> None:
    app.config["SITE"] = watched
    outbox.put_sms("registered", "+998935550147", "Salom", key="1", tz=watched.tz)
    watcher = Watcher(watched)
    for _ in range(3):
        watcher.step()
    page = login_as("operator").get("/operator").text
    assert "kutayotgan xabarlar: 1" in page
    assert "every 60s" in page.split('id="internet"')[1].split(">")[0]  # the figure, too
    technician = login_as("technician")
    shown = technician.get("/links").text
    assert 'id="link-internet"' in shown
    assert "ulanish rad etildi" in shown
    assert "provayderga qoʻngʻiroq qiling" in shown
    failing = next(c for c in health.checks(watched) if c.code == "link.internet")
    assert failing.state == "fail"
    for _ in range(2):
        links.observe({"internet": UP}, watcher.contrary)
    assert "kutayotgan xabarlar" not in technician.get("/links/banner").text
    assert "link.internet" not in [c.code for c in health.checks(watched)]
    assert [row.up for row in links.recent()] == [True, False]


def test_a_router_that_may_not_be_asked(
    settings: Settings, app, login_as, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    site = dataclasses.replace(settings, links=Links(gateway="127.0.0.1"))
    app.config["SITE"] = site

    def seen() -> health.Check:
        return next(check for check in health.checks(site) if check.code == "link.gateway")

    assert seen().advice == "Look whether `appliance jobs` runs."
    monkeypatch.setattr(looking, "_echo_line", forbidden)
    Watcher(site).step()
    assert (seen().state, seen().advice) == (
        "warn",
        "Run the playbook again: it lets `appliance jobs` ask.",
    )
    page = login_as("technician").get("/links").text
    assert "net.ipv4.ping_group_range" in page.split('id="link-gateway"')[1].split("</tr>")[0]


def test_the_own_name_is_looked_at_on_every_box(settings: Settings, monkeypatch) -> None:
    for known in (True, False):
        monkeypatch.setattr(looking, "own_name_is_known", lambda known=known: known)
        assert ("own_name" in {c.code for c in health.checks(settings)}) != known


def test_without_a_stand_in_all_parties_together_tell(settings: Settings) -> None:
    sms = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "u", "p", "4546")
    site = dataclasses.replace(settings, sms=(sms,), telegram=Telegram("t", -1))
    links.observe({"sms.first": DOWN, "telegram": UP}, {})
    assert links.outage(site) is None
    contrary: dict = {}
    for _ in range(3):
        links.observe({"sms.first": DOWN, "telegram": DOWN}, contrary)
    assert links.outage(site) is not None


def test_a_directory_that_is_away_is_told_of_as_the_other_links_are(
    settings: Settings, app, login_as
) -> None:
    parties = {
        "openid": OpenId("OneID", "https://127.0.0.1:9", "box", "s"),
        "ldap": Ldap("ldaps://127.0.0.1:9", "{}@vazirlik.uz"),
    }
    app.config["SITE"] = site = dataclasses.replace(settings, **parties, telegram=Telegram("t", -1))
    contrary: dict = {}
    for _ in range(3):
        looks = looking.look(one for one in links.watched(site) if one.name in parties)
        links.observe(looks, contrary)
    codes = {f"link.{name}" for name in parties}
    failing = [c for c in health.checks(site) if c.state == "fail" and c.code in codes]
    assert {c.code for c in failing} == codes
    assert all(c.advice.startswith("Call who runs it. Until then") for c in failing)
    alarms.watch(site, failing)
    Alarm.update(since=clock.now() - 2 * alarms.PATIENCE).execute()
    assert set(alarms.watch(site, failing)) == codes
    page, status = (login_as("technician").get(path).text for path in ("/links", "/status"))
    for name in parties:
        row = page.split(f'id="link-{name}"')[1].split("</tr>")[0]
        assert "ulanish rad etildi" in row
        assert f'id="way-{name}"' in status
    assert links.outage(site) is None  # they may stand beside the box
    with service() as far:
        there = far.url.removeprefix("http://")
        again = dataclasses.replace(
            site,
            openid=OpenId("OneID", f"https://{there}", "box", "s"),
            ldap=Ldap(f"ldap://{there}", "{}@vazirlik.uz"),
        )
        for _ in range(2):
            looks = looking.look(one for one in links.watched(again) if one.name in parties)
            links.observe(looks, contrary)
    assert not codes & {c.code for c in health.checks(again)}


def test_the_rate_is_measured_kept_and_reported(settings: Settings) -> None:
    with service() as far:
        there = dataclasses.replace(settings, links=Links(rate_url=f"{far.url}/user"))
        assert links.measure(there).endswith(" Mbit/s")
        assert RateReading.get().mbit > 0
    assert links.measure(there) == "ConnectionError"
    assert RateReading.select().where(RateReading.mbit.is_null()).count() == 1
    RateReading.create(at=NOON, mbit=80.0)
    RateReading.create(at=NOON + dt.timedelta(days=1), mbit=60.0)
    told("++" + "-" * 4 + "++")
    november = Period(dt.date(2026, 11, 1), dt.date(2026, 11, 10), settings.tz)
    report = monthly.build(settings, november, "ru")
    assert monthly.as_json(report)["links"] == {
        "availability": [
            {
                "link": "internet",
                "share": 42.86,
                "up_seconds": 45,
                "down_seconds": 60,
                "outages": 1,
            }
        ],
        "rate": {"measured": 2, "mean_mbit": 70.0, "least_mbit": 60.0, "agreed_mbit": 75.0},
    }
    page = monthly.as_page(report)
    assert "42,9 % (перебоев 1)" in page
    assert "70,0 Мбит/с (самая низкая 60,0)" in page


def test_a_carriers_name_is_remembered(settings: Settings) -> None:
    assert hosts.addresses(["127.0.0.2", "localhost", "127.0.0.2"]) == {
        "127.0.0.2": ["127.0.0.2"],
        "localhost": ["127.0.0.1"],
    }
    hosts.remember({"never..found": ["192.0.2.7"]})  # a name that is never found
    assert hosts.addresses(["never..found", "nor..this"]) == {
        "never..found": ["192.0.2.7"],
        "nor..this": [],
    }


def test_a_drill_is_due_once_a_week(settings: Settings) -> None:
    slot = runs.weekly(7, dt.time(4), settings.tz)
    sunday = dt.datetime(2026, 11, 1, 4, tzinfo=settings.tz)
    assert slot(sunday) == sunday
    assert slot(sunday + dt.timedelta(days=6, hours=23)) == sunday
    assert slot(sunday - dt.timedelta(seconds=1)) == sunday - dt.timedelta(days=7)
