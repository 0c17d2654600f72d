"""Prints facts of the box as JSON: `python3 detect.py [BUNDLE]`, also over SSH.

Needs nothing but Python.
"""

import glob
import ipaddress
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

SYS, PROC, ETC = Path("/sys"), Path("/proc"), Path("/etc")
DRIVER_PACKAGES = ("dahdi-dkms*.deb", "dahdi-modules*.deb")
# PCI vendor and device of E1 cards → the driver; from the device tables of DAHDI's drivers.
_WCT4XXP = ("0205", "0210", "0220", "0405", "0410", "0420", "0820") + (
    ("1205", "1210", "1220", "1405", "1410", "1420", "1820")
)
CARD_DRIVERS = {
    **{f"d161:{device}": "wct4xxp" for device in _WCT4XXP},
    "10ee:0314": "wct4xxp",
    "d161:800a": "wcte13xp",
    "d161:800b": "wcte13xp",
    "d161:800e": "wcte43x",
    "d161:0120": "wcte12xp",
    "d161:8000": "wcte12xp",
    "d161:8001": "wcte12xp",
}


def collect_facts(bundle: str = "") -> dict[str, Any]:
    """Return all facts; `bundle`: the folder from which the box is installed."""
    return {
        "release": _debian_codename(),
        "addresses": _box_addresses(),
        "ssh_from": _ssh_peer(),
        "disks": _list_disks(),
        "cards": _e1_cards(),
        "drivers": _has_drivers(bundle),
        "box": _current_values(),
    }


def _debian_codename() -> str:
    try:
        text = (ETC / "os-release").read_text("utf-8")
    except OSError:
        return ""
    match = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.MULTILINE)
    return match[1] if match else ""


def _box_addresses() -> list[dict[str, str]]:
    """Return every IPv4 address of the box except the loopback's, with its network."""
    command = ["ip", "-j", "-4", "address", "show"]
    try:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    results: list[dict[str, str]] = []
    for card in json.loads(output or "[]"):
        for entry in card.get("addr_info", ()):
            interface = ipaddress.IPv4Interface(f"{entry['local']}/{entry['prefixlen']}")
            if not interface.is_loopback:
                entry_facts = {"interface": card["ifname"], "address": str(interface.ip)}
                results.append(entry_facts | {"network": str(interface.network)})
    return results


def _ssh_peer() -> str:
    """Return the address from which this process was started over SSH; "" on the console.

    A parent's environment still has it where sudo, su or screen has removed it from this process.
    """
    pid = os.getpid()
    while pid > 1:
        try:
            environment = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
            status = (PROC / str(pid) / "status").read_text("ascii", "replace")
        except OSError:
            return ""
        for line in environment:
            if line.startswith(b"SSH_CONNECTION="):
                peer = line.partition(b"=")[2].split()[:1]
                return peer[0].decode("ascii").removeprefix("::ffff:") if peer else ""
        pid = int(re.findall(r"^PPid:\s*(\d+)", status, re.MULTILINE)[0])
    return ""


def _list_disks() -> list[dict[str, Any]]:
    """Return each disk: name, size in GB, model, mount points, whether it is blank."""
    mounts: dict[str, str] = {}
    for line in (PROC / "mounts").read_text("utf-8").splitlines():
        device, mount_point = line.split()[:2]
        if device.startswith("/dev/"):
            mounts.setdefault(os.path.realpath(device), mount_point)
    results = []
    for folder in sorted((SYS / "block").iterdir()):
        if folder.name.startswith(("loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd")):
            continue
        size = int((folder / "size").read_text("ascii")) * 512
        partitions = [entry.parent.name for entry in folder.glob("*/partition")]
        mount_points = [
            mounts[f"/dev/{name}"]
            for name in (folder.name, *partitions)
            if f"/dev/{name}" in mounts
        ]
        model = folder / "device" / "model"
        results.append(
            {
                "name": folder.name,
                "size": round(size / 1e9),
                "model": model.read_text("utf-8", "replace").strip() if model.exists() else "",
                "mounted": mount_points,
                "blank": not partitions
                and not mount_points
                and _is_blank_device(f"/dev/{folder.name}"),
                "path": _persistent_path(folder.name),
            }
        )
    return [disk for disk in results if disk["size"]]


def _is_blank_device(device: str) -> bool:
    """Return True if the first megabyte is empty, as on a disk without a file system."""
    try:
        with open(device, "rb") as disk:
            return not any(disk.read(1 << 20))
    except OSError:
        return False


def _persistent_path(name: str) -> str:
    """Return the path of a disk that does not change with the order of the cables."""
    for link in sorted(glob.glob("/dev/disk/by-id/*")):
        if os.path.realpath(link) == f"/dev/{name}":
            return link
    return f"/dev/{name}"


def _e1_cards() -> list[dict[str, str]]:
    """Return E1 cards in the PCI slots: number, driver ("" when it is not one of DAHDI's)."""
    results = []
    for folder in sorted((SYS / "bus/pci/devices").glob("*")):
        vendor, device = (
            (folder / name).read_text("ascii").strip().removeprefix("0x")
            for name in ("vendor", "device")
        )
        number = f"{vendor}:{device}"
        if number in CARD_DRIVERS or vendor == "d161":
            results.append(
                {"name": f"{number} ({folder.name})", "module": CARD_DRIVERS.get(number, "")}
            )
    return results


def _has_drivers(bundle: str) -> bool:
    if os.path.exists("/usr/sbin/dahdi_cfg"):
        return True
    folders = [folder for folder in (bundle, "/opt/appliance/bundle") if folder]
    return any(glob.glob(f"{folder}/debs/{name}") for folder in folders for name in DRIVER_PACKAGES)


def _current_values() -> dict[str, Any]:
    """Return the values in force on an installed hotline box, by key of site.ini; else {}."""
    try:
        text = (ETC / "appliance/appliance.toml").read_text("utf-8")
        firewall_rules = (ETC / "nftables.conf").read_text("utf-8")
    except OSError:
        return {}
    site = tomllib.loads(text)
    asterisk, snapshots = site.get("asterisk", {}), site.get("snapshots", {})
    results = {
        "site_address": asterisk.get("address"),
        "site_name": site.get("web", {}).get("url", "").removeprefix("https://"),
        "site_hotline_number": site.get("calls", {}).get("hotline_number"),
        "site_carriers": site.get("trunks", []),
        "site_timezone": site.get("timezone"),
        "site_sip_port": asterisk.get("sip_port"),
        "site_rtp_ports": f"{asterisk.get('rtp_first')}-{asterisk.get('rtp_last')}",
        "backup_places": [
            {name: entry[name] for name in ("name", "url", "environment_file") if name in entry}
            for entry in site.get("backups", [])
        ],
        "backup_replica": snapshots.get("replica", ""),
        "app_links_dns": site.get("links", {}).get("dns", ""),
        "app_links_internet": site.get("links", {}).get("internet", ""),
    }
    for name in ("operators", "ministry", "technicians"):
        match = re.search(rf"set {name} {{[^}}]*?elements = {{([^}}]*)}}", firewall_rules)
        results[f"site_{name}"] = match[1].replace(",", " ").split() if match else []
    return results


if __name__ == "__main__":
    print(json.dumps(collect_facts(*sys.argv[1:2])))
