"""Interprets the values of a form: columns, values outside the columns, and doubts.

Reading never fails and refuses nothing (law OʻRQ-445, article 23): a value that looks wrong gets a
doubt, which is shown and stored.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.casework import catalogs, identity
from appliance.casework.forms.definition import PRODUCT_PLACE_FIELDS, Definition, Field
from appliance.casework.forms.versions import column_value_names
from appliance.casework.identity import Doubt
from appliance.core import phone_numbers
from appliance.core.i18n import DEFAULT_LOCALE, equals_ignoring_spelling, normalize_apostrophes
from appliance.models import District, Mahalla

type Values = Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """The interpreted values of a form.

    `columns` holds the values to store, by column name; its entry `extra` holds the fields without
    a column, each name with {"code": …, "text": …}, and its entry `typed` the typed texts whose
    spelling was corrected. `doubts` are in the form's order.
    """

    columns: dict[str, Any]
    mahalla_text: str  # a mahalla that is on no list; registering adds it
    doubts: list[Doubt]


def cleaned_values(definition: Definition, values: Values) -> dict[str, str]:
    """Return the values of the form's own fields, stripped of blanks; all others are dropped."""
    names = sorted(definition.value_names)
    return {name: text for name in names if (text := values.get(name, "").strip())}


def applicable_fields(definition: Definition, values: Values) -> tuple[Field, ...]:
    """Return the fields that are asked, given the form's kind of applicant and direction."""
    kind = values.get("applicant_kind") or "person"
    return definition.fields_for_applicant(kind, values.get("direction", ""))


def read_values(definition: Definition, values: Values, today: dt.date) -> Reading:
    """Interpret the values of a form, whatever they are. `today` is the site's date.

    Values of fields that are not asked for the applicant's kind and the direction are ignored.
    """
    column_names = column_value_names(definition.form)
    values = cleaned_values(definition, values)
    fields = applicable_fields(definition, values)
    names = {name for field in fields for name in field.value_names}
    values = {name: text for name, text in values.items() if name in names}
    doubts: list[Doubt] = []
    columns: dict[str, Any] = {}
    places, mahalla_text = _read_places(definition, values, doubts)
    extra = {}
    for field in definition.fields:
        if field.name in PRODUCT_PLACE_FIELDS:
            continue  # _read_places() has read them, because they depend on each other
        if field.name in column_names:
            columns |= _column_values(field, values, doubts, today)
        elif field in fields and (stored := _added_field_value(field, values, doubts, today)):
            extra[field.name] = stored
    columns |= places | {"extra": extra}
    doubts += [
        identity_doubt
        for identity_doubt in identity.identity_doubts(dict(values), today)
        if identity_doubt.field in column_names
    ]
    correctable_fields = [
        own_field
        for own_field in definition.fields
        if own_field.name in column_names and own_field.kind in ("name", "document")
    ]
    columns["typed"] = {
        field.name: values[field.name]
        for field in correctable_fields
        if field.name in values
        and not equals_ignoring_spelling(values[field.name], columns[field.name])
    }
    doubts += [
        Doubt(field.name, "empty")
        for field in fields
        if field.required
        and not any(values.get(name) for name in field.value_names)
        and not _has_value(columns.get(field.name))
    ]
    order = [field.name for field in definition.fields]
    doubts.sort(key=lambda doubt: order.index(doubt.field))
    return Reading(columns, mahalla_text, doubts)


def _has_value(value: Any) -> bool:
    """Return True unless a column is empty: False and 0 are values."""
    return value is not None and value != ""


def _column_values(
    field: Field, values: Values, doubts: list[Doubt], today: dt.date
) -> dict[str, Any]:
    """Return the values of the columns of one of the product's own fields, by column name.

    Appends the doubts about a value of a list to `doubts`; identity.identity_doubts() returns those
    about other kinds.
    """
    text = values.get(field.name, "")
    match field.kind:
        case "name":
            return {field.name: normalize_apostrophes(text)}
        case "choice" if field.options:
            return {field.name: text if text in {option.code for option in field.options} else ""}
        case "choice" | "list":
            return {field.name: _code_or_text(field, values, doubts, today)}
        case "document":
            return {field.name: _DOCUMENT_NORMALIZERS[field.document](text)}
        case "phone":
            return {field.name: phone_numbers.canonical_number(text) or text}
        case "date":
            day = identity.parse_date(text)
            return {f"{field.name}_on": day, f"{field.name}_text": "" if day else text}
    return {field.name: text}


