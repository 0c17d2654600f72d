"""Type-ahead: what a field may be filled with, by what was typed in either script."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, request
from werkzeug.wrappers import Response

from appliance.casework import catalogs
from appliance.core import search
from appliance.core.i18n import fold, named
from appliance.web.shell.access import may
from appliance.web.shell.context import today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import District, Mahalla, Region

screen = Blueprint("choices", __name__, url_prefix="/choices")


@screen.get("/<name>")
@may("desk.work", "form.read")  # who corrects or tries a form, too
def choices(name: str) -> Response:
    """Options as JSON: code, name, match (from, to), near (nothing else was meant), parent's name,
    wider places to fill in."""
    asked = request.args.get
    return jsonify(found(name, asked("q", ""), asked("region") or None, asked("district") or None))


def found(
    name: str, typed: str, region: str | None = None, district: str | None = None
) -> list[dict[str, Any]]:
    """The options of a list with the text in a name, best first; 404 for no list."""
    asked = search.query(typed)
    if name == "region":
        options = [_region(place) | _near(place, asked) for place in catalogs.find_regions(typed)]
    elif name == "district":
        districts = catalogs.find_districts(typed, region)
        options = [_district(place) | _near(place, asked) for place in districts]
    elif name == "mahalla":
        mahallas = catalogs.find_mahallas(typed, district, region)
        options = [_mahalla(place) | _near(place, asked) for place in mahallas]
    elif catalogs.catalog(name):
        listed = catalogs.find(name, typed, today())
        options = [
            _option(item.code, named(item, locale())) | _near(item, asked) for item in listed
        ]
    else:
        abort(404)
    for option in options:
        option["match"] = matched(option["name"], typed)
    return options


def option(name: str, code: str) -> dict[str, Any]:
    """The option of a place, or of a value of a list, by its code."""
    place: Any = catalogs.place(name, code) if name in catalogs.PLACES else None
    if place:
        return {"region": _region, "district": _district, "mahalla": _mahalla}[name](place)
    return _option(code, catalogs.label(name, code, locale()))


def matched(name: str, typed: str) -> tuple[int, int]:
    """Which letters of a name are those that were typed, in whatever script; (0, 0) for none."""
    key = fold(typed)
    if not key:
        return 0, 0
    starts = [i for i, char in enumerate(name) if char.isalnum()]
    start = next((i for i in starts if fold(name[i:]).startswith(key)), None)
    if start is None:
        return search.marked(name, search.query(typed))
    ends = range(start + 1, len(name) + 1)
    return start, next(end for end in ends if fold(name[start:end]).startswith(key))


def _near(thing: Any, asked: search.Query) -> dict[str, bool]:
    """Whether the key that takes the first option may take it."""
    return {"near": catalogs.is_near(thing, asked)}


def _option(code: str, name: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": name} | more


def _region(place: "Region") -> dict[str, Any]:
    return _option(place.soato, named(place, locale()))


def _district(place: "District") -> dict[str, Any]:
    region = _region(place.region)
    return _option(
        place.soato, named(place, locale()), parent=region["name"], fills={"region": region}
    )


def _mahalla(place: "Mahalla") -> dict[str, Any]:
    district = _district(place.district)
    return _option(
        str(place.id),
        named(place, locale()),
        parent=district["name"],
        fills={"district": _option(district["code"], district["name"]), **district["fills"]},
    )
