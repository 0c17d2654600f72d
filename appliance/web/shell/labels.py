"""How the fields of form №1, the doubts about them and what Asterisk tells are worded."""

from flask_babel import LazyString, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.telephony.calls import dialling

FIELDS: dict[str, LazyString] = {
    "number": _l("Appeal number"),
    "applicant_kind": _l("Kind of applicant"),
    "appeal_type": _l("Kind of appeal"),
    "entity_name": _l("Name of the legal entity"),
    "stir": _l("STIR (tax number)"),
    "first_name": _l("First name"),
    "surname": _l("Surname"),
    "call_type": _l("Kind of call"),
    "region": _l("Region"),
    "district": _l("City (district)"),
    "mahalla": _l("Mahalla"),
    "address": _l("Address"),
    "passport": _l("Passport"),
    "pinfl": _l("PINFL"),
    "sex": _l("Sex"),
    "born": _l("Date of birth"),
    "group": _l("Social group"),
    "phone": _l("Phone"),
    "phone_at_hand": _l("Phone at hand"),
    "employment": _l("Employment"),
    "openness": _l("Openness of the appeal"),
    "direction": _l("Direction of the appeal"),
    "gist": _l("Gist of the appeal"),
    "consultation": _l("Specialist's consultation"),
    "consultation_issue": _l("Issue"),
    "consultation_contact": _l("Who was contacted"),
}

VALUES: dict[str, dict[str, LazyString]] = {
    "applicant_kind": {"person": _l("Natural person"), "entity": _l("Legal entity")},
    "sex": {"m": _l("Male"), "f": _l("Female")},
    "openness": {"open": _l("Open appeal"), "personal": _l("Personal appeal")},
}

# On the label's own line: at most 20 letters in Russian. An empty field is counted, not worded.
DOUBTS: dict[str, LazyString] = {
    "region:unlisted": _l("Not on the list"),
    "district:unlisted": _l("Not on the list"),
    "district:elsewhere": _l("In another region"),
    "mahalla:unlisted": _l("Not on the list, kept"),
    "mahalla:elsewhere": _l("In another district"),
    "appeal_type:unlisted": _l("Not on the list"),
    "call_type:unlisted": _l("Not on the list"),
    "group:unlisted": _l("Not on the list"),
    "employment:unlisted": _l("Not on the list"),
    "direction:unlisted": _l("Not on the list"),
    "passport:form": _l("Should be AB1234567"),
    "pinfl:length": _l("14 digits needed"),
    "pinfl:check": _l("A digit is wrong"),
    "pinfl:born": _l("Date differs"),
    "pinfl:sex": _l("Sex differs"),
    "stir:form": _l("9 digits needed"),
    "born:form": _l("Should be dd.mm.yyyy"),
    "born:future": _l("In the future"),
    "born:old": _l("Over 120 years ago"),
    "phone:form": _l("Not a phone number"),
    "phone_at_hand:form": _l("Not a phone number"),
}

# Asterisk's DIALSTATUS of a call over a line
DIALLED: dict[str, LazyString] = {one.code: lazy_gettext(one.name) for one in dialling.STATUSES}


def doubts_by_field(codes: list[str]) -> dict[str, str]:
    """Field → the wording of its first doubt, of doubts written as "field:code"."""
    worded: dict[str, str] = {}
    for code in codes:
        if code in DOUBTS:
            worded.setdefault(code.partition(":")[0], str(DOUBTS[code]))
    return worded


def empty_fields(codes: list[str]) -> list[str]:
    """The required fields that hold nothing, in the form's order."""
    return [field for field, _, code in (c.partition(":") for c in codes) if code == "empty"]