def _added_field_value(
    field: Field, values: Values, doubts: list[Doubt], today: dt.date
) -> dict[str, str]:
    """Return the value of a field outside the columns as {"code": …, "text": …}; {} if it is empty.

    The text of a value that has a code of a list or place is "". Appends doubts to `doubts`.
    """
    typed_text = values.get(f"{field.name}_text", "") if field.is_lookup else ""
    text = typed_text or values.get(field.name, "")
    if not text:
        return {}
    code: str | None = ""  # None: a code was expected but cannot be derived
    match field.kind:
        case "place":
            code = _place_code(field, values.get(field.name, ""), typed_text)
            if not code:
                doubts.append(Doubt(field.name, "unlisted"))
            text = "" if code else text
        case "list" | "choice" if field.list:
            catalog_code = _code_or_text(field, values, doubts, today)
            code = (
                catalog_code
                if catalog_code in catalogs.labels_by_code(field.list, DEFAULT_LOCALE)
                else ""
            )
            text = "" if code else text
        case "choice":
            code = text if text in {option.code for option in field.options} else None
        case "tick":
            code = "1"
        case "number":
            digits = re.sub(r"[\s\u00a0]", "", text).replace(",", ".")
            code = digits if re.fullmatch(r"[+-]?\d+(\.\d+)?", digits, re.ASCII) else None
        case "date":
            day = identity.parse_date(text)
            code = day.isoformat() if day else None
        case "phone":
            code = phone_numbers.canonical_number(text)
        case "document":
            code = _DOCUMENT_PARSERS[field.document](text)
        case "name":
            text = normalize_apostrophes(text)
    if code is None:
        doubts.append(Doubt(field.name, "form"))
    return {"code": code or "", "text": text}


def _read_places(
    definition: Definition, values: Values, doubts: list[Doubt]
) -> tuple[dict[str, Any], str]:
    """Return the columns for region, district and mahalla, found by code or exact name.

    An empty wider place is filled in from the narrower one. The second value is the text of a
    mahalla that is on no list, else "". Appends doubts to `doubts`. A form without these fields has
    no such columns.
    """
    names = [field.name for field in definition.fields if field.name in PRODUCT_PLACE_FIELDS]
    mahalla_text, district_text, region_text = (
        values.get(f"{field}_text", "") for field in ("mahalla", "district", "region")
    )
    region = catalogs.find_place("region", values.get("region"))
    region = region or catalogs.exact_region(region_text)
    district = catalogs.find_place("district", values.get("district"))
    district = district or catalogs.exact_district(district_text, region and region.soato)
    mahalla = _find_mahalla(values.get("mahalla", ""), mahalla_text, district)
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
    # either a mahalla that an operator once typed, which has a row since, or a new text
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


def _place_code(field: Field, chosen_code: str, typed_text: str) -> str:
    """Return the code of the place in an added field; "" when it is on no list.

    `chosen_code` is the value under the field's name, `typed_text` the text of its input. A chosen
    code that does not exist is interpreted as a name, if no text was typed.
    """
    if catalogs.find_place(field.source, chosen_code):
        return chosen_code
    find_exact = {"region": catalogs.exact_region, "district": catalogs.exact_district}[
        field.source
    ]
    place = find_exact(typed_text or chosen_code)
    return place.soato if place else ""


def _find_mahalla(chosen_id: str, text: str, district: District | None) -> Mahalla | None:
    """Return the chosen mahalla, else the one with exactly this name in the district, if any."""
    mahalla = Mahalla.get_or_none(Mahalla.id == int(chosen_id)) if chosen_id.isdecimal() else None
    return mahalla or catalogs.exact_mahalla(text, district and district.soato)


def _code_or_text(field: Field, values: Values, doubts: list[Doubt], today: dt.date) -> str:
    """Return the code of a list field's value, else the text that was typed instead of one.

    A chosen code that has been retired since is kept. Appends a doubt to `doubts` for a retired
    code and for a text that is on no list. Without a value, the result is "".
    """
    typed_text, chosen_code = values.get(f"{field.name}_text", ""), values.get(field.name, "")
    code = catalogs.code_by_name(field.list, chosen_code or typed_text, today)
    code = code or catalogs.code_by_name(field.list, typed_text, today)
    if (chosen_code or typed_text) and not code:
        doubts.append(Doubt(field.name, "unlisted"))
        code = (
            chosen_code
            if chosen_code in catalogs.labels_by_code(field.list, DEFAULT_LOCALE)
            else ""
        )
    return code or typed_text or chosen_code


def _normalized_stir(text: str) -> str:
    """Return a STIR (a legal entity's tax number) as nine digits; an invalid one unchanged."""
    return identity.normalise_stir(text) or text


_DOCUMENT_NORMALIZERS = {
    "passport": identity.normalise_document,
    "pinfl": phone_numbers.strip_separators,
    "stir": _normalized_stir,
}
_DOCUMENT_PARSERS = {
    "passport": identity.normalise_passport,
    "pinfl": lambda text: (
        phone_numbers.strip_separators(text) if identity.parse_pinfl(text) else None
    ),
    "stir": identity.normalise_stir,
}
