"""The site's self-tests: test calls, drills without the internet, and their results."""

import datetime as dt
import hashlib
import hmac
import sys
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import SelfTest

TEST_KINDS = ("call", "offline")
CARRIER_KIND_PREFIX = "carrier."  # and a trunk's name: the kind of its test calls
TEST_TRUNK = "self-test"  # the trunk of test calls, and the login of their operator
TEST_QUEUE = "self-test"
TEST_CALLER = "self-test-out"  # the endpoint that places test calls over the trunks
TEST_PHONE = "0000"
RESULT_RETENTION = dt.timedelta(days=90)
TRUNK_RESULT_RETENTION = dt.timedelta(days=7)  # shorter, because there are many
TRUNK_RETRY_INTERVAL = dt.timedelta(seconds=55)  # after a failed test call over a trunk
# Steps before a call is placed: an exchange that does not answer is not the carrier's fault.
STEPS_BEFORE_CALL = ("busy", "phone")
MAX_QUICK_RETRIES = 6  # failed calls in a row until the regular interval applies again

# What the failure of each step of a test means.
FAILURES = {
    "cut": N_("the network could not be cut off"),
    "site": N_("the trial site could not be created"),
    "start": N_("the trial site did not start"),
    "phone": N_("the phone could not register"),
    "line": N_("the line did not answer"),
    "menu": N_("the menu cannot be heard"),
    "queue": N_("the call did not reach the phone"),
    "talk": N_("no sound between the two sides"),
    "mark": N_("the rating could not be given"),
    "ledger": N_("the ledger does not record the call as it was"),
    "recording": N_("the recording does not contain both voices"),
    "marked": N_("the ledger does not record that it was a test"),
    "busy": N_("not checked: the line was busy"),
    "carrier": N_("the carrier did not put the call through"),
    "arrival": N_("the call did not come back to the hotline"),
    "there": N_("the answering side gets no sound from the caller"),
    "back": N_("the caller gets no sound from the answering side"),
    "form": N_("the appeal could not be registered"),
    "names": N_("names were looked up, and it waited for the answers"),
}


@dataclass(frozen=True)
class SelfTestLine:
    """The trunk, queue, phone and calling endpoint of test calls in Asterisk's configuration.

    `secret`, their password, never leaves this machine.
    """

    name: str
    queue: str
    phone: str
    out: str
    secret: str


@dataclass(frozen=True)
class SelfTestStep:
    """A step of a test: whether it succeeded, and the seconds it took."""

    step: str
    seconds: float
    ok: bool


@dataclass(frozen=True)
class SelfTestResult:
    """The result of a test: `failed` is the failed step ("" for success), `seen` the details."""

    kind: str
    started_at: dt.datetime
    steps: tuple[SelfTestStep, ...]
    failed: str = ""
    seen: str = ""
    call_id: str = ""

    @property
    def ok(self) -> bool:
        """Whether every step succeeded."""
        return not self.failed


def self_test_line(settings: Settings) -> SelfTestLine:
    """Return the names and the password that test calls use."""
    key = settings.asterisk.ami_secret.encode()
    return SelfTestLine(
        TEST_TRUNK,
        TEST_QUEUE,
        TEST_PHONE,
        TEST_CALLER,
        hmac.digest(key, TEST_TRUNK.encode(), hashlib.sha256).hex(),
    )


def appliance_command(settings: Settings, *arguments: str) -> list[str]:
    """Return the arguments that run a command of the appliance on this site in a new process."""
    main = "from appliance.cli import main; main()"
    return [sys.executable, "-c", main, "--config", str(settings.file), *arguments]


def latest_trunk_calls() -> dict[str, SelfTest]:
    """Map each trunk to the last test call that was placed over it."""
    ids = SelfTest.select(fn.MAX(SelfTest.id)).where(
        SelfTest.kind.startswith(CARRIER_KIND_PREFIX), SelfTest.failed.not_in(STEPS_BEFORE_CALL)
    )
    rows = SelfTest.select().where(SelfTest.id.in_(ids.group_by(SelfTest.kind)))
    return {row.kind.removeprefix(CARRIER_KIND_PREFIX): row for row in rows}


def is_trunk_call_due(settings: Settings, trunk: str) -> bool:
    """Whether a test call over a trunk is due.

    The interval is shorter after a busy or failed call, so that a repair is noticed soon. It is the
    normal one again after MAX_QUICK_RETRIES failed calls in a row.
    """
    rows = SelfTest.select().where(SelfTest.kind == f"{CARRIER_KIND_PREFIX}{trunk}")
    newest = list(rows.order_by(SelfTest.id.desc()).limit(MAX_QUICK_RETRIES))
    if not newest:
        return True
    is_hopeless = len(newest) == MAX_QUICK_RETRIES and not any(test.ok for test in newest)
    interval = dt.timedelta(minutes=settings.self_tests.carrier_minutes)
    if not newest[0].ok and not is_hopeless:
        interval = min(interval, TRUNK_RETRY_INTERVAL)
    # The absolute difference: a clock that was set back delays no call for long.
    return bool(abs(clock.now() - newest[0].started_at) >= interval)


def save_result(result: SelfTestResult) -> None:
    """Save the result of a test, and delete old results."""
    with write_transaction():
        SelfTest.delete().where(SelfTest.started_at < clock.now() - RESULT_RETENTION).execute()
        is_trunk_call = SelfTest.kind.startswith(CARRIER_KIND_PREFIX)
        week_ago = clock.now() - TRUNK_RESULT_RETENTION
        SelfTest.delete().where(is_trunk_call, SelfTest.started_at < week_ago).execute()
        SelfTest.create(
            kind=result.kind,
            started_at=result.started_at,
            ok=result.ok,
            failed=result.failed,
            seen=result.seen,
            steps=[vars(step) for step in result.steps],
            call_id=result.call_id,
        )
        live.publish_topics("links")


def latest_test(kind: str) -> SelfTest | None:
    """Return the newest test of a kind."""
    tests = SelfTest.select().where(SelfTest.kind == kind)
    # by id: the clock may have been wrong
    latest: SelfTest | None = tests.order_by(SelfTest.id.desc()).first()
    return latest


def recent_tests(limit: int = 20) -> list[SelfTest]:
    """Return the most recent tests, newest first."""
    return list(SelfTest.select().order_by(SelfTest.id.desc()).limit(limit))


def is_overdue(settings: Settings, last: SelfTest) -> bool:
    """Whether a periodic test has not run for three times its interval."""
    plan = settings.self_tests
    minutes = (
        plan.carrier_minutes if last.kind.startswith(CARRIER_KIND_PREFIX) else plan.call_minutes
    )
    interval = dt.timedelta(minutes=minutes)
    if last.kind == "offline":
        interval = dt.timedelta(weeks=1 if plan.offline_weekday else 0)
    return bool(interval) and clock.now() - last.started_at > 3 * interval
