"""The questions, in their order, and the values from the answers."""

import re
from collections.abc import Mapping
from typing import Any

from . import wording
from .dialogue import Dialogue
from .problems import find_problems, mapping_entries, parse_network, problems_with_answer

SECOND_DISK_FOLDER = "/mnt/second"


def ask_values(
    dialogue: Dialogue, former_values: Mapping[str, Any], bundle_folder: str
) -> dict[str, Any]:
    """Return the values of site.ini.

    `former_values`: those of the existing file; keys that are not asked for stay.
    """
    values: dict[str, Any] = {"site_language": dialogue.language}
    values["bundle_dir"] = dialogue.ask_value(
        "bundle_dir", values, former_values.get("bundle_dir", bundle_folder)
    )
    _ask_identity(dialogue, values, former_values)
    _ask_carriers(dialogue, values, former_values)
    _ask_networks(dialogue, values, former_values)
    _ask_disks(dialogue, values, former_values)
    _ask_spans(dialogue, values, former_values)
    for name in ("app_links_dns", "app_links_internet"):
        if answer := dialogue.ask_value(name, values, former_values.get(name, "")):
            values[name] = answer
    return values | {
        name: value
        for name, value in former_values.items()
        if name not in values and name not in ASKED_KEYS
    }


ASKED_KEYS = frozenset(
    (
        *("site_carriers", "site_operators", "site_ministry", "site_technicians"),
        *("backup_places", "backup_replica", "backup_contacts", "disk_device", "disk_key"),
        *("dahdi_spans", "dahdi_modules", "app_links_dns", "app_links_internet"),
    )
)


def show_facts(dialogue: Dialogue) -> None:
    """Print the detected facts of the box."""
    facts = dialogue.facts
    if not facts:
        dialogue.print_sentence("unseen")
        return
    dialogue.print_sentence("seen")
    results = facts["addresses"]
    text = ", ".join(
        f"{entry['address']} ({entry['interface']}, {entry['network']})" for entry in results
    )
    dialogue.print_sentence("addresses", text=text or "–")
    for disk in facts["disks"]:
        mount_points = ", ".join(disk["mounted"])
        use = (
            wording.format_sentence(dialogue.language, "mounted", where=mount_points)
            if mount_points
            else ""
        )
        use = use or (wording.format_sentence(dialogue.language, "blank") if disk["blank"] else "")
        model = f", {disk['model']}" if disk["model"] else ""
        dialogue.print_sentence("disks", name=disk["name"], size=disk["size"], model=model, use=use)
    for card in facts["cards"]:
        dialogue.print_sentence("cards", name=card["name"], module=card["module"] or "?")
    if not facts["cards"]:
        dialogue.print_sentence("no_cards")
    if facts["ssh_from"]:
        dialogue.print_sentence("here", here=facts["ssh_from"])


def _ask_identity(
    dialogue: Dialogue, values: dict[str, Any], former_values: Mapping[str, Any]
) -> None:
    box_addresses = [entry["address"] for entry in dialogue.facts.get("addresses", ())]
    default_address = former_values.get("site_address", box_addresses[0] if box_addresses else "")
    for name, suggestion in (
        ("site_address", default_address),
        ("site_name", former_values.get("site_name", "")),
        ("site_hotline_number", str(former_values.get("site_hotline_number", ""))),
    ):
        values[name] = _ask_required(dialogue, name, values, suggestion)


def _ask_required(dialogue: Dialogue, name: str, values: dict[str, Any], suggestion: str) -> str:
    """Return an answer; asks again until it is not empty."""
    while not (answer := str(dialogue.ask_value(name, values, suggestion))):
        dialogue.print_problems(
            [entry for entry in find_problems(values, [], {}) if entry.key == name]
        )
    return answer


def _ask_carriers(
    dialogue: Dialogue, values: dict[str, Any], former_values: Mapping[str, Any]
) -> None:
    name = "site_carriers"
    print(f"{wording.question_text(dialogue.language, name)} ({name})", file=dialogue.output_stream)
    carriers: list[dict[str, Any]] = []
    former_carriers = mapping_entries(former_values, name)
    while True:
        former_carrier = (
            former_carriers[len(carriers)] if len(carriers) < len(former_carriers) else {}
        )
        title = dialogue.read_answer(
            wording.question_text(dialogue.language, "carrier_name"),
            str(former_carrier.get("name", "")),
        )
        if not title:
            break
        address = wording.question_text(dialogue.language, "carrier_address")
        carrier: dict[str, Any] = {
            "name": title,
            "address": dialogue.read_answer(address, str(former_carrier.get("address", ""))),
        }
        prompt = wording.question_text(dialogue.language, "carrier_port")
        port = dialogue.read_answer(prompt, str(former_carrier.get("port", 5060)))
        if port != "5060":
            carrier["port"] = int(port) if port.isdigit() else port
        faults = problems_with_answer(name, [*carriers, carrier], values, dialogue.facts)
        dialogue.print_problems(faults)
        if not faults:
            carriers.append(carrier)
    values[name] = carriers


