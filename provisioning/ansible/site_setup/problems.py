"""Finds all problems in the values of site.ini at once, before anything is changed."""

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
NETWORK_KEYS = ("site_operators", "site_ministry", "site_technicians", "firewall_monitoring")
MIN_PREFIX_LENGTH = 8  # bits of the prefix; a shorter one would admit whole continents
UNSET_VALUE = object()


@dataclass(frozen=True)
class Problem:
    """One problem: `code` names its text in words.toml, `values` are filled into it.

    `key`: the key whose value has to be changed.
    """

    code: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)


def find_problems(values: Values, names_in_file: Collection[str], facts: Facts) -> list[Problem]:
    """Return all problems.

    `values`: key → value, with or without the roles' defaults. `names_in_file`: the keys in the
    inventory. `facts`: the facts of the box from `detect`; {} when they are unknown.
    """
    checks: tuple[Iterator[Problem], ...] = (
        _check_key_names(names_in_file),
        _check_required(values),
        *(_check_pattern(key, values.get(key.name, UNSET_VALUE)) for key in keys.KEYS),
        _check_carriers(values),
        _check_networks(values),
        _check_technicians(values),
        _check_ports(values),
        _check_spans(values),
        _check_backup_places(values),
        _check_service_limits(values),
        _check_settings(values),
        _check_against_box(values, facts),
    )
    return [problem for check in checks for problem in check]


def problems_with_answer(name: str, value: Any, values: Values, facts: Facts) -> list[Problem]:
    """Return the problems of one answer, given the answers before it."""
    faults = find_problems({**values, name: value}, [name], facts)
    return [problem for problem in faults if problem.key == name and problem.code != "required"]


def nearest_key(name: str) -> str:
    """Return the known key most similar to a wrong name; "" when there is no similar one."""
    nearest = difflib.get_close_matches(name, keys.KEYS_BY_NAME, n=1, cutoff=0.7)
    return nearest[0] if nearest else ""


def mapping_entries(values: Values, name: str) -> list[Mapping[str, Any]]:
    """Return the entries of a list of mappings; [] when the value is not such a list."""
    value = values.get(name) or []
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def parse_network(text: Any) -> ipaddress.IPv4Network | None:
    """Return the network in a text, if any."""
    try:
        return ipaddress.IPv4Network(str(text), strict=False)
    except ValueError:
        return None


def _check_key_names(names_in_file: Collection[str]) -> Iterator[Problem]:
    for name in sorted(names_in_file):
        if name not in keys.KEYS_BY_NAME and not re.match(keys.PACKAGES_KEY_PATTERN, name):
            nearest = nearest_key(name)
            yield Problem("unknown_near" if nearest else "unknown", name, {"near": nearest})


def _check_required(values: Values) -> Iterator[Problem]:
    for key in keys.KEYS:
        if key.is_required and not str(values.get(key.name) or ""):
            yield Problem("required", key.name)
    if not values.get("site_technicians"):
        yield Problem("no_technicians", "site_technicians", {"seen": "[]"})


def _check_pattern(key: keys.Key, value: Any) -> Iterator[Problem]:
    if value is UNSET_VALUE or (key.is_required and value in ("", None)):
        return
    if key.is_list:
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            yield _pattern_problem(key, value, "list")
        elif key.pattern:
            for item in value:
                if not re.match(key.pattern, _as_text(item)):
                    yield _pattern_problem(key, item, "each")
    elif key.pattern and not re.match(key.pattern, _as_text(value)):
        yield _pattern_problem(key, value, "wrong")


def _check_carriers(values: Values) -> Iterator[Problem]:
    names: set[str] = set()
    places: dict[tuple[str, str], str] = {}
    yield from _check_entry_fields("site_carriers", values)
    for carrier in mapping_entries(values, "site_carriers"):
        name, address = str(carrier.get("name", "")), str(carrier.get("address", ""))
        port = _as_text(carrier.get("port", 5060))
        if not re.match(r"^[a-z][a-z0-9]*$", name):
            yield Problem("entry_name", "site_carriers", {"seen": _as_json(carrier)})
            continue
        if not re.match(keys.ADDRESS_PATTERN, address):
            yield Problem("carrier_address", "site_carriers", {"name": name, "seen": address})
        elif not re.match(keys.PORT_PATTERN, port) or int(port) > 65535:
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


def _check_entry_fields(key: str, values: Values) -> Iterator[Problem]:
    value = values.get(key) or []
    for entry in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if not isinstance(entry, Mapping):
            yield Problem("entry", key, {"seen": _as_json(entry)})
            continue
        for name in entry:
            if name not in keys.ENTRY_FIELDS[key]:
                fields = ", ".join(keys.ENTRY_FIELDS[key])
                details = {"seen": _as_json(entry), "fields": fields, "field": name}
                yield Problem("entry_field", key, details)


def _check_networks(values: Values) -> Iterator[Problem]:
    networks_by_key: dict[str, list[ipaddress.IPv4Network]] = {}
    for key in NETWORK_KEYS:
        value = values.get(key) or []
        text_values = [] if isinstance(value, str) or not isinstance(value, Sequence) else value
        key_networks = networks_by_key.setdefault(key, [])
        for text in text_values:
            if (network := parse_network(text)) is None:
                continue
            if network.prefixlen < MIN_PREFIX_LENGTH:
                yield Problem("network_wide", key, {"seen": str(text)})
            for other in key_networks:
                if network.overlaps(other):
                    yield Problem("network_twice", key, {"seen": str(network), "other": str(other)})
            key_networks.append(network)
    for ministry in networks_by_key["site_ministry"]:
        for operators in networks_by_key["site_operators"]:
            if ministry.overlaps(operators):
                details = {"seen": str(ministry), "other": str(operators)}
                yield Problem("network_of_both", "site_ministry", details)
        for technicians in networks_by_key["site_technicians"]:
            if ministry.subnet_of(technicians):
                details = {"seen": str(ministry), "other": str(technicians)}
                yield Problem("network_with_ssh", "site_technicians", details)


