"""Fanvil X and V: MAC.cfg, XML under `sysConf` (Auto Provision Standard, version 2)."""

from xml.etree import ElementTree
from xml.etree.ElementTree import SubElement as below

from appliance.telephony.desk_phones.make import (
    EVENTS,
    EXPIRES,
    LANGUAGE,
    Entries,
    Setup,
    add,
    ip_phone_directory,
    plain,
    written,
)

_TLS, _ENCRYPTED, _RFC_4733, _TLS_1_2 = 3, 1, 1, 2
_QUARTERS = 4  # of an hour: how the time zone is counted
_ADMIN, _USER = 10, 5  # levels of the accounts of its web page


def file_name(mac: str) -> str:
    """The file that the phone of this MAC asks for."""
    return f"{mac}.cfg"


def settings_file(setup: Setup) -> str:
    """Its text."""
    root = ElementTree.Element("sysConf")
    add(root, Version="2.0000000000")
    mm, sip, phone, web, ap = (below(root, name) for name in ("mm", "sip", "phone", "web", "ap"))
    add(mm, DtmfPayloadType=EVENTS)
    add(
        below(sip, "line", index="1"),
        PhoneNumber=setup.extension,
        DisplayName=plain(setup.name),
        RegisterAddr=setup.server,
        RegisterPort=setup.port,
        RegisterUser=setup.extension,
        RegisterPswd=setup.password,
        RegisterTTL=EXPIRES,
        EnableReg=1,
        Transport=_TLS,
        TLSVersion=_TLS_1_2,
        MediaCrypto=_ENCRYPTED,
        DTMFMode=_RFC_4733,
        VoiceCodecMap="PCMA,PCMU,G722",
    )
    add(below(phone, "display"), DefaultLanguage=LANGUAGE[0])
    add(
        below(phone, "date"),
        EnableSNTP=1,
        SNTPServer=setup.server,
        TimeZone=setup.hours * _QUARTERS,
        TimeZoneName=f"UTC{setup.hours:+}",
        EnableDST=0,
    )
    add(below(phone, "xmlContact", index="1"), Name=plain(setup.title), Addr=setup.book)
    for number, (name, level) in enumerate((("admin", _ADMIN), ("guest", _USER)), 1):
        account = below(web, "account", index=str(number))
        add(account, Name=name, Password=setup.web_password, Level=level)
    # The address is used up: the phone asks nobody again.
    add(ap, FlashServerIP="", FlashFileName="", FlashMode=0)
    add(below(ap, "pnp"), PNPEnable=0)
    add(below(ap, "opt"), DHCPOption=0)
    return written(root)


def phone_book(entries: Entries) -> str:
    """The directory."""
    return ip_phone_directory("Fanvil", entries)
