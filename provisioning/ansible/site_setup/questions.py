"""The questions, in their order, and the values that the answers give."""

import re
from collections.abc import Mapping
from typing import Any

from . import words
from .dialogue import Dialogue
from .problems import entries, network_of, problems, problems_of

SECOND = "/mnt/second"


def ask(dialogue: Dialogue, former: Mapping[str, Any], bundle: str) -> dict[str, Any]:
    """The values of site.ini. `former`: those of the file before; what is not asked stays."""
    values: dict[str, Any] = {"site_language": dialogue.language}
    values["bundle_dir"] = dialogue.value("bundle_dir", values, former.get("bundle_dir", bundle))
    _identity(dialogue, values, former)
    _carriers(dialogue, values, former)
    _networks(dialogue, values, former)
    _disks(dialogue, values, former)
    _spans(dialogue, values, former)
    for name in ("app_links_dns", "app_links_internet"):
        if answer := dialogue.value(name, values, former.get(name, "")):
            values[name] = answer
    return values | {
        name: value for name, value in former.items() if name not in values and name not in ASKED
    }


ASKED = frozenset(
    (
        *("site_carriers", "site_operators", "site_ministry", "site_technicians"),
        *("backup_places", "backup_replica", "backup_contacts", "disk_device", "disk_key"),
        *("dahdi_spans", "dahdi_modules", "app_links_dns", "app_links_internet"),
    )
)


def show_facts(dialogue: Dialogue) -> None:
    """What was found on the box."""
    facts = dialogue.facts
    if not facts:
        dialogue.say("unseen")
        return
    dialogue.say("seen")
    results = facts["addresses"]
    text = ", ".join(
        f"{entry['address']} ({entry['interface']}, {entry['network']})" for entry in results
    )
    dialogue.say("addresses", text=text or "–")
    for disk in facts["disks"]:
        where = ", ".join(disk["mounted"])
        use = words.say(dialogue.language, "mounted", where=where) if where else ""
        use = use or (words.say(dialogue.language, "blank") if disk["blank"] else "")
        model = f", {disk['model']}" if disk["model"] else ""
        dialogue.say("disks", name=disk["name"], size=disk["size"], model=model, use=use)
    for card in facts["cards"]:
        dialogue.say("cards", name=card["name"], module=card["module"] or "?")
    if not facts["cards"]:
        dialogue.say("no_cards")
    if facts["ssh_from"]:
        dialogue.say("here", here=facts["ssh_from"])


def _identity(dialogue: Dialogue, values: dict[str, Any], former: Mapping[str, Any]) -> None:
    own_values = [entry["address"] for entry in dialogue.facts.get("addresses", ())]
    suggested = former.get("site_address", own_values[0] if own_values else "")
    for name, before in (
        ("site_address", suggested),
        ("site_name", former.get("site_name", "")),
        ("site_hotline_number", str(former.get("site_hotline_number", ""))),
    ):
        values[name] = _filled(dialogue, name, values, before)


def _filled(dialogue: Dialogue, name: str, values: dict[str, Any], suggested: str) -> str:
    """An answer that may not be empty."""
    while not (answer := str(dialogue.value(name, values, suggested))):
        dialogue.show([entry for entry in problems(values, [], {}) if entry.key == name])
    return answer


def _carriers(dialogue: Dialogue, values: dict[str, Any], former: Mapping[str, Any]) -> None:
    name = "site_carriers"
    print(f"{words.question(dialogue.language, name)} ({name})", file=dialogue.screen)
    carriers: list[dict[str, Any]] = []
    before = entries(former, name)
    while True:
        old = before[len(carriers)] if len(carriers) < len(before) else {}
        title = dialogue.line(
            words.question(dialogue.language, "carrier_name"), str(old.get("name", ""))
        )
        if not title:
            break
        address = words.question(dialogue.language, "carrier_address")
        carrier: dict[str, Any] = {
            "name": title,
            "address": dialogue.line(address, str(old.get("address", ""))),
        }
        prompt = words.question(dialogue.language, "carrier_port")
        port = dialogue.line(prompt, str(old.get("port", 5060)))
        if port != "5060":
            carrier["port"] = int(port) if port.isdigit() else port
        results = problems_of(name, [*carriers, carrier], values, dialogue.facts)
        dialogue.show(results)
        if not results:
            carriers.append(carrier)
    values[name] = carriers


