"""The health of SMS accounts: the last success, current failures, and how long one is skipped.

An account that is skipped ("held") for a while is not used for sending.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core import clock, live, outbox
from appliance.core.db import write_transaction
from appliance.core.delivery import DeliveryError, RetryLaterError
from appliance.core.settings import Settings, SmsAccount
from appliance.models import SmsHealth

MAX_REST = dt.timedelta(minutes=10)  # the longest time for which a failing account is skipped
MAX_OFFLINE_REST = dt.timedelta(seconds=30)  # the same for an account that cannot be reached
_MAX_PLAUSIBLE_REST = dt.timedelta(hours=1)  # a longer rest means that the clock was set back
# How long an account may ask to wait, and accept nothing, before that counts as a failure.
MAX_BUSY_PERIOD = dt.timedelta(minutes=1)
# Troubles that have ended when the account gives any answer.
CONNECTION_TROUBLES = frozenset((*outbox.OFFLINE_TROUBLES, "log_in"))
# An account that has failed for longer is not expected to recover soon.
_RECENT_PERIOD = dt.timedelta(hours=1)
_SUCCESS_INTERVAL = dt.timedelta(seconds=30)  # within which a further success is not recorded


@dataclass(frozen=True)
class AccountStatus:
    """An account and its health; `state` is unused, ok, busy, held, failing or low (balance)."""

    account: SmsAccount
    health: SmsHealth
    state: str

    @property
    def is_skipped(self) -> bool:
        """True if the account was skipped for a while and has accepted nothing since."""
        return bool(self.health.failures and self.health.held_until)


def account_statuses(settings: Settings) -> list[AccountStatus]:
    """Return the status of each account, in the order of the settings."""
    rows_by_account = {row.account: row for row in SmsHealth.select()}
    statuses = []
    for account in settings.sms:
        row = rows_by_account.get(account.name) or SmsHealth(account=account.name)
        statuses.append(AccountStatus(account, row, _account_state(account, row)))
    return statuses


def held_accounts() -> set[str]:
    """Return the names of the accounts that are skipped at present."""
    now = clock.now()
    rows = SmsHealth.select(SmsHealth.account).where(
        SmsHealth.held_until > now, SmsHealth.held_until <= now + _MAX_PLAUSIBLE_REST
    )
    return {row.account for row in rows}


def failing_accounts() -> dict[str, str]:
    """Return the code of the trouble of each account that failed when last used, by its name."""
    return {row.account: row.trouble for row in SmsHealth.select().where(SmsHealth.failures > 0)}


def recently_failing_accounts() -> set[str]:
    """Return the accounts that began to fail, or to ask for a wait, within the last hour."""
    since = clock.now() - _RECENT_PERIOD
    rows = SmsHealth.select(SmsHealth.account).where(
        SmsHealth.failing_since.between(since, clock.now())
    )
    return {row.account for row in rows}


def record_success(account: str) -> None:
    """Record that an account accepted a message or answers again: earlier failures are over."""
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    was_well = row and not row.failures and not row.held_until and row.sent_at
    if was_well and dt.timedelta() <= now - row.sent_at < _SUCCESS_INTERVAL:
        return
    _store_health(
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


def record_failure(account: str, trouble: DeliveryError, rest: float, allowed: int = 1) -> None:
    """Record a failure; from the `allowed`-th in a row on, the account is skipped for a while.

    It is skipped for `rest` seconds, which doubles with each further failure up to MAX_REST, or
    longer if the service asks for that. An account that cannot be reached is tried again sooner
    (MAX_OFFLINE_REST), because such attempts cost the service nothing.
    """
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    failures = (row.failures if row else 0) + 1
    longest = MAX_OFFLINE_REST if trouble.code in outbox.OFFLINE_TROUBLES else MAX_REST
    wait = min(dt.timedelta(seconds=rest) * 2 ** min(max(failures - allowed, 0), 16), longest)
    if isinstance(trouble, RetryLaterError):
        wait = max(wait, dt.timedelta(seconds=trouble.wait_seconds))
    _store_health(
        account,
        row,
        {
            "failures": failures,
            "failing_since": (row and row.failing_since) or now,
            "held_until": now + wait if failures >= allowed else None,
            "trouble": trouble.code,
            "trouble_text": trouble.detail[:500],
        },
    )


def record_busy(account: str, trouble: RetryLaterError, rest: float) -> bool:
    """Record that an account asks to wait; returns True if the message should wait for it.

    If the account asks for longer than MAX_BUSY_PERIOD in total, that is recorded as a failure.
    """
    row, now = SmsHealth.get_or_none(SmsHealth.account == account), clock.now()
    since = row.failing_since if row and row.trouble == trouble.code else now
    until = now + dt.timedelta(seconds=trouble.wait_seconds)
    if until - since > MAX_BUSY_PERIOD:
        record_failure(account, trouble, rest)
        return False
    _store_health(
        account,
        row,
        {
            "failures": 0,
            "failing_since": since,
            "held_until": until,
            "trouble": trouble.code,
            "trouble_text": trouble.detail[:500],
        },
    )
    return True


def record_balance(account: str, balance: int) -> None:
    """Record an account's balance."""
    row = SmsHealth.get_or_none(SmsHealth.account == account)
    _store_health(account, row, {"balance": balance, "balance_at": clock.now()})


def _store_health(account: str, row: SmsHealth | None, values: Mapping[str, object]) -> None:
    with write_transaction():
        if row:
            SmsHealth.update(**values).where(SmsHealth.account == account).execute()
        else:
            SmsHealth.create(account=account, **values)
        live.publish_topics("outbox")


def _account_state(account: SmsAccount, row: SmsHealth) -> str:
    if row.failures:
        return "held" if row.held_until and row.held_until > clock.now() else "failing"
    if row.failing_since:
        return "busy"
    if account.low_balance and row.balance is not None and row.balance < account.low_balance:
        return "low"
    return "ok" if row.sent_at else "unused"
