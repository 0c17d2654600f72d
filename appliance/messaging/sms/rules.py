"""What is told at all, over which account first, and which texts a service has approved."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.core import audit, clock, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings, SmsAccount
from appliance.messaging.notices import templates, texts
from appliance.messaging.sms import account_health
from appliance.messaging.sms.gateway import SmsGateway
from appliance.models import Message, NoticeRule, SmsOptOut, TextApproval

STATES = ("waiting", "approved", "refused")
# what is always told: somebody asks for it or has to know
_BY_SMS = [purpose for purpose in outbox.PURPOSES.values() if purpose.by_sms]
ALWAYS = frozenset(purpose.code for purpose in _BY_SMS if not purpose.optional)
PURPOSES = (*(purpose.code for purpose in _BY_SMS if purpose.optional), *sorted(ALWAYS))


@dataclass(frozen=True)
class Rule:
    """How something is told; `account` is asked first, "" for the settings' order."""

    purpose: str
    told: bool = True
    account: str = ""


@dataclass(frozen=True)
class Approval:
    """A text in force, as it is sent, and what a service says of it; state "" when it was not
    asked."""

    account: str
    purpose: str
    language: str
    text: str
    state: str


def rules() -> list[Rule]:
    """A rule for each purpose."""
    known = {row.purpose: Rule(row.purpose, row.told, row.account) for row in NoticeRule.select()}
    return [known.get(purpose, Rule(purpose)) for purpose in PURPOSES]


def is_sent(purpose: str) -> bool:
    """Whether citizens are told of this."""
    row = NoticeRule.get_or_none(NoticeRule.purpose == purpose)
    return purpose in ALWAYS or not row or row.told


def is_unwanted(message: Message) -> bool:
    """Whether its number wants no such messages since it was written, or citizens are told no
    more of this."""
    if message.purpose in ALWAYS and message.purpose != "manual":
        return False
    opted_out = SmsOptOut.select().where(SmsOptOut.number == message.recipient)
    return opted_out.exists() or not is_sent(message.purpose)


def change(settings: Settings, purpose: str, told: bool, account: str, by: str) -> bool:
    """Put a rule in force; False for a purpose or account that there is not."""
    if purpose not in PURPOSES or account not in {"", *(a.name for a in settings.sms)}:
        return False
    with writing():
        NoticeRule.replace(
            purpose=purpose, told=told or purpose in ALWAYS, account=account
        ).execute()
        audit.record(by, "notice.rule", purpose, told=told, account=account)
    return True


def approvals(settings: Settings) -> list[Approval]:
    """Each text in force at each account that takes approved ones only."""
    found = []
    for account in settings.sms:
        if not account.approval:
            continue
        rows = TextApproval.select().where(TextApproval.account == account.name)
        known = {(row.purpose, row.language): row for row in rows}
        for wording in [*texts.wordings(settings), *templates.wordings(settings)]:
            row = known.get((wording.purpose, wording.language))
            state = row.state if row and row.text == wording.text else ""
            text = outbox.plain(wording.text)
            found.append(Approval(account.name, wording.purpose, wording.language, text, state))
    return found


def note(
    settings: Settings, account: str, purpose: str, language: str, state: str, by: str
) -> bool:
    """Note what a service says of the text in force; False for something that there is not.

    `state` of STATES, or "" when it was not asked.
    """
    demanding = {a.name for a in settings.sms if a.approval}
    every = [*texts.wordings(settings), *templates.wordings(settings)]
    text = next((w.text for w in every if (w.purpose, w.language) == (purpose, language)), "")
    if not text or account not in demanding:
        return False
    if state and state not in STATES:
        return False
    here = (
        TextApproval.account == account,
        TextApproval.purpose == purpose,
        TextApproval.language == language,
    )
    with writing():
        TextApproval.delete().where(*here).execute()
        if state:
            TextApproval.create(
                account=account,
                purpose=purpose,
                language=language,
                text=text,
                state=state,
                by=by,
                at=clock.now(),
            )
        audit.record(by, "notice.approval", f"{account} {purpose} {language}", state=state)
    return True


def may_take(account: SmsAccount, message: Message) -> bool:
    """Whether a service takes this text, and whether what is answered to it reaches us."""
    payload: dict[str, object] = message.payload or {}
    if payload.get("reply") and not account.takes_replies:
        return False
    if not account.approval:
        return True
    return (
        TextApproval.select()
        .where(
            TextApproval.account == account.name,
            TextApproval.purpose == payload.get("text_of", message.purpose),
            TextApproval.language == payload.get("language", ""),
            TextApproval.text == payload.get("template", ""),
            TextApproval.state == "approved",
        )
        .exists()
    )


def in_order[G: SmsGateway | SmsAccount](gateways: Sequence[G], purpose: str) -> list[G]:
    """The gateways, or their accounts, as they are asked for this purpose."""
    row = NoticeRule.get_or_none(NoticeRule.purpose == purpose)
    first = row.account if row else ""
    return sorted(gateways, key=lambda gateway: gateway.name != first)


def price(settings: Settings, parts: int, payload: dict[str, str] | None = None) -> int | None:
    """What a message written by hand costs (tiyin), at the account that is asked first for such a
    text and is not passed over; None when that is not known."""
    message = Message(purpose="manual", payload=payload or {})
    takers = [a for a in in_order(settings.sms, "manual") if may_take(a, message)]
    held = account_health.held()
    first = next((a for a in takers if a.name not in held), next(iter(takers), None))
    return parts * first.price if first and first.price else None
