"""The site's SMS gateways, in their order."""

from appliance.gateways import SmsGateway
from appliance.gateways.eskiz import Eskiz
from appliance.gateways.playmobile import PlayMobile
from appliance.settings import Settings

KINDS = {"eskiz": Eskiz, "playmobile": PlayMobile}


def gateways(settings: Settings) -> list[SmsGateway]:
    """A gateway for each account in the settings file, the preferred one first."""
    return [
        KINDS[account.kind](
            name=account.name,
            url=account.url.rstrip("/"),
            user=account.user,
            password=account.password,
            sender=account.sender,
        )
        for account in settings.sms
    ]
