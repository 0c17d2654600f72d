"""The site's SMS gateways, in their order."""

import importlib
from typing import Any

from appliance.core.settings import Settings, SmsAccount, SmsKind
from appliance.messaging.sms import providers
from appliance.messaging.sms.gateway import SmsGateway


def build_gateways(settings: Settings) -> list[SmsGateway]:
    """Return a gateway for each account in the settings file, the preferred one first."""
    return [
        provider_class(account.kind)(
            name=account.name,
            url=account.url.rstrip("/"),
            user=account.user,
            password=account.password,
            sender=account.sender,
            callback=callback_url(settings, account),
        )
        for account in settings.sms
    ]


def provider_class(kind: SmsKind) -> Any:
    """Return the gateway class of a kind; only the provider modules in use are imported."""
    return importlib.import_module(f"{providers.__name__}.{kind}").GATEWAY


def callback_url(settings: Settings, account: SmsAccount) -> str:
    """Return the address that accepts an account's delivery reports, or ""."""
    secret = account.callback_secret
    return f"{settings.web.url.rstrip('/')}/sms-reports/{account.name}/{secret}" if secret else ""


def reports_delivery(account: SmsAccount) -> bool:
    """Return True if the delivery of an account's messages can be confirmed.

    The service is queried, reports over its open line, or calls an address of the appliance.
    """
    service = provider_class(account.kind)
    is_queried = service.outcome is not SmsGateway.outcome
    return is_queried or service.has_line or bool(account.callback_secret)
