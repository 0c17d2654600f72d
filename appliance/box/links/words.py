"""What links are called, and what to do when one is down, as message ids."""

from appliance.box.links import looking
from appliance.core.i18n import N_


def title(name: str) -> tuple[str, dict[str, str]]:
    """The message id of a link's name, and what fills it."""
    kind, _, account = name.partition(".")
    return _LINKS[kind], {"account": account}


def advice(name: str) -> str:
    """What to do when a link is down, as a message id."""
    return _LINK_ADVICE.get(name, _PARTY_ADVICE)


def unseen(name: str) -> tuple[str, str]:
    """What is the matter with a link of which nothing is known, and what to do, as message ids."""
    if name == "gateway" and not looking.may_ping():
        return _FORBIDDEN
    return N_("was not looked at lately"), N_("Look whether `appliance jobs` runs.")


_LINKS = {
    "gateway": N_("Router"),
    "dns": N_("Names (DNS)"),
    "internet": N_("Internet"),
    "telegram": N_("Telegram"),
    "ministry": N_("Ministry's system"),
    "openid": N_("Sign-in from outside (OpenID Connect)"),
    "ldap": N_("Directory of passwords (LDAP)"),
    "sms": N_("SMS: {account}"),
}
_LINK_ADVICE = {
    "gateway": N_("Look at the router and at the cable between it and the box."),
    "dns": N_("Look at the router's name server. Calls do not need it; messages wait."),
    "internet": N_("When the router works, call the provider. Calls go on; messages wait."),
    "openid": N_("Call who runs it. Until then people sign in by their passwords of the box."),
    "ldap": N_(
        "Call who runs it. Until then each one's password is the one he last signed in with."
    ),
}
_FORBIDDEN = (
    N_("the box may not ask (net.ipv4.ping_group_range)"),
    N_("Run the playbook again: it lets `appliance jobs` ask."),
)
_PARTY_ADVICE = N_("When the internet works, the service itself is down: messages to it wait.")
