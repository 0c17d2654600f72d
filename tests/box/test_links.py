"""Network links of the box: outages detected without flapping, shown, and reported."""

import dataclasses
import datetime as dt
import socket
from pathlib import Path

import pytest

from appliance.box import alarms, health, runs
from appliance.box.links import hosts, intervals, probing, rate
from appliance.box.links.parties import Party, watched_parties
from appliance.box.links.probing import Look
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
    load_settings,
)
from appliance.jobs import timetable
from appliance.jobs.links import LinkMonitor
from appliance.models import Alarm, LinkStretch, RateReading
from appliance.reports import box_services, monthly
from appliance.reports.periods import Period
from tests.rig.fakes.sms import run_sms_service

UP, DOWN = Look(True, "answers"), Look(False, "timeout")
NOON = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)


@pytest.fixture
def watched(settings: Settings) -> Settings:
    """A site whose internet link is watched; nothing listens at the address."""
    return dataclasses.replace(settings, links=Links(internet="127.0.0.1:9"))


def record_looks(
    looks: str, every: float = 15.0, begin: dt.datetime = NOON
) -> list[tuple[bool, float]]:
    """Record looks ("+" up, "-" down); returns each stretch as (up, seconds from the start)."""
    contrary: dict = {}
    for number, sign in enumerate(looks):
        look = UP if sign == "+" else DOWN
        intervals.record_looks(
            {"internet": look}, contrary, begin + dt.timedelta(seconds=number * every)
        )
    rows = LinkStretch.select().order_by(LinkStretch.since)
    return [(row.up, (row.since - begin).total_seconds()) for row in rows]


@pytest.mark.parametrize(
    ("looks", "stretches"),
    [
        ("+++", [(True, 0)]),
        ("+-+--+", [(True, 0)]),  # packets get lost
        ("+---", [(True, 0), (False, 15)]),  # counted from the first lost packet
        ("+---+-+-", [(True, 0), (False, 15)]),
        ("+---++", [(True, 0), (False, 15), (True, 60)]),
        ("-", [(False, 0)]),
    ],
)
def test_one_failed_look_is_not_an_outage(settings: Settings, looks, stretches) -> None:
    assert record_looks(looks) == stretches


def test_time_without_looks_is_not_counted(settings: Settings) -> None:
    record_looks("++++")
    record_looks("++", begin=NOON + dt.timedelta(hours=1))
    [internet] = box_services.link_availability(NOON, NOON + dt.timedelta(hours=2))
    assert (internet.up, internet.down, internet.share) == (60.0, 0.0, 100.0)
    assert intervals.current_stretches(
        dataclasses.replace(settings, links=Links(internet="x:1"))
    ) == {"internet": None}


def test_a_new_stretch_starts_after_the_clock_was_set_back(settings: Settings) -> None:
    record_looks("++++")
    begin = NOON - dt.timedelta(days=1)
    record_looks("+++", begin=begin)
    going = LinkStretch.get(LinkStretch.until.is_null())
    assert (going.up, going.since) == (True, begin)
    [internet] = box_services.link_availability(begin, begin + dt.timedelta(hours=1))
    assert (internet.up, internet.down, internet.outages) == (30.0, 0.0, 0)
    intervals.record_looks({"internet": DOWN}, {}, clock.now() + dt.timedelta(days=1))
    site = dataclasses.replace(settings, links=Links(internet="x:1"))
    assert intervals.current_stretches(site) == {"internet": None}  # no look was made since


def test_too_long_intervals_in_the_settings_are_refused(settings: Settings) -> None:
    text = settings.file.read_text()
    for seconds in (1, 90):
        settings.file.write_text(f"{text}\n[links]\nevery = {seconds}\n")
        assert load_settings(settings.file).links.every == seconds
    for wrong in ("every = 91", "every = 0", "rate_hour = 24"):
        settings.file.write_text(f"{text}\n[links]\n{wrong}\n")
        with pytest.raises(SettingsError):
            load_settings(settings.file)


def test_availability_is_computed_for_part_of_the_time(settings: Settings) -> None:
    record_looks("++" + "-" * 4 + "++")  # down from 30 s to 90 s
    [internet] = box_services.link_availability(
        NOON + dt.timedelta(seconds=60), NOON + dt.timedelta(days=1)
    )
    assert (internet.up, internet.down, internet.outages) == (15.0, 30.0, 1)
    assert internet.share == pytest.approx(100 / 3)
    assert box_services.link_availability(NOON - dt.timedelta(days=1), NOON) == []


