"""Type-ahead: options for a field, by text typed in either script."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, request
from werkzeug.wrappers import Response

from appliance.casework import catalogs
from appliance.core import search
from appliance.core.i18n import fold_text, localized_name
from appliance.web.shell.access import may
from appliance.web.shell.context import today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import District, Mahalla, Region

screen = Blueprint("choices", __name__, url_prefix="/choices")


@screen.get("/<name>")
@may("desk.work", "form.read")  # and users who correct or test a form
def list_choices(name: str) -> Response:
    """Return options as JSON: code, name, match, near, parent, fills.

    `match` is the typed part of the name (from, to), `near` whether nothing else can be meant,
    `parent` the parent's name, `fills` the wider places to fill in.
    """
    argument = request.args.get
    return jsonify(
        matching_options(
            name, argument("q", ""), argument("region") or None, argument("district") or None
        )
    )


def matching_options(
    name: str, typed: str, region: str | None = None, district: str | None = None
) -> list[dict[str, Any]]:
    """Return the options of a list whose name contains the text, best first.

    Aborts with 404 for an unknown list.
    """
    query = search.parse_query(typed)
    if name == "region":
        options = [
            _region_option(place) | _near_flag(place, query)
            for place in catalogs.match_regions(typed)
        ]
    elif name == "district":
        districts = catalogs.match_districts(typed, region)
        options = [_district_option(place) | _near_flag(place, query) for place in districts]
    elif name == "mahalla":
        mahallas = catalogs.match_mahallas(typed, district, region)
        options = [_mahalla_option(place) | _near_flag(place, query) for place in mahallas]
    elif catalogs.find_catalog(name):
        listed = catalogs.find_items(name, typed, today())
        options = [
            _option_fields(item.code, localized_name(item, locale())) | _near_flag(item, query)
            for item in listed
        ]
    else:
        abort(404)
    for option in options:
        option["match"] = matched_range(option["name"], typed)
    return options


def option_by_code(name: str, code: str) -> dict[str, Any]:
    """Return the option of a place, or of a value of a list, by its code."""
    place: Any = catalogs.find_place(name, code) if name in catalogs.PLACES else None
    if place:
        return {"region": _region_option, "district": _district_option, "mahalla": _mahalla_option}[
            name
        ](place)
    return _option_fields(code, catalogs.value_label(name, code, locale()))


def matched_range(name: str, typed: str) -> tuple[int, int]:
    """Return the range of a name that matches the text in any script; (0, 0) without a match."""
    key = fold_text(typed)
    if not key:
        return 0, 0
    starts = [i for i, char in enumerate(name) if char.isalnum()]
    start = next((i for i in starts if fold_text(name[i:]).startswith(key)), None)
    if start is None:
        return search.first_match_span(name, search.parse_query(typed))
    ends = range(start + 1, len(name) + 1)
    return start, next(end for end in ends if fold_text(name[start:end]).startswith(key))


def _near_flag(item: Any, query: search.SearchQuery) -> dict[str, bool]:
    """Return whether the key that takes the first option may take this one."""
    return {"near": catalogs.is_close_match(item, query)}


def _option_fields(code: str, name: str, **more: Any) -> dict[str, Any]:
    """Return the JSON fields of an option."""
    return {"code": code, "name": name} | more


def _region_option(place: "Region") -> dict[str, Any]:
    """Return the option of a region."""
    return _option_fields(place.soato, localized_name(place, locale()))


def _district_option(place: "District") -> dict[str, Any]:
    """Return the option of a district, with its region."""
    region = _region_option(place.region)
    return _option_fields(
        place.soato,
        localized_name(place, locale()),
        parent=region["name"],
        fills={"region": region},
    )


def _mahalla_option(place: "Mahalla") -> dict[str, Any]:
    """Return the option of a mahalla, with its district and region."""
    district = _district_option(place.district)
    return _option_fields(
        str(place.id),
        localized_name(place, locale()),
        parent=district["name"],
        fills={"district": _option_fields(district["code"], district["name"]), **district["fills"]},
    )
