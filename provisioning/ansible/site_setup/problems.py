"""What is wrong with the values of site.ini, all of it at once, before anything is changed."""

import difflib
import ipaddress
import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import keys

Values = Mapping[str, Any]
Facts = Mapping[str, Any]
NETWORKS = ("site_operators", "site_ministry", "site_technicians", "firewall_monitoring")
WIDEST = 8  # bits of a mask; a shorter one lets whole continents in
UNSET = object()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `code` names its words in words.toml, `values` fill them in.

    `key`: the key whose value is to be changed.
    """

    code: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)


def problems(values: Values, names_in_file: Collection[str], facts: Facts) -> list[Problem]:
    """Everything that is wrong.

    `values`: key → value, with or without the roles' defaults. `given`: the keys that the
    inventory names. `facts`: what `detect` says of the box; {} when it is not known.
    """
    looks: tuple[Iterator[Problem], ...] = (
        _unknown_keys(names_in_file),
        _missing(values),
        *(_each_value(key, values.get(key.name, UNSET)) for key in keys.KEYS),
        _carriers(values),
        _networks(values),
        _technicians(values),
        _ports(values),
        _spans(values),
        _places(values),
        _limits(values),
        _settings(values),
        _of_the_box(values, facts),
    )
    return [problem for look in looks for problem in look]


def problems_of(name: str, value: Any, values: Values, facts: Facts) -> list[Problem]:
    """What is wrong with one answer, after the answers before it."""
    faults = problems({**values, name: value}, [name], facts)
    return [problem for problem in faults if problem.key == name and problem.code != "required"]


def nearest_key(name: str) -> str:
    """The known key that a wrong name most likely means; "" when none is near."""
    nearest = difflib.get_close_matches(name, keys.BY_NAME, n=1, cutoff=0.7)
    return nearest[0] if nearest else ""


def entries(values: Values, name: str) -> list[Mapping[str, Any]]:
    """The entries of a list of mappings; [] when it is no such list."""
    value = values.get(name) or []
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def network_of(text: Any) -> ipaddress.IPv4Network | None:
    """The network that a text names; None when it names none."""
    try:
        return ipaddress.IPv4Network(str(text), strict=False)
    except ValueError:
        return None


def _unknown_keys(names_in_file: Collection[str]) -> Iterator[Problem]:
    for name in sorted(names_in_file):
        if name not in keys.BY_NAME and not re.match(keys.PACKAGES, name):
            nearest = nearest_key(name)
            yield Problem("unknown_near" if nearest else "unknown", name, {"near": nearest})


def _missing(values: Values) -> Iterator[Problem]:
    for key in keys.KEYS:
        if key.is_required and not str(values.get(key.name) or ""):
            yield Problem("required", key.name)
    if not values.get("site_technicians"):
        yield Problem("no_technicians", "site_technicians", {"seen": "[]"})


def _each_value(key: keys.Key, value: Any) -> Iterator[Problem]:
    if value is UNSET or (key.is_required and value in ("", None)):
        return
    if key.is_list:
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            yield _mismatch(key, value, "list")
        elif key.pattern:
            for item in value:
                if not re.match(key.pattern, _text(item)):
                    yield _mismatch(key, item, "each")
    elif key.pattern and not re.match(key.pattern, _text(value)):
        yield _mismatch(key, value, "wrong")


def _carriers(values: Values) -> Iterator[Problem]:
    names: set[str] = set()
    places: dict[tuple[str, str], str] = {}
    yield from _fields("site_carriers", values)
    for carrier in entries(values, "site_carriers"):
        name, address = str(carrier.get("name", "")), str(carrier.get("address", ""))
        port = _text(carrier.get("port", 5060))
        if not re.match(r"^[a-z][a-z0-9]*$", name):
            yield Problem("entry_name", "site_carriers", {"seen": _json(carrier)})
            continue
        if not re.match(keys.ADDRESS, address):
            yield Problem("carrier_address", "site_carriers", {"name": name, "seen": address})
        elif not re.match(keys.PORT, port) or int(port) > 65535:
            yield Problem("carrier_port", "site_carriers", {"name": name, "seen": port})
        elif (place := (address, port)) in places:
            other = {"name": name, "other": places[place], "seen": f"{address}:{port}"}
            yield Problem("carrier_place_twice", "site_carriers", other)
        else:
            places[place] = name
        if address and address == str(values.get("site_address", "")):
            yield Problem("carrier_is_the_box", "site_carriers", {"name": name, "seen": address})
        if name in names:
            yield Problem("carrier_twice", "site_carriers", {"name": name})
        names.add(name)


def _fields(key: str, values: Values) -> Iterator[Problem]:
    value = values.get(key) or []
    for entry in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if not isinstance(entry, Mapping):
            yield Problem("entry", key, {"seen": _json(entry)})
            continue
        for name in entry:
            if name not in keys.FIELDS[key]:
                fields = ", ".join(keys.FIELDS[key])
                details = {"seen": _json(entry), "fields": fields, "field": name}
                yield Problem("entry_field", key, details)


def _networks(values: Values) -> Iterator[Problem]:
    networks_of: dict[str, list[ipaddress.IPv4Network]] = {}
    for key in NETWORKS:
        value = values.get(key) or []
        text_values = [] if isinstance(value, str) or not isinstance(value, Sequence) else value
        own_values = networks_of.setdefault(key, [])
        for text in text_values:
            if (network := network_of(text)) is None:
                continue
            if network.prefixlen < WIDEST:
                yield Problem("network_wide", key, {"seen": str(text)})
            for other in own_values:
                if network.overlaps(other):
                    yield Problem("network_twice", key, {"seen": str(network), "other": str(other)})
            own_values.append(network)
    for ministry in networks_of["site_ministry"]:
        for operators in networks_of["site_operators"]:
            if ministry.overlaps(operators):
                details = {"seen": str(ministry), "other": str(operators)}
                yield Problem("network_of_both", "site_ministry", details)
        for technicians in networks_of["site_technicians"]:
            if ministry.subnet_of(technicians):
                details = {"seen": str(ministry), "other": str(technicians)}
                yield Problem("network_with_ssh", "site_technicians", details)


def _technicians(values: Values) -> Iterator[Problem]:
    yield from _fields("base_technicians", values)
    for person in entries(values, "base_technicians"):
        name, line = str(person.get("name", "")), str(person.get("key", ""))
        if not re.match(r"^[a-z_][a-z0-9_-]*$", name):
            yield Problem("entry_name", "base_technicians", {"seen": _json(person)})
        elif not re.match(r"^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+", line):
            yield Problem("technician_key", "base_technicians", {"name": name, "seen": _json(line)})


def _ports(values: Values) -> Iterator[Problem]:
    text_values = str(values.get("site_rtp_ports", ""))
    if not re.match(keys.BY_NAME["site_rtp_ports"].pattern, text_values):
        return
    first, last = map(int, text_values.split("-"))
    if first > last:
        yield Problem(
            "ports_reversed", "site_rtp_ports", {"seen": text_values, "fit": f"{last}-{first}"}
        )
    elif first < 1024 or last > 65535:
        yield Problem("ports_range", "site_rtp_ports", {"seen": text_values})
    else:
        for name in ("site_sip_port", "operator_proxy_port"):
            port = _text(values.get(name, ""))
            if port.isdigit() and first <= int(port) <= last:
                details = {"seen": text_values, "other": f"{name}={port}"}
                yield Problem("ports_overlap", "site_rtp_ports", details)


def _spans(values: Values) -> Iterator[Problem]:
    yield from _fields("dahdi_spans", values)
    numbers: list[str] = []
    for span in entries(values, "dahdi_spans"):
        number = _text(span.get("number", ""))
        if not re.match(r"^[1-8]$", number):
            yield Problem("span_number", "dahdi_spans", {"seen": _json(span)})
        for name, pattern in (("crc4", keys.YES), ("timing", r"^[0-8]$"), ("lbo", r"^[0-7]$")):
            if name in span and not re.match(pattern, _text(span[name])):
                details = {"name": name, "number": number, "seen": _json(span[name])}
                yield Problem(f"span_{name}", "dahdi_spans", details)
        if number in numbers:
            yield Problem("span_twice", "dahdi_spans", {"seen": number})
        numbers.append(number)


def _places(values: Values) -> Iterator[Problem]:
    yield from _fields("backup_places", values)
    names: set[str] = set()
    for place in entries(values, "backup_places"):
        name, url = str(place.get("name", "")), str(place.get("url", ""))
        if not re.match(r"^[a-z][a-z0-9-]*$", name):
            yield Problem("entry_name", "backup_places", {"seen": _json(place)})
        elif not re.match(r"^(/.|sftp:.|s3:.)", url):
            yield Problem("place_url", "backup_places", {"name": name, "seen": url})
        if name in names:
            yield Problem("place_twice", "backup_places", {"name": name})
        names.add(name)


def _limits(values: Values) -> Iterator[Problem]:
    for key, pattern in (
        ("services_memory", r"^[0-9]+[KMG]$"),
        ("services_processors", r"^[1-9][0-9]{0,4}$"),
    ):
        limits = values.get(key) or {}
        if not isinstance(limits, Mapping):
            yield Problem("mapping", key, {"seen": _json(limits)})
            continue
        for unit, value in limits.items():
            if not re.match(pattern, _text(value)):
                yield Problem(key, key, {"name": unit, "seen": _json(value)})


def _settings(values: Values) -> Iterator[Problem]:
    if values.get("tls_certificate") and not values.get("tls_key"):
        yield Problem("tls_key", "tls_key")
    try:
        tomllib.loads(str(values.get("app_settings") or ""))
    except tomllib.TOMLDecodeError as error:
        settings_text = _json(values["app_settings"])
        yield Problem("toml", "app_settings", {"seen": settings_text, "fault": str(error)})


def _of_the_box(values: Values, facts: Facts) -> Iterator[Problem]:
    """What does not fit the box itself: its release, address, drivers, and who is connected."""
    if facts and facts.get("release") != "trixie":
        yield Problem("release", "", {"seen": _json(facts.get("release") or "")})
    own_values = [item["address"] for item in facts.get("addresses", ())]
    address = str(values.get("site_address", ""))
    if own_values and re.match(keys.ADDRESS, address) and address not in own_values:
        details = {"seen": address, "own": ", ".join(own_values)}
        yield Problem("address_of_another", "site_address", details)
    networks = [
        item for text in _list(values.get("site_technicians")) if (item := network_of(text))
    ]
    if (peer := facts.get("ssh_from", "")) and networks and not _is_inside(peer, networks):
        code = "technician_ipv6" if ":" in peer else "technician_outside"
        yield Problem(code, "site_technicians", {"here": peer})
    if values.get("dahdi_spans") and facts and not facts.get("drivers"):
        yield Problem("no_drivers", "dahdi_spans")


def _is_inside(address: str, networks: Sequence[ipaddress.IPv4Network]) -> bool:
    try:
        where = ipaddress.ip_address(address)
    except ValueError:
        return False
    return where.is_loopback or any(where in network for network in networks)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _mismatch(key: keys.Key, value: Any, code: str) -> Problem:
    wanted = key.wanted or key.name
    return Problem(code, key.name, {"seen": _json(value), "wanted": wanted})


def _text(value: Any) -> str:
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