def _ask_networks(
    dialogue: Dialogue, values: dict[str, Any], former_values: Mapping[str, Any]
) -> None:
    box_addresses = dialogue.facts.get("addresses", ())
    own_networks = [
        entry["network"] for entry in box_addresses if entry["address"] == values["site_address"]
    ]
    peer = dialogue.facts.get("ssh_from", "")
    peer_networks = [entry for entry in own_networks if peer and _contains_address(entry, peer)]
    defaults = {
        "site_operators": own_networks,
        "site_ministry": [],
        "site_technicians": peer_networks
        or ([f"{peer}/32"] if peer and ":" not in peer else own_networks),
    }
    for name, default in defaults.items():
        suggestion = former_values.get(name, default)
        text = (
            ", ".join(map(str, suggestion))
            if isinstance(suggestion, list | tuple)
            else str(suggestion)
        )
        values[name] = dialogue.ask_value(name, values, text, _split_list)
    while not values["site_technicians"]:
        dialogue.print_problems(
            [entry for entry in find_problems(values, [], {}) if entry.code == "no_technicians"]
        )
        values["site_technicians"] = dialogue.ask_value("site_technicians", values, "", _split_list)


def _contains_address(network: str, address: str) -> bool:
    """Return True if the network contains the address."""
    outer, inner = parse_network(network), parse_network(address)
    return bool(outer and inner and inner.subnet_of(outer))


def _split_list(text: str) -> list[str]:
    """Return the entries of a list separated by blanks, commas or semicolons."""
    return [part for part in re.split(r"[\s,;]+", text) if part]


def _split_contacts(text: str) -> list[str]:
    """Return the contacts separated by semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def _ask_disks(
    dialogue: Dialogue, values: dict[str, Any], former_values: Mapping[str, Any]
) -> None:
    disks = dialogue.facts.get("disks", ())
    mount_points = [place for disk in disks for place in disk["mounted"]]
    default_folder = next(
        (
            mount_point
            for mount_point in mount_points
            if mount_point.startswith(("/mnt/", "/srv/", "/media/second"))
        ),
        "",
    )
    places = mapping_entries(former_values, "backup_places")
    suggested_folder = (
        str(places[0].get("url", "")).removesuffix("/snapshots") if places else default_folder
    )
    prompt = wording.question_text(dialogue.language, "second_disk")
    while folder := dialogue.read_answer(f"{prompt} (backup_places)", suggested_folder).rstrip("/"):
        is_former = bool(places) and folder == suggested_folder.rstrip("/")
        # The name determines the file with the place's key: another name would mean another key.
        name = places[0].get("name", "second") if places else "second"
        place = [{"name": name, "url": f"{folder}/snapshots"}]
        faults = problems_with_answer("backup_places", place, values, dialogue.facts)
        if is_former or (not faults and folder.startswith("/")):
            values["backup_places"] = list(places) if is_former else [*place, *places[1:]]
            replica = former_values.get("backup_replica", "") if is_former else f"{folder}/replica"
            values |= {"backup_replica": replica} if replica else {}
            former_contacts = "; ".join(map(str, former_values.get("backup_contacts") or ()))
            contacts = dialogue.ask_value(
                "backup_contacts", values, former_contacts, _split_contacts
            )
            values |= {"backup_contacts": contacts} if contacts else {}
            break
        dialogue.print_problems(
            faults or problems_with_answer("backup_replica", folder, values, dialogue.facts)
        )
    blank = [disk["path"] for disk in disks if disk["blank"]]
    if blank or former_values.get("disk_device"):
        device = dialogue.ask_value(
            "disk_device", values, str(former_values.get("disk_device", ""))
        )
        if device:
            values["disk_device"] = device
            key = dialogue.ask_value("disk_key", values, str(former_values.get("disk_key", "")))
            values |= {"disk_key": key} if key else {}


def _ask_spans(
    dialogue: Dialogue, values: dict[str, Any], former_values: Mapping[str, Any]
) -> None:
    cards = dialogue.facts.get("cards", ())
    former_spans = mapping_entries(former_values, "dahdi_spans")
    prompt = wording.question_text(dialogue.language, "spans")
    while True:
        count = dialogue.read_answer(f"{prompt} (dahdi_spans)", str(len(former_spans)))
        spans = (
            [{"number": number} for number in range(1, int(count) + 1)] if count.isdigit() else None
        )
        if spans is None or len(spans) > 8:
            dialogue.print_sentence("number")
            continue
        faults = problems_with_answer("dahdi_spans", spans, values, dialogue.facts)
        if not faults:
            break
        dialogue.print_problems(faults)
    if not spans:
        return
    former_span = former_spans[0] if former_spans else {}
    default_crc4, default_clock = (
        bool(former_span.get("crc4", True)),
        bool(former_span.get("timing", 1)),
    )
    crc4 = dialogue.ask_yes_no(wording.question_text(dialogue.language, "crc4"), "ny"[default_crc4])
    clock = dialogue.ask_yes_no(
        wording.question_text(dialogue.language, "clock"), "ny"[default_clock]
    )
    is_same = (len(spans), crc4, clock) == (len(former_spans), default_crc4, default_clock)
    values["dahdi_spans"] = (
        list(former_spans)
        if is_same
        else [{**span, "crc4": crc4, "timing": span["number"] if clock else 0} for span in spans]
    )
    modules = sorted({card["module"] for card in cards if card["module"]})
    suggested_modules = former_values.get("dahdi_modules") or modules
    values["dahdi_modules"] = dialogue.ask_value(
        "dahdi_modules", values, ", ".join(suggested_modules), _split_list
    )
