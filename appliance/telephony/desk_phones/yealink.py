"""Yealink: MAC.cfg, lines of `parameter = value` (Auto Provisioning Guide, V83 and newer)."""

from appliance.telephony.desk_phones.make import (
    EVENTS,
    EXPIRES,
    LANGUAGE,
    Entries,
    Setup,
    ip_phone_directory,
    plain,
)

_TLS, _COMPULSORY, _RFC_4733 = 2, 2, 1
_CODECS = ("pcma", "pcmu", "g722")  # in this order
_OTHERS = ("g729", "g726_32", "g723_53", "g723_63", "ilbc", "opus")


def file_name(mac: str) -> str:
    """The file that the phone of this MAC asks for."""
    return f"{mac}.cfg"


def settings_file(setup: Setup) -> str:
    """Its text. Passwords of one name stand once for each account of the phone's web page."""
    account: dict[str, object] = {
        "enable": 1,
        "label": setup.extension,
        "display_name": plain(setup.name),
        "user_name": setup.extension,
        "auth_name": setup.extension,
        "password": setup.password,
        "sip_server.1.address": setup.server,
        "sip_server.1.port": setup.port,
        "sip_server.1.transport_type": _TLS,
        "sip_server.1.expires": EXPIRES,
        "srtp_encryption": _COMPULSORY,
        "dtmf.type": _RFC_4733,
        "dtmf.dtmf_payload": EVENTS,
        **{f"codec.{name}.enable": 1 for name in _CODECS},
        **{f"codec.{name}.priority": place for place, name in enumerate(_CODECS, 1)},
        **{f"codec.{name}.enable": 0 for name in _OTHERS},
    }
    lines = [
        *((f"account.1.{name}", value) for name, value in account.items()),
        ("local_time.ntp_server1", setup.server),
        ("local_time.time_zone", f"{setup.hours:+}"),
        ("local_time.summer_time", 0),
        ("lang.gui", LANGUAGE[1]),
        ("lang.wui", LANGUAGE[1]),
        ("remote_phonebook.data.1.name", plain(setup.title)),
        ("remote_phonebook.data.1.url", setup.book),
        ("static.security.user_password", f"admin:{setup.web_password}"),
        ("static.security.user_password", f"user:{setup.web_password}"),
        # The address is used up: the phone asks nobody again.
        ("static.auto_provision.server.url", "%NULL%"),
        ("static.auto_provision.power_on", 0),
        ("static.auto_provision.repeat.enable", 0),
        ("static.auto_provision.pnp_enable", 0),
        ("static.auto_provision.dhcp_option.enable", 0),
    ]
    return "\n".join(["#!version:1.0.0.1", *(f"{name} = {value}" for name, value in lines), ""])


def phone_book(entries: Entries) -> str:
    """The directory."""
    return ip_phone_directory("Yealink", entries)