def _check_technicians(values: Values) -> Iterator[Problem]:
    yield from _check_entry_fields("base_technicians", values)
    for person in mapping_entries(values, "base_technicians"):
        name, line = str(person.get("name", "")), str(person.get("key", ""))
        if not re.match(r"^[a-z_][a-z0-9_-]*$", name):
            yield Problem("entry_name", "base_technicians", {"seen": _as_json(person)})
        elif not re.match(r"^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+", line):
            yield Problem(
                "technician_key", "base_technicians", {"name": name, "seen": _as_json(line)}
            )


def _check_ports(values: Values) -> Iterator[Problem]:
    port_range = str(values.get("site_rtp_ports", ""))
    if not re.match(keys.KEYS_BY_NAME["site_rtp_ports"].pattern, port_range):
        return
    first, last = map(int, port_range.split("-"))
    if first > last:
        yield Problem(
            "ports_reversed", "site_rtp_ports", {"seen": port_range, "fit": f"{last}-{first}"}
        )
    elif first < 1024 or last > 65535:
        yield Problem("ports_range", "site_rtp_ports", {"seen": port_range})
    else:
        for name in ("site_sip_port", "operator_proxy_port"):
            port = _as_text(values.get(name, ""))
            if port.isdigit() and first <= int(port) <= last:
                details = {"seen": port_range, "other": f"{name}={port}"}
                yield Problem("ports_overlap", "site_rtp_ports", details)


def _check_spans(values: Values) -> Iterator[Problem]:
    yield from _check_entry_fields("dahdi_spans", values)
    numbers: list[str] = []
    for span in mapping_entries(values, "dahdi_spans"):
        number = _as_text(span.get("number", ""))
        if not re.match(r"^[1-8]$", number):
            yield Problem("span_number", "dahdi_spans", {"seen": _as_json(span)})
        for name, pattern in (
            ("crc4", keys.BOOLEAN_PATTERN),
            ("timing", r"^[0-8]$"),
            ("lbo", r"^[0-7]$"),
        ):
            if name in span and not re.match(pattern, _as_text(span[name])):
                details = {"name": name, "number": number, "seen": _as_json(span[name])}
                yield Problem(f"span_{name}", "dahdi_spans", details)
        if number in numbers:
            yield Problem("span_twice", "dahdi_spans", {"seen": number})
        numbers.append(number)


def _check_backup_places(values: Values) -> Iterator[Problem]:
    yield from _check_entry_fields("backup_places", values)
    names: set[str] = set()
    for place in mapping_entries(values, "backup_places"):
        name, url = str(place.get("name", "")), str(place.get("url", ""))
        if not re.match(r"^[a-z][a-z0-9-]*$", name):
            yield Problem("entry_name", "backup_places", {"seen": _as_json(place)})
        elif not re.match(r"^(/.|sftp:.|s3:.)", url):
            yield Problem("place_url", "backup_places", {"name": name, "seen": url})
        if name in names:
            yield Problem("place_twice", "backup_places", {"name": name})
        names.add(name)


def _check_service_limits(values: Values) -> Iterator[Problem]:
    for key, pattern in (
        ("services_memory", r"^[0-9]+[KMG]$"),
        ("services_processors", r"^[1-9][0-9]{0,4}$"),
    ):
        limits = values.get(key) or {}
        if not isinstance(limits, Mapping):
            yield Problem("mapping", key, {"seen": _as_json(limits)})
            continue
        for unit, value in limits.items():
            if not re.match(pattern, _as_text(value)):
                yield Problem(key, key, {"name": unit, "seen": _as_json(value)})


def _check_settings(values: Values) -> Iterator[Problem]:
    if values.get("tls_certificate") and not values.get("tls_key"):
        yield Problem("tls_key", "tls_key")
    try:
        tomllib.loads(str(values.get("app_settings") or ""))
    except tomllib.TOMLDecodeError as error:
        settings_text = _as_json(values["app_settings"])
        yield Problem("toml", "app_settings", {"seen": settings_text, "fault": str(error)})


def _check_against_box(values: Values, facts: Facts) -> Iterator[Problem]:
    """Check the values against the box: release, address, drivers, and the connected technician."""
    if facts and facts.get("release") != "trixie":
        yield Problem("release", "", {"seen": _as_json(facts.get("release") or "")})
    box_addresses = [item["address"] for item in facts.get("addresses", ())]
    address = str(values.get("site_address", ""))
    if box_addresses and re.match(keys.ADDRESS_PATTERN, address) and address not in box_addresses:
        details = {"seen": address, "own": ", ".join(box_addresses)}
        yield Problem("address_of_another", "site_address", details)
    networks = [
        item for text in _as_list(values.get("site_technicians")) if (item := parse_network(text))
    ]
    if (peer := facts.get("ssh_from", "")) and networks and not _is_in_networks(peer, networks):
        code = "technician_ipv6" if ":" in peer else "technician_outside"
        yield Problem(code, "site_technicians", {"here": peer})
    if values.get("dahdi_spans") and facts and not facts.get("drivers"):
        yield Problem("no_drivers", "dahdi_spans")


def _is_in_networks(address: str, networks: Sequence[ipaddress.IPv4Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_loopback or any(parsed in network for network in networks)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _pattern_problem(key: keys.Key, value: Any, code: str) -> Problem:
    requirement = key.requirement or key.name
    return Problem(code, key.name, {"seen": _as_json(value), "wanted": requirement})


def _as_text(value: Any) -> str:
    return str(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
