"""Form №1: its fields in their order, what they hold when sent, and what is doubtful in it.

A form's values are a dict of texts by field name. Where a field chooses from a list, its own
name holds the code (empty when none was chosen) and NAME_text what stands in the field.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from appliance.casework import catalogs, identity
from appliance.casework.identity import Doubt
from appliance.core import phone_numbers
from appliance.core.i18n import same_but_spelling, spelt
from appliance.models import District, Mahalla, Region

KINDS = ("person", "entity")
SEXES = ("m", "f")
OPENNESS = ("open", "personal")

# The order of the terms of reference; a legal entity's name and STIR stand before its contact,
# and the direction (report form №2, table 4) in the form's spare place before the gist.
FIELDS = (
    "applicant_kind",
    "appeal_type",
    "entity_name",
    "stir",
    "first_name",
    "surname",
    "call_type",
    "region",
    "district",
    "mahalla",
    "address",
    "passport",
    "pinfl",
    "sex",
    "born",
    "group",
    "phone",
    "phone_at_hand",
    "employment",
    "openness",
    "direction",
    "gist",
)
CONSULTATION = ("consultation", "consultation_issue", "consultation_contact")
CHOSEN = ("region", "district", "mahalla", "call_type", "group", "employment", "direction")
LISTS = ("appeal_type", "call_type", "group", "employment", "direction")
OF_PERSON = ("sex", "born")
OF_ENTITY = ("entity_name", "stir")
CALLED = ("first_name", "surname", "entity_name")  # names, put right in their spelling
DOCUMENTS = ("passport", "pinfl", "stir")
OPTIONAL = frozenset(("call_type", "passport", "pinfl", "phone_at_hand", "direction", "gist"))
NAMES = frozenset((*FIELDS, *CONSULTATION, *(f"{field}_text" for field in CHOSEN)))
# What a form holds before anybody has typed.
_GIVEN = frozenset(("applicant_kind", "openness", "phone"))


@dataclass(frozen=True)
class Reading:
    """A form as understood: columns of models.Appeal, and the doubts in the form's order."""

    columns: dict[str, Any]
    mahalla_text: str  # a mahalla that is on no list; registering remembers it
    doubts: list[Doubt]


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields that are asked of a person or of a legal entity, in order."""
    left_out = OF_PERSON if kind == "entity" else OF_ENTITY
    return tuple(field for field in FIELDS if field not in left_out)


def cleaned(values: dict[str, str]) -> dict[str, str]:
    """Only the form's own fields, without blanks around; nothing else of a request is kept."""
    return {name: text for name in sorted(NAMES) if (text := values.get(name, "").strip())}


def is_blank(values: dict[str, str]) -> bool:
    """Whether nobody has typed anything yet."""
    return not any(text for name, text in values.items() if name not in _GIVEN)


def read(values: dict[str, str], today: dt.date) -> Reading:
    """Understand a form; it never fails, whatever was typed. `today` is the site's date."""
    values = cleaned(values)
    kind = "entity" if values.get("applicant_kind") == "entity" else "person"
    for field in FIELDS:
        if field not in fields_of(kind):
            values.pop(field, None)
    places, mahalla_text, doubts = _places(values)
    lists = {name: _listed(name, values, doubts) for name in LISTS}
    doubts += identity.doubts(values, today)
    columns = {
        "applicant_kind": kind,
        **{name: spelt(values.get(name, "")) for name in CALLED},
        **{name: values.get(name, "") for name in ("address", "gist")},
        "openness": _one_of(OPENNESS, values.get("openness", "")),
        "sex": _one_of(SEXES, values.get("sex", "")),
        "passport": identity.document(values.get("passport", "")),
        "pinfl": phone_numbers.digits(values.get("pinfl", "")),
        "stir": identity.stir(values.get("stir", "")) or values.get("stir", ""),
        "phone": phone_numbers.canonical(values.get("phone", "")) or values.get("phone", ""),
        "phone_at_hand": phone_numbers.canonical(values.get("phone_at_hand", ""))
        or values.get("phone_at_hand", ""),
        "born_on": (born_on := identity.born(values.get("born", ""))),
        "born_text": "" if born_on else values.get("born", ""),
        **_consultation(values),
        **places,
        **lists,
    }
    columns["typed"] = {
        name: values[name]
        for name in (*CALLED, *DOCUMENTS)
        if name in values and not same_but_spelling(values[name], columns[name])
    }
    doubts += [Doubt(field, "empty") for field in fields_of(kind) if _lacks(field, columns, values)]
    doubts.sort(key=lambda doubt: FIELDS.index(doubt.field))
    return Reading(columns, mahalla_text, doubts)


def _lacks(field: str, columns: dict[str, Any], values: dict[str, str]) -> bool:
    chosen = columns.get(field) or values.get(field) or values.get(f"{field}_text")
    return field not in OPTIONAL and not chosen


def _places(values: dict[str, str]) -> tuple[dict[str, Any], str, list[Doubt]]:
    """Region, district and mahalla by code or exact name, the wider ones told by the narrower."""
    doubts = []
    mahalla_text, district_text, region_text = (
        values.get(f"{field}_text", "") for field in ("mahalla", "district", "region")
    )
    region = Region.get_or_none(Region.soato == values.get("region"))
    region = region or catalogs.exact_region(region_text)
    district = District.get_or_none(District.soato == values.get("district"))
    district = district or catalogs.exact_district(district_text, region and region.soato)
    mahalla = _mahalla(values.get("mahalla", ""), mahalla_text, district)
    if mahalla and mahalla.district and not district and not district_text:
        district = mahalla.district
    if district and not region and not region_text:
        region = district.region
    if region_text and not region:
        doubts.append(Doubt("region", "unlisted"))
    if district_text and not district:
        doubts.append(Doubt("district", "unlisted"))
    elif district and region and district.region_id != region.soato:
        doubts.append(Doubt("district", "elsewhere"))
    if mahalla.typed if mahalla else mahalla_text:
        doubts.append(Doubt("mahalla", "unlisted"))
    elif mahalla and district and mahalla.district_id != district.soato:
        doubts.append(Doubt("mahalla", "elsewhere"))
    columns = {
        "region": region,
        "district": district,
        "mahalla": mahalla,
        "region_text": "" if region else region_text,
        "district_text": "" if district else district_text,
    }
    return columns, "" if mahalla else mahalla_text, doubts


def _mahalla(chosen: str, text: str, district: District | None) -> Mahalla | None:
    known = Mahalla.get_or_none(Mahalla.id == int(chosen)) if chosen.isdecimal() else None
    return known or catalogs.exact_mahalla(text, district and district.soato)


def _listed(name: str, values: dict[str, str], doubts: list[Doubt]) -> str:
    """The code of a list's field, else the text that was typed in place of one."""
    text = values.get(name) or values.get(f"{name}_text", "")
    code = catalogs.code_of(name, text) or catalogs.code_of(name, values.get(f"{name}_text", ""))
    if text and not code:
        doubts.append(Doubt(name, "unlisted"))
    return code or values.get(f"{name}_text", "") or text


def _consultation(values: dict[str, str]) -> dict[str, Any]:
    wanted = bool(values.get("consultation"))
    return {
        "consultation": wanted,
        "consultation_issue": values.get("consultation_issue", "") if wanted else "",
        "consultation_contact": spelt(values.get("consultation_contact", "")) if wanted else "",
    }


def _one_of(allowed: tuple[str, ...], value: str) -> str:
    return value if value in allowed else ""
