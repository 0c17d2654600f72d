"""Requests that Asterisk refused before they became calls, read from its own logs."""

import datetime as dt
from pathlib import Path

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch, SipRefusal
from appliance.pbx.refusals import RefusalLog
from appliance.telephony import calls, routing, trunks
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import TrunkReport
from tests.rig.rules import RULES

SECURITY_LINE = (
    '[2026-11-26 06:23:43.110] SECURITY[28589] res_security_log.c: SecurityEvent="{event}",'
    'EventTV="2026-11-26T06:23:43.110+0000",Severity="Informational",Service="PJSIP",'
    'EventVersion="1",AccountID="{account}",SessionID="{sip}",'
    'LocalAddress="IPV4/UDP/127.34.137.1/5060",RemoteAddress="IPV4/UDP/192.0.2.7/5060"\n'
)
MESSAGE_LINE = (
    "[2026-11-26 06:23:44.000] NOTICE[28589] res_pjsip/pjsip_distributor.c: Request 'INVITE' from"
    " '<sip:x@192.0.2.8>' failed for '192.0.2.8:5060' (callid: second@x) - No matching endpoint"
    " found\n"
)
PERIOD_START = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


@pytest.fixture
def log(settings: Settings) -> Path:
    settings.asterisk.log.mkdir(parents=True)
    return settings.asterisk.log


def stored_refusals() -> list[tuple[str, str, str]]:
    rows = SipRefusal.select().order_by(SipRefusal.sip)
    return [(row.sip, row.address, row.why) for row in rows]


def test_strangers_are_distinguished_from_our_phones(settings: Settings, log: Path) -> None:
    (log / "security").write_text(
        SECURITY_LINE.format(event="ChallengeSent", account="<unknown>", sip="first@x")
        + SECURITY_LINE.format(event="ChallengeSent", account="1001", sip="ours@x")
        + SECURITY_LINE.format(event="SuccessfulAuth", account="1001", sip="ours@x")
        + SECURITY_LINE.format(event="FailedACL", account="<unknown>", sip="third@x")
        + SECURITY_LINE.format(event="ChallengeSent", account="<unknown>", sip="half@x")[:90]
    )
    (log / "messages").write_text(MESSAGE_LINE)
    follower = RefusalLog(settings)
    assert follower.read_refusals() == 3
    assert stored_refusals() == [
        ("first@x", "192.0.2.7:5060", "ChallengeSent"),
        ("second@x", "192.0.2.8:5060", "No matching endpoint found"),
        ("third@x", "192.0.2.7:5060", "FailedACL"),
    ]
    assert follower.read_refusals() == 0
    assert calls.ledger_balance(PERIOD_START, PERIOD_START + dt.timedelta(days=2)).sip_refused == 3


def test_a_rotated_log_is_not_counted_again(settings: Settings, log: Path) -> None:
    line = SECURITY_LINE.format(event="ChallengeSent", account="<unknown>", sip="first@x")
    (log / "security").write_text(line)
    RefusalLog(settings).read_refusals()
    (log / "security").rename(log / "security.0")
    (log / "security.1").symlink_to("gone")  # listed, and missing when it is opened
    (log / "security").write_text(line.replace("first@x", "second@x"))
    assert RefusalLog(settings).read_refusals() == 1
    assert RefusalLog(settings).read_refusals() == 0
    assert [sip for sip, *_ in stored_refusals()] == ["first@x", "second@x"]


def test_a_request_accepted_at_the_second_attempt_is_a_call(settings: Settings, log: Path) -> None:
    (log / "security").write_text(
        SECURITY_LINE.format(event="ChallengeSent", account="<unknown>", sip="first@x")
    )
    RefusalLog(settings).read_refusals()
    arrived_at = dt.datetime(2026, 11, 26, 6, 23, 44, tzinfo=dt.UTC)
    calls.store_call(calls.CallFacts("a", "inbound", arrived_at, sip="first@x"), RULES)
    assert calls.ledger_balance(PERIOD_START, PERIOD_START + dt.timedelta(days=2)).sip_refused == 0


@pytest.mark.parametrize("timestamp", ["-", "99", "0001-01-01", "9999-12-31 23:59:59"])
def test_a_forged_line_in_the_log_does_not_stop_the_reader(
    settings: Settings, log: Path, timestamp: str
) -> None:
    """Asterisk logs a stranger's text, including characters that some treat as line ends."""
    forged = f"[{timestamp}] Request 'INVITE' from 'x' failed for 'y' (callid: forged) - why"
    security_line = SECURITY_LINE.format(event="FailedACL", account="<unknown>", sip="z@x")
    unclear = security_line.replace("2026-11-26T06:23:43.110+0000", timestamp)
    (log / "messages").write_text(
        MESSAGE_LINE.replace("sip:x@", f"sip:x\u2028{forged}\u2028@") + forged + "\n" + MESSAGE_LINE
    )
    (log / "security").write_text(
        unclear + SECURITY_LINE.format(event="FailedACL", account="", sip="a")
    )
    RefusalLog(settings).read_refusals()
    assert {sip for sip, *_ in stored_refusals()} - {"z@x", "forged"} == {"a", "second@x"}


def test_an_oversized_line_and_a_folder_do_not_block_the_reader(
    settings: Settings, log: Path
) -> None:
    (log / "messages").write_bytes(b"\0" * (2 << 20) + b"\n" + MESSAGE_LINE.encode())
    (log / "messages.old").mkdir()
    (log / "security").write_text(SECURITY_LINE.format(event="FailedACL", account="", sip="a"))
    assert RefusalLog(settings).read_refusals() == 2


REGISTRATION_LINE = (
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
def test_the_reason_of_a_refused_registration_is_shown(
    settings: Settings, log: Path, why: str, cause: str, advice: str
) -> None:
    trunk = Trunk("reg", address="192.0.2.7", register=True, user="u", password="p")
    routing.save_plan(Plan(trunks=(trunk,)), by="rustam")
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    trunks.store_trunks([TrunkReport("reg", trunks.UP, "Rejected")])
    (log / "messages").write_text(REGISTRATION_LINE.format(why=why))
    RefusalLog(settings).read_refusals()
    [check] = [item for item in health.check_trunks(settings) if item.code == "trunk.reg"]
    assert check.state == "fail"
    assert check.values["cause"] == f"Rejected ({cause})"
    assert check.advice.startswith(advice)
