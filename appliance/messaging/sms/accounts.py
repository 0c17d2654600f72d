"""The site's SMS gateways, in their order."""

import importlib
from typing import Any

from appliance.core.settings import Settings, SmsAccount, SmsKind
from appliance.messaging.sms import providers
from appliance.messaging.sms.gateway import SmsGateway


def gateways(settings: Settings) -> list[SmsGateway]:
    """A gateway for each account in the settings file, the preferred one first."""
    return [
        provider(account.kind)(
            name=account.name,
            url=account.url.rstrip("/"),
            user=account.user,
            password=account.password,
            sender=account.sender,
            callback=callback(settings, account),
        )
        for account in settings.sms
    ]


def provider(kind: SmsKind) -> Any:
    """The class of SmsGateway in the module of that name: only what is used is loaded."""
    return importlib.import_module(f"{providers.__name__}.{kind}").GATEWAY


def callback(settings: Settings, account: SmsAccount) -> str:
    """The address at which an account's delivery reports are taken, or ""."""
    secret = account.callback_secret
    return f"{settings.web.url.rstrip('/')}/sms-reports/{account.name}/{secret}" if secret else ""


def is_reported(account: SmsAccount) -> bool:
    """Whether it can be known that a message of an account arrived.

    A service is asked, reports over its open line, or calls an address of ours.
    """
    service = provider(account.kind)
    is_asked = service.outcome is not SmsGateway.outcome
    return is_asked or service.has_line or bool(account.callback_secret)
