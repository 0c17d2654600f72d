"""The site's tests of itself: test calls, drills without the internet, and what they found."""

import datetime as dt
import hashlib
import hmac
import sys
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import SelfTest

KINDS = ("call", "offline")
CARRIER = "carrier."  # and a trunk's name: the kind of a test call over it
NAME = "self-test"  # the trunk of test calls, and the login of who answers them
QUEUE = "self-test"
OUT = "self-test-out"  # what places test calls over the trunks
PHONE = "0000"
KEPT = dt.timedelta(days=90)
KEPT_OVER_TRUNKS = dt.timedelta(days=7)  # there are many
AGAIN = dt.timedelta(seconds=55)  # after a test call over a trunk that failed
# Steps before a call is placed: an exchange that does not answer is no fault of a carrier's.
NOT_PLACED = ("busy", "phone")
SOON_AGAIN = 6  # such calls in a row; then as seldom as any

FAILURES = {
    "cut": N_("the network could not be cut off"),
    "site": N_("the trial site could not be made"),
    "start": N_("the trial site did not start"),
    "phone": N_("the phone could not register"),
    "line": N_("the line did not answer"),
    "menu": N_("the menu was not heard"),
    "queue": N_("the call did not reach the phone"),
    "talk": N_("the two did not hear each other"),
    "mark": N_("the mark could not be given"),
    "ledger": N_("the ledger does not hold the call as it was"),
    "recording": N_("the recording does not hold both voices"),
    "marked": N_("the ledger does not know that it was a test"),
    "busy": N_("not tried: the line was busy"),
    "carrier": N_("the carrier did not put the call through"),
    "arrival": N_("the call did not come back to the hotline"),
    "there": N_("who answers does not hear who calls"),
    "back": N_("who calls does not hear who answers"),
    "form": N_("the appeal could not be registered"),
    "names": N_("names were looked up, and waited for"),
}  # step of a test → what its failure means


@dataclass(frozen=True)
class Line:
    """What Asterisk is told of test calls; `secret` is known to this machine only."""

    name: str
    queue: str
    phone: str
    out: str
    secret: str


@dataclass(frozen=True)
class Step:
    """A part of a test, done or not; seconds it took."""

    step: str
    seconds: float
    ok: bool


@dataclass(frozen=True)
class Result:
    """What a test found. `failed` names the step that failed ("": none), `seen` says how."""

    kind: str
    started_at: dt.datetime
    steps: tuple[Step, ...]
    failed: str = ""
    seen: str = ""
    call_id: str = ""

    @property
    def ok(self) -> bool:
        """Whether every step was done."""
        return not self.failed


def line(settings: Settings) -> Line:
    """The trunk, the queue and the phone of test calls."""
    key = settings.asterisk.ami_secret.encode()
    return Line(NAME, QUEUE, PHONE, OUT, hmac.digest(key, NAME.encode(), hashlib.sha256).hex())


def command(settings: Settings, *words: str) -> list[str]:
    """A command of the appliance on this site, as a process of its own."""
    main = "from appliance.cli import main; main()"
    return [sys.executable, "-c", main, "--config", str(settings.file), *words]


def over_trunks() -> dict[str, SelfTest]:
    """Trunk → the last test call over it that was placed."""
    ids = SelfTest.select(fn.MAX(SelfTest.id)).where(
        SelfTest.kind.startswith(CARRIER), SelfTest.failed.not_in(NOT_PLACED)
    )
    rows = SelfTest.select().where(SelfTest.id.in_(ids.group_by(SelfTest.kind)))
    return {row.kind.removeprefix(CARRIER): row for row in rows}


def is_due_over(settings: Settings, trunk: str) -> bool:
    """Whether a test call over a trunk is due.

    It is sooner where the last one was busy or failed, so that a fault ends soon after it is
    repaired, but not for ever where a carrier lets none through.
    """
    rows = SelfTest.select().where(SelfTest.kind == f"{CARRIER}{trunk}")
    newest = list(rows.order_by(SelfTest.id.desc()).limit(SOON_AGAIN))
    if not newest:
        return True
    hopeless = len(newest) == SOON_AGAIN and not any(test.ok for test in newest)
    apart = dt.timedelta(minutes=settings.self_tests.carrier_minutes)
    if not newest[0].ok and not hopeless:
        apart = min(apart, AGAIN)
    # A clock that was set back delays none for long.
    return abs(clock.now() - newest[0].started_at) >= apart


def record(result: Result) -> None:
    """Write down what a test found."""
    with writing():
        SelfTest.delete().where(SelfTest.started_at < clock.now() - KEPT).execute()
        over_trunks = SelfTest.kind.startswith(CARRIER)
        week_ago = clock.now() - KEPT_OVER_TRUNKS
        SelfTest.delete().where(over_trunks, SelfTest.started_at < week_ago).execute()
        SelfTest.create(
            kind=result.kind,
            started_at=result.started_at,
            ok=result.ok,
            failed=result.failed,
            seen=result.seen,
            steps=[vars(step) for step in result.steps],
            call_id=result.call_id,
        )
        live.publish("links")


def latest(kind: str) -> SelfTest | None:
    """The newest test of a kind."""
    of_kind = SelfTest.select().where(SelfTest.kind == kind)
    return of_kind.order_by(SelfTest.id.desc()).first()  # whatever the clock said then


def recent(limit: int = 20) -> list[SelfTest]:
    """Tests, the newest first."""
    return list(SelfTest.select().order_by(SelfTest.id.desc()).limit(limit))


def is_late(settings: Settings, last: SelfTest) -> bool:
    """Whether a test that runs by itself has not run for three times as long as it should."""
    plan = settings.self_tests
    minutes = plan.carrier_minutes if last.kind.startswith(CARRIER) else plan.call_minutes
    every = dt.timedelta(minutes=minutes)
    if last.kind == "offline":
        every = dt.timedelta(weeks=1 if plan.offline_weekday else 0)
    return bool(every) and clock.now() - last.started_at > 3 * every