def _networks(dialogue: Dialogue, values: dict[str, Any], former: Mapping[str, Any]) -> None:
    results = dialogue.facts.get("addresses", ())
    own_values = [
        entry["network"] for entry in results if entry["address"] == values["site_address"]
    ]
    peer = dialogue.facts.get("ssh_from", "")
    nearest = [entry for entry in own_values if peer and _holds(entry, peer)]
    suggested = {
        "site_operators": own_values,
        "site_ministry": [],
        "site_technicians": nearest or ([f"{peer}/32"] if peer and ":" not in peer else own_values),
    }
    for name, usual in suggested.items():
        before = former.get(name, usual)
        text = ", ".join(map(str, before)) if isinstance(before, list | tuple) else str(before)
        values[name] = dialogue.value(name, values, text, _parts)
    while not values["site_technicians"]:
        dialogue.show(
            [entry for entry in problems(values, [], {}) if entry.code == "no_technicians"]
        )
        values["site_technicians"] = dialogue.value("site_technicians", values, "", _parts)


def _holds(network: str, address: str) -> bool:
    outer, inner = network_of(network), network_of(address)
    return bool(outer and inner and inner.subnet_of(outer))


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text) if part]


def _contacts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _disks(dialogue: Dialogue, values: dict[str, Any], former: Mapping[str, Any]) -> None:
    disks = dialogue.facts.get("disks", ())
    places_in_use = [place for disk in disks for place in disk["mounted"]]
    usual = next(
        (m for m in places_in_use if m.startswith(("/mnt/", "/srv/", "/media/second"))), ""
    )
    places = entries(former, "backup_places")
    before = str(places[0].get("url", "")).removesuffix("/snapshots") if places else usual
    prompt = words.question(dialogue.language, "second_disk")
    while folder := dialogue.line(f"{prompt} (backup_places)", before).rstrip("/"):
        is_former = bool(places) and folder == before.rstrip("/")
        # Its name names the file with its key: another name would be another key.
        name = places[0].get("name", "second") if places else "second"
        place = [{"name": name, "url": f"{folder}/snapshots"}]
        results = problems_of("backup_places", place, values, dialogue.facts)
        if is_former or (not results and folder.startswith("/")):
            values["backup_places"] = list(places) if is_former else [*place, *places[1:]]
            replica = former.get("backup_replica", "") if is_former else f"{folder}/replica"
            values |= {"backup_replica": replica} if replica else {}
            former_contacts = "; ".join(map(str, former.get("backup_contacts") or ()))
            contacts = dialogue.value("backup_contacts", values, former_contacts, _contacts)
            values |= {"backup_contacts": contacts} if contacts else {}
            break
        dialogue.show(results or problems_of("backup_replica", folder, values, dialogue.facts))
    blank = [disk["path"] for disk in disks if disk["blank"]]
    if blank or former.get("disk_device"):
        device = dialogue.value("disk_device", values, str(former.get("disk_device", "")))
        if device:
            values["disk_device"] = device
            key = dialogue.value("disk_key", values, str(former.get("disk_key", "")))
            values |= {"disk_key": key} if key else {}


def _spans(dialogue: Dialogue, values: dict[str, Any], former: Mapping[str, Any]) -> None:
    cards = dialogue.facts.get("cards", ())
    before = entries(former, "dahdi_spans")
    prompt = words.question(dialogue.language, "spans")
    while True:
        count = dialogue.line(f"{prompt} (dahdi_spans)", str(len(before)))
        spans = [{"number": n} for n in range(1, int(count) + 1)] if count.isdigit() else None
        if spans is None or len(spans) > 8:
            dialogue.say("number")
            continue
        results = problems_of("dahdi_spans", spans, values, dialogue.facts)
        if not results:
            break
        dialogue.show(results)
    if not spans:
        return
    first = before[0] if before else {}
    usual_crc4, usual_clock = bool(first.get("crc4", True)), bool(first.get("timing", 1))
    crc4 = dialogue.is_yes(words.question(dialogue.language, "crc4"), "ny"[usual_crc4])
    clock = dialogue.is_yes(words.question(dialogue.language, "clock"), "ny"[usual_clock])
    is_same = (len(spans), crc4, clock) == (len(before), usual_crc4, usual_clock)
    values["dahdi_spans"] = (
        list(before)
        if is_same
        else [{**span, "crc4": crc4, "timing": span["number"] if clock else 0} for span in spans]
    )
    modules = sorted({card["module"] for card in cards if card["module"]})
    usual = former.get("dahdi_modules") or modules
    values["dahdi_modules"] = dialogue.value("dahdi_modules", values, ", ".join(usual), _parts)
