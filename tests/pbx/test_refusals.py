"""What Asterisk refused before it was a call, out of its own logs."""

import datetime as dt
from pathlib import Path

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch, SipRefusal
from appliance.pbx.refusals import Refusals
from appliance.telephony import calls, routing, trunks
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SeenTrunk
from tests.rig.rules import RULES

SECURITY = (
    '[2026-11-26 06:23:43.110] SECURITY[28589] res_security_log.c: SecurityEvent="{event}",'
    'EventTV="2026-11-26T06:23:43.110+0000",Severity="Informational",Service="PJSIP",'
    'EventVersion="1",AccountID="{account}",SessionID="{sip}",'
    'LocalAddress="IPV4/UDP/127.34.137.1/5060",RemoteAddress="IPV4/UDP/192.0.2.7/5060"\n'
)
MESSAGE = (
    "[2026-11-26 06:23:44.000] NOTICE[28589] res_pjsip/pjsip_distributor.c: Request 'INVITE' from"
    " '<sip:x@192.0.2.8>' failed for '192.0.2.8:5060' (callid: second@x) - No matching endpoint"
    " found\n"
)
BEGIN = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


@pytest.fixture
def log(settings: Settings) -> Path:
    settings.asterisk.log.mkdir(parents=True)
    return settings.asterisk.log


def refused() -> list[tuple[str, str, str]]:
    rows = SipRefusal.select().order_by(SipRefusal.sip)
    return [(row.sip, row.address, row.why) for row in rows]


def test_strangers_are_told_from_our_phones(settings: Settings, log: Path) -> None:
    (log / "security").write_text(
        SECURITY.format(event="ChallengeSent", account="<unknown>", sip="first@x")
        + SECURITY.format(event="ChallengeSent", account="1001", sip="ours@x")
        + SECURITY.format(event="SuccessfulAuth", account="1001", sip="ours@x")
        + SECURITY.format(event="FailedACL", account="<unknown>", sip="third@x")
        + SECURITY.format(event="ChallengeSent", account="<unknown>", sip="half@x")[:90]
    )
    (log / "messages").write_text(MESSAGE)
    follower = Refusals(settings)
    assert follower.look() == 3
    assert refused() == [
        ("first@x", "192.0.2.7:5060", "ChallengeSent"),
        ("second@x", "192.0.2.8:5060", "No matching endpoint found"),
        ("third@x", "192.0.2.7:5060", "FailedACL"),
    ]
    assert follower.look() == 0
    assert calls.balance(BEGIN, BEGIN + dt.timedelta(days=2)).sip_refused == 3


def test_a_rotated_log_is_not_counted_again(settings: Settings, log: Path) -> None:
    line = SECURITY.format(event="ChallengeSent", account="<unknown>", sip="first@x")
    (log / "security").write_text(line)
    Refusals(settings).look()
    (log / "security").rename(log / "security.0")
    (log / "security.1").symlink_to("gone")  # listed, and not there when it is asked for
    (log / "security").write_text(line.replace("first@x", "second@x"))
    assert Refusals(settings).look() == 1
    assert Refusals(settings).look() == 0
    assert [sip for sip, *_ in refused()] == ["first@x", "second@x"]


def test_what_was_taken_at_the_second_try_is_a_call(settings: Settings, log: Path) -> None:
    (log / "security").write_text(
        SECURITY.format(event="ChallengeSent", account="<unknown>", sip="first@x")
    )
    Refusals(settings).look()
    at = dt.datetime(2026, 11, 26, 6, 23, 44, tzinfo=dt.UTC)
    calls.store(calls.CallFacts("a", "inbound", at, sip="first@x"), RULES)
    assert calls.balance(BEGIN, BEGIN + dt.timedelta(days=2)).sip_refused == 0


@pytest.mark.parametrize("at", ["-", "99", "0001-01-01", "9999-12-31 23:59:59"])
def test_a_line_that_a_stranger_wrote_into_the_log_stops_nothing(
    settings: Settings, log: Path, at: str
) -> None:
    """What he sends stands in Asterisk's lines: also what some take for the end of a line."""
    forged = f"[{at}] Request 'INVITE' from 'x' failed for 'y' (callid: forged) - why"
    spoken = SECURITY.format(event="FailedACL", account="<unknown>", sip="z@x")
    unclear = spoken.replace("2026-11-26T06:23:43.110+0000", at)
    (log / "messages").write_text(
        MESSAGE.replace("sip:x@", f"sip:x\u2028{forged}\u2028@") + forged + "\n" + MESSAGE
    )
    (log / "security").write_text(unclear + SECURITY.format(event="FailedACL", account="", sip="a"))
    Refusals(settings).look()
    assert {sip for sip, *_ in refused()} - {"z@x", "forged"} == {"a", "second@x"}


def test_a_line_without_an_end_and_a_folder_hold_up_nothing(settings: Settings, log: Path) -> None:
    (log / "messages").write_bytes(b"\0" * (2 << 20) + b"\n" + MESSAGE.encode())
    (log / "messages.old").mkdir()
    (log / "security").write_text(SECURITY.format(event="FailedACL", account="", sip="a"))
    assert Refusals(settings).look() == 2


REGISTRATION = (
    "[2026-11-26 06:11:22.220] WARNING[1] res_pjsip_outbound_registration.c: {why} received from"
    " 'sip:192.0.2.7:5060' on registration attempt to 'sip:u@192.0.2.7', retrying in '20'\n"
)


@pytest.mark.parametrize(
    ("why", "cause", "advice"),
    [
        ("Temporal response '503'", "503", "The carrier's exchange does not serve us"),
        ("No response", "no response", "The carrier's exchange does not serve us"),
        ("403 Forbidden fatal response", "403", "Check user and password"),
        ("'401' fatal response", "401", "Check user and password"),
    ],
)
def test_why_a_carrier_does_not_register_us(
    settings: Settings, log: Path, why: str, cause: str, advice: str
) -> None:
    trunk = Trunk("reg", address="192.0.2.7", register=True, user="u", password="p")
    routing.save(Plan(trunks=(trunk,)), by="rustam")
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    trunks.see_trunks([SeenTrunk("reg", trunks.UP, "Rejected")])
    (log / "messages").write_text(REGISTRATION.format(why=why))
    Refusals(settings).look()
    [check] = [one for one in health.lines(settings) if one.code == "trunk.reg"]
    assert check.state == "fail"
    assert check.values["cause"] == f"Rejected ({cause})"
    assert check.advice.startswith(advice)
