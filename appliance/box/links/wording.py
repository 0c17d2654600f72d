"""Titles of links, and the advice for one that is down, as message ids."""

from appliance.box.links import probing
from appliance.core.i18n import N_


def link_title(name: str) -> tuple[str, dict[str, str]]:
    """Return the message id of a link's title, and the values of its placeholders."""
    kind, _, account = name.partition(".")
    return _LINK_TITLES[kind], {"account": account}


def outage_advice(name: str) -> str:
    """Return the advice for a link that is down, as a message id."""
    return _LINK_OUTAGE_ADVICE.get(name, _PARTY_OUTAGE_ADVICE)


def unknown_link_texts(name: str) -> tuple[str, str]:
    """Return the finding and the advice for a link of unknown state, as message ids."""
    if name == "gateway" and not probing.can_ping():
        return _PING_FORBIDDEN
    return N_("has not been checked recently"), N_("Check that `appliance jobs` is running.")


_LINK_TITLES = {
    "gateway": N_("Router"),
    "dns": N_("Names (DNS)"),
    "internet": N_("Internet"),
    "telegram": N_("Telegram"),
    "ministry": N_("Ministry's system"),
    "openid": N_("External sign-in (OpenID Connect)"),
    "ldap": N_("Directory of passwords (LDAP)"),
    "sms": N_("SMS: {account}"),
}
_LINK_OUTAGE_ADVICE = {
    "gateway": N_("Check the router, and the cable between it and the server."),
    "dns": N_("Check the router's name server. Calls do not need it; messages are waiting."),
    "internet": N_("If the router works, call the provider. Calls continue; messages are waiting."),
    "openid": N_(
        "Call the people who run it. Until then people sign in with their passwords on the server."
    ),
    "ldap": N_(
        "Call the people who run it. Until then everybody signs in with the password they used "
        "last."
    ),
}
_PING_FORBIDDEN = (
    N_("the server may not send pings (net.ipv4.ping_group_range)"),
    N_("Run the playbook again: it allows `appliance jobs` to send pings."),
)
_PARTY_OUTAGE_ADVICE = N_(
    "If the internet works, the service itself is down: messages to it are waiting."
)
