"""How the SMS accounts do: what took a message last, what fails, until when it is passed over."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core import clock, live, outbox
from appliance.core.db import writing
from appliance.core.delivery import Later, Trouble
from appliance.core.settings import Settings, SmsAccount
from appliance.models import SmsHealth

LONGEST = dt.timedelta(minutes=10)  # that an account which fails again and again is passed over
OFFLINE = dt.timedelta(seconds=30)  # the same for one that nothing gets through to
_FARTHEST = dt.timedelta(hours=1)  # held for longer, the clock was put back since
PATIENCE = dt.timedelta(minutes=1)  # with one that asks to wait and takes nothing meanwhile
# troubles that are over when the account answers anything
ON_THE_WAY = frozenset((*outbox.NEVER_LEFT, "log_in"))
_LATELY = dt.timedelta(hours=1)  # of one that fails for longer nothing is hoped for at once
_FRESH = dt.timedelta(seconds=30)  # within which another success is not written down


@dataclass(frozen=True)
class Standing:
    """An account and how it was found; `state`: unused | ok | busy | held | failing | low."""

    account: SmsAccount
    health: SmsHealth
    state: str

    @property
    def is_passed_over(self) -> bool:
        """Whether it was given up for a while, and has taken nothing since."""
        return bool(self.health.failures and self.health.held_until)


def standings(settings: Settings) -> list[Standing]:
    """Each account of the settings, in their order."""
    known = {row.account: row for row in SmsHealth.select()}
    found = []
    for account in settings.sms:
        row = known.get(account.name) or SmsHealth(account=account.name)
        found.append(Standing(account, row, _state(account, row)))
    return found


def held() -> set[str]:
    """Accounts that are passed over at this moment."""
    now = clock.now()
    rows = SmsHealth.select(SmsHealth.account).where(
        SmsHealth.held_until > now, SmsHealth.held_until <= now + _FARTHEST
    )
    return {row.account for row in rows}


def failing() -> dict[str, str]:
    """Account → code of its trouble, of those that failed when they were last asked."""
    return {row.account: row.trouble for row in SmsHealth.select().where(SmsHealth.failures > 0)}


def failing_lately() -> set[str]:
    """Accounts that do not take messages since a short time ago, or only ask to wait."""
    since = clock.now() - _LATELY
    rows = SmsHealth.select(SmsHealth.account).where(
        SmsHealth.failing_since.between(since, clock.now())
    )
    return {row.account for row in rows}


def worked(account: str) -> None:
    """It took a message or answers again: whatever failed before is over."""
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    well = row and not row.failures and not row.held_until and row.sent_at
    if well and dt.timedelta() <= now - row.sent_at < _FRESH:
        return
    _write(
        account,
        row,
        {
            "sent_at": now,
            "failures": 0,
            "failing_since": None,
            "held_until": None,
            "trouble": "",
            "trouble_text": "",
        },
    )


def failed(account: str, trouble: Trouble, rest: float, allowed: int = 1) -> None:
    """It did not: from the `allowed`-th time in a row on it is passed over for `rest` seconds,
    doubled with each further time up to LONGEST, or for as long as it asks. Whether the internet is
    back is asked often, as it costs the service nothing."""
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    failures = (row.failures if row else 0) + 1
    longest = OFFLINE if trouble.code in outbox.NEVER_LEFT else LONGEST
    wait = min(dt.timedelta(seconds=rest) * 2 ** min(max(failures - allowed, 0), 16), longest)
    if isinstance(trouble, Later):
        wait = max(wait, dt.timedelta(seconds=trouble.wait))
    _write(
        account,
        row,
        {
            "failures": failures,
            "failing_since": (row and row.failing_since) or now,
            "held_until": now + wait if failures >= allowed else None,
            "trouble": trouble.code,
            "trouble_text": trouble.said[:500],
        },
    )


def busy(account: str, trouble: Later, rest: float) -> bool:
    """It asks to wait. That is no failure, as long as PATIENCE lasts; whether it is waited for."""
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    since = row.failing_since if row and row.trouble == trouble.code else now
    until = now + dt.timedelta(seconds=trouble.wait)
    if until - since > PATIENCE:
        failed(account, trouble, rest)
        return False
    _write(
        account,
        row,
        {
            "failures": 0,
            "failing_since": since,
            "held_until": until,
            "trouble": trouble.code,
            "trouble_text": trouble.said[:500],
        },
    )
    return True


def counted(account: str, balance: int) -> None:
    """How much is left on it."""
    row = SmsHealth.get_or_none(SmsHealth.account == account)
    _write(account, row, {"balance": balance, "balance_at": clock.now()})


def _write(account: str, row: SmsHealth | None, values: Mapping[str, object]) -> None:
    with writing():
        if row:
            SmsHealth.update(**values).where(SmsHealth.account == account).execute()
        else:
            SmsHealth.create(account=account, **values)
        live.publish("outbox")


def _state(account: SmsAccount, row: SmsHealth) -> str:
    if row.failures:
        return "held" if row.held_until and row.held_until > clock.now() else "failing"
    if row.failing_since:
        return "busy"
    if account.low_balance and row.balance is not None and row.balance < account.low_balance:
        return "low"
    return "ok" if row.sent_at else "unused"
