"""Which notices are sent, which account is tried first, and which texts a service has approved.

A purpose is the kind of a message, such as "answered".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.core import audit, clock, outbox
from appliance.core.db import write_transaction
from appliance.core.settings import Settings, SmsAccount
from appliance.messaging.notices import templates, texts
from appliance.messaging.sms import account_health
from appliance.messaging.sms.gateway import SmsGateway
from appliance.models import Message, NoticeRule, SmsOptOut, TextApproval

APPROVAL_STATES = ("waiting", "approved", "refused")
# Purposes that are always sent: the recipient asked for them or must be informed.
_SMS_PURPOSE_RECORDS = [purpose for purpose in outbox.PURPOSES.values() if purpose.by_sms]
MANDATORY_PURPOSES = frozenset(
    purpose.code for purpose in _SMS_PURPOSE_RECORDS if not purpose.optional
)
SMS_PURPOSES = (
    *(purpose.code for purpose in _SMS_PURPOSE_RECORDS if purpose.optional),
    *sorted(MANDATORY_PURPOSES),
)


@dataclass(frozen=True)
class Rule:
    """The rule for messages of a purpose; `account` is tried first ("": the settings' order)."""

    purpose: str
    enabled: bool = True
    account: str = ""


@dataclass(frozen=True)
class Approval:
    """A text in force and a service's decision on it.

    `state` is one of APPROVAL_STATES, or "" if the service was not asked.
    """

    account: str
    purpose: str
    language: str
    text: str
    state: str


def list_rules() -> list[Rule]:
    """Return a rule for each purpose."""
    rules_by_purpose = {
        row.purpose: Rule(row.purpose, row.told, row.account) for row in NoticeRule.select()
    }
    return [rules_by_purpose.get(purpose, Rule(purpose)) for purpose in SMS_PURPOSES]


def is_enabled(purpose: str) -> bool:
    """Return True if citizens receive messages of this purpose."""
    row = NoticeRule.get_or_none(NoticeRule.purpose == purpose)
    return purpose in MANDATORY_PURPOSES or not row or row.told


def is_unwanted(message: Message) -> bool:
    """Return True if a queued message must not be sent any more.

    That is so if the number has opted out, or the purpose was disabled, since it was queued.
    """
    if message.purpose in MANDATORY_PURPOSES and message.purpose != "manual":
        return False
    opted_out = SmsOptOut.select().where(SmsOptOut.number == message.recipient)
    return opted_out.exists() or not is_enabled(message.purpose)


def change_rule(settings: Settings, purpose: str, enabled: bool, account: str, actor: str) -> bool:
    """Save whether messages of a purpose are sent, and which account is tried first ("": any).

    Mandatory purposes are always sent. Returns False for an unknown purpose or account.
    """
    if purpose not in SMS_PURPOSES or account not in {
        "",
        *(candidate.name for candidate in settings.sms),
    }:
        return False
    with write_transaction():
        NoticeRule.replace(
            purpose=purpose, told=enabled or purpose in MANDATORY_PURPOSES, account=account
        ).execute()
        audit.record_entry(actor, "notice.rule", purpose, told=enabled, account=account)
    return True


def list_approvals(settings: Settings) -> list[Approval]:
    """Return each text in force, with its approval, for each account that needs approved texts."""
    approvals = []
    for account in settings.sms:
        if not account.approval:
            continue
        rows = TextApproval.select().where(TextApproval.account == account.name)
        rows_by_text = {(row.purpose, row.language): row for row in rows}
        for wording in [*texts.all_wordings(settings), *templates.template_wordings(settings)]:
            row = rows_by_text.get((wording.purpose, wording.language))
            state = row.state if row and row.text == wording.text else ""
            text = outbox.use_ascii_quotes(wording.text)
            approvals.append(Approval(account.name, wording.purpose, wording.language, text, state))
    return approvals


def record_approval(
    settings: Settings, account: str, purpose: str, language: str, state: str, actor: str
) -> bool:
    """Record a service's decision on the text in force for a purpose and language.

    `state` is one of APPROVAL_STATES; "" removes the decision. Returns False if the account, the
    text or the state is unknown.
    """
    approving_accounts = {candidate.name for candidate in settings.sms if candidate.approval}
    wordings = [*texts.all_wordings(settings), *templates.template_wordings(settings)]
    text = next(
        (
            wording.text
            for wording in wordings
            if (wording.purpose, wording.language) == (purpose, language)
        ),
        "",
    )
    if not text or account not in approving_accounts:
        return False
    if state and state not in APPROVAL_STATES:
        return False
    conditions = (
        TextApproval.account == account,
        TextApproval.purpose == purpose,
        TextApproval.language == language,
    )
    with write_transaction():
        TextApproval.delete().where(*conditions).execute()
        if state:
            TextApproval.create(
                account=account,
                purpose=purpose,
                language=language,
                text=text,
                state=state,
                by=actor,
                at=clock.now(),
            )
        audit.record_entry(actor, "notice.approval", f"{account} {purpose} {language}", state=state)
    return True


def accepts_message(account: SmsAccount, message: Message) -> bool:
    """Return True if an account accepts this text, and can receive the reply if it asks for one."""
    payload: dict[str, object] = message.payload or {}
    if payload.get("reply") and not account.receives_replies:
        return False
    if not account.approval:
        return True
    approvals = TextApproval.select().where(
        TextApproval.account == account.name,
        TextApproval.purpose == payload.get("text_of", message.purpose),
        TextApproval.language == payload.get("language", ""),
        TextApproval.text == payload.get("template", ""),
        TextApproval.state == "approved",
    )
    return bool(approvals.exists())


def sort_by_preference[G: SmsGateway | SmsAccount](gateways: Sequence[G], purpose: str) -> list[G]:
    """Return the gateways, or their accounts, in the order in which to try them for a purpose."""
    row = NoticeRule.get_or_none(NoticeRule.purpose == purpose)
    preferred_name = row.account if row else ""
    return sorted(gateways, key=lambda gateway: gateway.name != preferred_name)


def manual_message_price(
    settings: Settings, parts: int, payload: dict[str, str] | None = None
) -> int | None:
    """Return the price in tiyin of a message written by hand, if known.

    It is the price of the first account that accepts such a text and is not skipped at present.
    """
    message = Message(purpose="manual", payload=payload or {})
    candidates = [
        account
        for account in sort_by_preference(settings.sms, "manual")
        if accepts_message(account, message)
    ]
    skipped = account_health.held_accounts()
    preferred = next(
        (account for account in candidates if account.name not in skipped),
        next(iter(candidates), None),
    )
    return parts * preferred.price if preferred and preferred.price else None
