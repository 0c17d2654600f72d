"""Understanding what a form holds: columns, what goes beside them, and what is doubtful.

Reading never fails and refuses nothing (law OʻRQ-445, article 23): a value that looks wrong earns a
doubt that is shown and kept.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.casework import catalogs, identity
from appliance.casework.forms.definition import PLACES, Definition, Field
from appliance.casework.forms.versions import columns as columns_of
from appliance.casework.identity import Doubt
from appliance.core import phone_numbers
from appliance.core.i18n import DEFAULT, same_but_spelling, spelt
from appliance.models import District, Mahalla

type Values = Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """A form as understood.

    `columns`: the fields that have a column by the names of their columns, and `extra`, the others:
    name → {code, text}. `doubts` stand in the form's order.
    """

    columns: dict[str, Any]
    mahalla_text: str  # a mahalla that is on no list; registering remembers it
    doubts: list[Doubt]


def cleaned(definition: Definition, values: Values) -> dict[str, str]:
    """Only the form's own fields, without blanks around; nothing else of a request is kept."""
    names = sorted(definition.names)
    return {name: text for name in names if (text := values.get(name, "").strip())}


def fields_of(definition: Definition, values: Values) -> tuple[Field, ...]:
    """The fields that are asked, by the kind of applicant and the direction that a form holds."""
    kind = values.get("applicant_kind") or "person"
    return definition.fields_of(kind, values.get("direction", ""))


def read(definition: Definition, values: Values, today: dt.date) -> Reading:
    """Understand a form, whatever was typed. `today` is the site's date."""
    own = columns_of(definition.form)
    values = cleaned(definition, values)
    fields = fields_of(definition, values)
    names = {name for field in fields for name in field.names}
    values = {name: text for name, text in values.items() if name in names}
    doubts: list[Doubt] = []
    columns: dict[str, Any] = {}
    places, mahalla_text = _places(definition, values, doubts)
    extra = {}
    for field in definition.fields:
        if field.name in PLACES:
            continue
        if field.name in own:
            columns |= _columns(field, values, doubts, today)
        elif field in fields and (held := _held(field, values, doubts, today)):
            extra[field.name] = held
    columns |= places | {"extra": extra}
    doubts += [d for d in identity.doubts(dict(values), today) if d.field in own]
    corrected = [f for f in definition.fields if f.name in own and f.kind in ("name", "document")]
    columns["typed"] = {
        field.name: values[field.name]
        for field in corrected
        if field.name in values and not same_but_spelling(values[field.name], columns[field.name])
    }
    doubts += [
        Doubt(field.name, "empty")
        for field in fields
        if field.required
        and not any(values.get(name) for name in field.names)
        and not _filled(columns.get(field.name))
    ]
    order = [field.name for field in definition.fields]
    doubts.sort(key=lambda doubt: order.index(doubt.field))
    return Reading(columns, mahalla_text, doubts)


def _filled(value: Any) -> bool:
    return value is not None and value != ""


def _columns(field: Field, values: Values, doubts: list[Doubt], today: dt.date) -> dict[str, Any]:
    """What the columns of one of the product's own fields hold."""
    text = values.get(field.name, "")
    match field.kind:
        case "name":
            return {field.name: spelt(text)}
        case "choice" if field.options:
            return {field.name: text if text in {option.code for option in field.options} else ""}
        case "choice" | "list":
            return {field.name: _listed(field, values, doubts, today)}
        case "document":
            return {field.name: _DOCUMENTS[field.document](text)}
        case "phone":
            return {field.name: phone_numbers.canonical(text) or text}
        case "date":
            day = identity.born(text)
            return {f"{field.name}_on": day, f"{field.name}_text": "" if day else text}
    return {field.name: text}


def _held(field: Field, values: Values, doubts: list[Doubt], today: dt.date) -> dict[str, str]:
    """What is kept of a field that the manager added; {} when nothing stands in it."""
    typed = values.get(f"{field.name}_text", "") if field.chosen else ""
    text = typed or values.get(field.name, "")
    if not text:
        return {}
    code: str | None = ""  # None: it should have had one
    match field.kind:
        case "place":
            code = _placed(field, values.get(field.name, ""), typed)
            if not code:
                doubts.append(Doubt(field.name, "unlisted"))
            text = "" if code else text
        case "list" | "choice" if field.list:
            listed = _listed(field, values, doubts, today)
            code = listed if listed in catalogs.labels(field.list, DEFAULT) else ""
            text = "" if code else text
        case "choice":
            code = text if text in {option.code for option in field.options} else None
        case "tick":
            code = "1"
        case "number":
            plain = re.sub(r"[\s\u00a0]", "", text).replace(",", ".")
            code = plain if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain, re.ASCII) else None
        case "date":
            day = identity.born(text)
            code = day.isoformat() if day else None
        case "phone":
            code = phone_numbers.canonical(text)
        case "document":
            code = _READERS[field.document](text)
        case "name":
            text = spelt(text)
    if code is None:
        doubts.append(Doubt(field.name, "form"))
    return {"code": code or "", "text": text}


def _places(
    definition: Definition, values: Values, doubts: list[Doubt]
) -> tuple[dict[str, Any], str]:
    """Region, district and mahalla by code or exact name, the wider ones told by the narrower."""
    names = [field.name for field in definition.fields if field.name in PLACES]
    mahalla_text, district_text, region_text = (
        values.get(f"{field}_text", "") for field in ("mahalla", "district", "region")
    )
    region = catalogs.place("region", values.get("region"))
    region = region or catalogs.exact_region(region_text)
    district = catalogs.place("district", values.get("district"))
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
    columns = {"region": region, "region_text": "" if region else region_text}
    if "district" in names:
        columns |= {"district": district, "district_text": "" if district else district_text}
    if "mahalla" in names:
        columns |= {"mahalla": mahalla}
    return columns if names else {}, "" if mahalla else mahalla_text


def _placed(field: Field, chosen: str, typed: str) -> str:
    """The code of a place that an added field names; "" when it is on no list."""
    if catalogs.place(field.source, chosen):
        return chosen
    exact = {"region": catalogs.exact_region, "district": catalogs.exact_district}[field.source]
    found = exact(typed or chosen)
    return found.soato if found else ""


def _mahalla(chosen: str, text: str, district: District | None) -> Mahalla | None:
    known = Mahalla.get_or_none(Mahalla.id == int(chosen)) if chosen.isdecimal() else None
    return known or catalogs.exact_mahalla(text, district and district.soato)


def _listed(field: Field, values: Values, doubts: list[Doubt], today: dt.date) -> str:
    """The code of a list's field, else the text that was typed in place of one.

    A code that was chosen and is out of use since stays, with a doubt.
    """
    typed, chosen = values.get(f"{field.name}_text", ""), values.get(field.name, "")
    code = catalogs.code_of(field.list, chosen or typed, today)
    code = code or catalogs.code_of(field.list, typed, today)
    if (chosen or typed) and not code:
        doubts.append(Doubt(field.name, "unlisted"))
        code = chosen if chosen in catalogs.labels(field.list, DEFAULT) else ""
    return code or typed or chosen


def _stir(text: str) -> str:
    return identity.stir(text) or text


_DOCUMENTS = {"passport": identity.document, "pinfl": phone_numbers.digits, "stir": _stir}
_READERS = {
    "passport": identity.passport,
    "pinfl": lambda text: phone_numbers.digits(text) if identity.pinfl(text) else None,
    "stir": identity.stir,
}
