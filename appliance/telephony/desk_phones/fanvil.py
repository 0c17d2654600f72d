"""Fanvil X and V: MAC.cfg, XML under `sysConf` (Auto Provision Standard, version 2)."""

from xml.etree import ElementTree
from xml.etree.ElementTree import SubElement as below

from appliance.telephony.desk_phones.maker import (
    KEY_PAYLOAD_TYPE,
    MENU_LANGUAGE,
    REGISTRATION_SECONDS,
    BookEntries,
    PhoneSetup,
    add_elements,
    ip_phone_directory,
    plain_text,
    xml_text,
)

_TLS, _SRTP_ENCRYPTED, _RFC_4733, _TLS_1_2 = 3, 1, 1, 2
_QUARTERS_PER_HOUR = 4  # the unit of the time zone
_ADMIN_LEVEL, _USER_LEVEL = 10, 5  # levels of the accounts of the phone's web page


def file_name(mac: str) -> str:
    """The name of the file that the phone with this MAC requests."""
    return f"{mac}.cfg"


def settings_file(setup: PhoneSetup) -> str:
    """The text of the settings file."""
    root = ElementTree.Element("sysConf")
    add_elements(root, Version="2.0000000000")
    mm, sip, phone, web, ap = (below(root, name) for name in ("mm", "sip", "phone", "web", "ap"))
    add_elements(mm, DtmfPayloadType=KEY_PAYLOAD_TYPE)
    add_elements(
        below(sip, "line", index="1"),
        PhoneNumber=setup.extension,
        DisplayName=plain_text(setup.name),
        RegisterAddr=setup.server,
        RegisterPort=setup.port,
        RegisterUser=setup.extension,
        RegisterPswd=setup.password,
        RegisterTTL=REGISTRATION_SECONDS,
        EnableReg=1,
        Transport=_TLS,
        TLSVersion=_TLS_1_2,
        MediaCrypto=_SRTP_ENCRYPTED,
        DTMFMode=_RFC_4733,
        VoiceCodecMap="PCMA,PCMU,G722",
    )
    add_elements(below(phone, "display"), DefaultLanguage=MENU_LANGUAGE[0])
    add_elements(
        below(phone, "date"),
        EnableSNTP=1,
        SNTPServer=setup.server,
        TimeZone=setup.utc_offset_hours * _QUARTERS_PER_HOUR,
        TimeZoneName=f"UTC{setup.utc_offset_hours:+}",
        EnableDST=0,
    )
    add_elements(
        below(phone, "xmlContact", index="1"),
        Name=plain_text(setup.book_title),
        Addr=setup.book_url,
    )
    for number, (name, level) in enumerate((("admin", _ADMIN_LEVEL), ("guest", _USER_LEVEL)), 1):
        account = below(web, "account", index=str(number))
        add_elements(account, Name=name, Password=setup.web_password, Level=level)
    # The address can be used once: the phone must not ask any server again.
    add_elements(ap, FlashServerIP="", FlashFileName="", FlashMode=0)
    add_elements(below(ap, "pnp"), PNPEnable=0)
    add_elements(below(ap, "opt"), DHCPOption=0)
    return xml_text(root)


def phone_book(entries: BookEntries) -> str:
    """The directory in Fanvil's format."""
    return ip_phone_directory("Fanvil", entries)
