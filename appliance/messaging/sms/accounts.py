"""The site's SMS gateways, in their order."""

from appliance.core.settings import Settings, SmsAccount, SmsKind
from appliance.messaging.sms.gateway import SmsGateway
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.modem import Modem
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.providers.smpp import Smpp

KINDS: dict[SmsKind, type[Eskiz | Modem | PlayMobile | Smpp]] = {
    "eskiz": Eskiz,
    "playmobile": PlayMobile,
    "smpp": Smpp,
    "modem": Modem,
}


def gateways(settings: Settings) -> list[SmsGateway]:
    """A gateway for each account in the settings file, the preferred one first."""
    return [
        KINDS[account.kind](
            name=account.name,
            url=account.url.rstrip("/"),
            user=account.user,
            password=account.password,
            sender=account.sender,
            callback=callback(settings, account),
        )
        for account in settings.sms
    ]


def callback(settings: Settings, account: SmsAccount) -> str:
    """The address at which an account's delivery reports are taken, or ""."""
    secret = account.callback_secret
    return f"{settings.web.url.rstrip('/')}/sms-reports/{account.name}/{secret}" if secret else ""
