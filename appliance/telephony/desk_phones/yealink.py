"""Yealink: MAC.cfg, lines of `parameter = value` (Auto Provisioning Guide, V83 and newer)."""

from appliance.telephony.desk_phones.maker import (
    KEY_PAYLOAD_TYPE,
    MENU_LANGUAGE,
    REGISTRATION_SECONDS,
    BookEntries,
    PhoneSetup,
    ip_phone_directory,
    plain_text,
)

_TLS, _SRTP_COMPULSORY, _RFC_4733 = 2, 2, 1
_CODECS = ("pcma", "pcmu", "g722")  # in order of preference
_DISABLED_CODECS = ("g729", "g726_32", "g723_53", "g723_63", "ilbc", "opus")


def file_name(mac: str) -> str:
    """The name of the file that the phone with this MAC requests."""
    return f"{mac}.cfg"


def settings_file(setup: PhoneSetup) -> str:
    """Return the text of the settings file.

    The parameter for the web page's password occurs twice, once for each account of that page.
    """
    account: dict[str, object] = {
        "enable": 1,
        "label": setup.extension,
        "display_name": plain_text(setup.name),
        "user_name": setup.extension,
        "auth_name": setup.extension,
        "password": setup.password,
        "sip_server.1.address": setup.server,
        "sip_server.1.port": setup.port,
        "sip_server.1.transport_type": _TLS,
        "sip_server.1.expires": REGISTRATION_SECONDS,
        "srtp_encryption": _SRTP_COMPULSORY,
        "dtmf.type": _RFC_4733,
        "dtmf.dtmf_payload": KEY_PAYLOAD_TYPE,
        **{f"codec.{name}.enable": 1 for name in _CODECS},
        **{f"codec.{name}.priority": priority for priority, name in enumerate(_CODECS, 1)},
        **{f"codec.{name}.enable": 0 for name in _DISABLED_CODECS},
    }
    lines = [
        *((f"account.1.{name}", value) for name, value in account.items()),
        ("local_time.ntp_server1", setup.server),
        ("local_time.time_zone", f"{setup.utc_offset_hours:+}"),
        ("local_time.summer_time", 0),
        ("lang.gui", MENU_LANGUAGE[1]),
        ("lang.wui", MENU_LANGUAGE[1]),
        ("remote_phonebook.data.1.name", plain_text(setup.book_title)),
        ("remote_phonebook.data.1.url", setup.book_url),
        ("static.security.user_password", f"admin:{setup.web_password}"),
        ("static.security.user_password", f"user:{setup.web_password}"),
        # The address can be used once: the phone must not ask any server again.
        ("static.auto_provision.server.url", "%NULL%"),
        ("static.auto_provision.power_on", 0),
        ("static.auto_provision.repeat.enable", 0),
        ("static.auto_provision.pnp_enable", 0),
        ("static.auto_provision.dhcp_option.enable", 0),
    ]
    return "\n".join(["#!version:1.0.0.1", *(f"{name} = {value}" for name, value in lines), ""])


def phone_book(entries: BookEntries) -> str:
    """The directory in Yealink's format."""
    return ip_phone_directory("Yealink", entries)