def test_only_configured_links_are_watched(settings: Settings) -> None:
    assert watched_parties(settings) == []
    tests = ("self_test_call", "self_test_offline", "rate")
    assert not {job.name for job in timetable.scheduled_jobs(settings, lambda: True)} & set(tests)
    sms = SmsAccount("first", "eskiz", "https://sms.example/api", "u", "p", "4546")
    configured = dataclasses.replace(
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
    assert [(p.name, p.target) for p in watched_parties(configured)] == [
        ("gateway", "auto"),
        ("dns", "a.example"),
        ("internet", "b.example:443"),
        ("sms.first", "sms.example:443"),
        ("sms.second", "smsc.example:2775"),
        ("telegram", "127.0.0.1:8081"),
        ("openid", "one.example:443"),
        ("ldap", "directory.example:389"),
    ]
    due = [job for job in timetable.scheduled_jobs(configured, lambda: True) if job.name in tests]
    assert tuple(job.name for job in due) == tests


def test_looks_at_targets_on_this_machine_return_their_state(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        parties = [
            Party("there", "tcp", f"127.0.0.1:{port}"),
            Party("nobody", "tcp", "127.0.0.1:9"),
            Party("name", "names", "localhost"),
            Party("no name", "names", "no..name"),
        ]
        looks_seen = {name: look.seen for name, look in probing.look_at_parties(parties).items()}
    assert looks_seen == {
        "there": "answers",
        "nobody": "refused",
        "name": "answers",
        "no name": "no_name",
    }
    routes = tmp_path / "route"
    head = "Iface\tDestination\tGateway\tFlags\n"
    routes.write_text(head + "eth0\t0000A8C0\t00000000\t1\neth0\t00000000\t0100A8C0\t3\n")
    assert probing.default_gateway(routes) == "192.168.0.1"
    routes.write_text(head)
    assert probing.default_gateway(routes) is None
    names = tmp_path / "hosts"
    names.write_text("127.0.1.1 box.example box\n")
    assert not probing.has_own_name_entries(names, "box")
    names.write_text("127.0.1.1 box\n::1 localhost box # both\n")
    assert probing.has_own_name_entries(names, "box")


def test_an_outage_is_shown_on_every_page_until_it_ends(watched: Settings, app, login_as) -> None:
    app.config["SITE"] = watched
    outbox.queue_sms("registered", "+998935550147", "Salom", key="1", tz=watched.tz)
    watcher = LinkMonitor(watched)
    for _ in range(3):
        watcher.probe_links()
    page = login_as("operator").get("/operator").text
    assert "kutayotgan xabarlar: 1" in page
    # together with the number of waiting messages
    assert "every 60s" in page.split('id="internet"')[1].split(">")[0]
    technician = login_as("technician")
    links_page = technician.get("/links").text
    assert 'id="link-internet"' in links_page
    assert "ulanish rad etildi" in links_page
    assert "provayderga qoʻngʻiroq qiling" in links_page
    failing = next(c for c in health.all_checks(watched) if c.code == "link.internet")
    assert failing.state == "fail"
    for _ in range(2):
        intervals.record_looks({"internet": UP}, watcher.contradictions)
    assert "kutayotgan xabarlar" not in technician.get("/links/banner").text
    assert "link.internet" not in [c.code for c in health.all_checks(watched)]
    assert [row.up for row in intervals.recent_stretches()] == [True, False]


def test_a_router_that_may_not_be_pinged_is_a_warning(
    settings: Settings, app, login_as, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_permission_error(*_: object) -> None:
        raise PermissionError

    site = dataclasses.replace(settings, links=Links(gateway="127.0.0.1"))
    app.config["SITE"] = site

    def gateway_check() -> health.Check:
        return next(check for check in health.all_checks(site) if check.code == "link.gateway")

    assert gateway_check().advice == "Check that `appliance jobs` is running."
    monkeypatch.setattr(probing, "_echo_socket", raise_permission_error)
    LinkMonitor(site).probe_links()
    assert (gateway_check().state, gateway_check().advice) == (
        "warn",
        "Run the playbook again: it allows `appliance jobs` to send pings.",
    )
    page = login_as("technician").get("/links").text
    assert "net.ipv4.ping_group_range" in page.split('id="link-gateway"')[1].split("</tr>")[0]


def test_the_boxs_own_name_is_checked_on_every_box(settings: Settings, monkeypatch) -> None:
    for is_known in (True, False):
        monkeypatch.setattr(probing, "has_own_name_entries", lambda is_known=is_known: is_known)
        assert ("own_name" in {c.code for c in health.all_checks(settings)}) != is_known


def test_without_an_internet_target_an_outage_needs_all_parties_down(settings: Settings) -> None:
    sms = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "u", "p", "4546")
    site = dataclasses.replace(settings, sms=(sms,), telegram=Telegram("t", -1))
    intervals.record_looks({"sms.first": DOWN, "telegram": UP}, {})
    assert intervals.outage_since(site) is None
    contrary: dict = {}
    for _ in range(3):
        intervals.record_looks({"sms.first": DOWN, "telegram": DOWN}, contrary)
    assert intervals.outage_since(site) is not None


def test_an_unavailable_directory_is_reported_like_other_links(
    settings: Settings, app, login_as
) -> None:
    parties = {
        "openid": OpenId("OneID", "https://127.0.0.1:9", "box", "s"),
        "ldap": Ldap("ldaps://127.0.0.1:9", "{}@vazirlik.uz"),
    }
    app.config["SITE"] = site = dataclasses.replace(settings, **parties, telegram=Telegram("t", -1))
    contrary: dict = {}
    for _ in range(3):
        looks = probing.look_at_parties(
            party for party in watched_parties(site) if party.name in parties
        )
        intervals.record_looks(looks, contrary)
    codes = {f"link.{name}" for name in parties}
    failing = [c for c in health.all_checks(site) if c.state == "fail" and c.code in codes]
    assert {c.code for c in failing} == codes
    assert all(c.advice.startswith("Call the people who run it. Until then") for c in failing)
    alarms.update_alarms(site, failing)
    Alarm.update(since=clock.now() - 2 * alarms.FAULT_GRACE_PERIOD).execute()
    assert set(alarms.update_alarms(site, failing)) == codes
    page, status = (login_as("technician").get(path).text for path in ("/links", "/status"))
    for name in parties:
        row = page.split(f'id="link-{name}"')[1].split("</tr>")[0]
        assert "ulanish rad etildi" in row
        assert f'id="way-{name}"' in status
    assert intervals.outage_since(site) is None  # the directories may be in the local network
    with run_sms_service() as far:
        there = far.url.removeprefix("http://")
        reachable_site = dataclasses.replace(
            site,
            openid=OpenId("OneID", f"https://{there}", "box", "s"),
            ldap=Ldap(f"ldap://{there}", "{}@vazirlik.uz"),
        )
        for _ in range(2):
            looks = probing.look_at_parties(
                party for party in watched_parties(reachable_site) if party.name in parties
            )
            intervals.record_looks(looks, contrary)
    assert not codes & {c.code for c in health.all_checks(reachable_site)}


def test_the_rate_is_measured_stored_and_reported(settings: Settings) -> None:
    with run_sms_service() as far:
        measured_site = dataclasses.replace(settings, links=Links(rate_url=f"{far.url}/user"))
        assert rate.measure_rate(measured_site).endswith(" Mbit/s")
        assert RateReading.get().mbit > 0
    assert rate.measure_rate(measured_site) == "ConnectionError"
    assert RateReading.select().where(RateReading.mbit.is_null()).count() == 1
    RateReading.create(at=NOON, mbit=80.0)
    RateReading.create(at=NOON + dt.timedelta(days=1), mbit=60.0)
    record_looks("++" + "-" * 4 + "++")
    november = Period(dt.date(2026, 11, 1), dt.date(2026, 11, 10), settings.tz)
    report = monthly.build_monthly_report(settings, november, "ru")
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


def test_resolved_addresses_of_a_carrier_are_remembered(settings: Settings) -> None:
    assert hosts.resolve_addresses(["127.0.0.2", "localhost", "127.0.0.2"]) == {
        "127.0.0.2": ["127.0.0.2"],
        "localhost": ["127.0.0.1"],
    }
    hosts.store_addresses({"never..found": ["192.0.2.7"]})  # a name that does not resolve
    assert hosts.resolve_addresses(["never..found", "nor..this"]) == {
        "never..found": ["192.0.2.7"],
        "nor..this": [],
    }


def test_a_drill_is_due_once_a_week(settings: Settings) -> None:
    slot = runs.weekly_at(7, dt.time(4), settings.tz)
    sunday = dt.datetime(2026, 11, 1, 4, tzinfo=settings.tz)
    assert slot(sunday) == sunday
    assert slot(sunday + dt.timedelta(days=6, hours=23)) == sunday
    assert slot(sunday - dt.timedelta(seconds=1)) == sunday - dt.timedelta(days=7)
