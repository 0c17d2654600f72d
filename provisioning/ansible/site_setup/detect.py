"""Facts of the box, as JSON: `python3 detect.py [BUNDLE]`, also over SSH. Needs nothing else."""

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
DRIVERS = ("dahdi-dkms*.deb", "dahdi-modules*.deb")
# PCI vendor and device of E1 cards → the driver; from the device tables of DAHDI's drivers.
_WCT4XXP = ("0205", "0210", "0220", "0405", "0410", "0420", "0820") + (
    ("1205", "1210", "1220", "1405", "1410", "1420", "1820")
)
CARDS = {
    **{f"d161:{device}": "wct4xxp" for device in _WCT4XXP},
    "10ee:0314": "wct4xxp",
    "d161:800a": "wcte13xp",
    "d161:800b": "wcte13xp",
    "d161:800e": "wcte43x",
    "d161:0120": "wcte12xp",
    "d161:8000": "wcte12xp",
    "d161:8001": "wcte12xp",
}


def facts(bundle: str = "") -> dict[str, Any]:
    """Everything; `bundle`: the folder from which the box is made."""
    return {
        "release": _release(),
        "addresses": _addresses(),
        "ssh_from": _ssh_peer(),
        "disks": _disks(),
        "cards": _cards(),
        "drivers": _has_drivers(bundle),
        "box": _box(),
    }


def _release() -> str:
    try:
        text = (ETC / "os-release").read_text("utf-8")
    except OSError:
        return ""
    results = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.MULTILINE)
    return results[1] if results else ""


def _addresses() -> list[dict[str, str]]:
    """Every IPv4 address of the box but the loopback's, with its network."""
    command = ["ip", "-j", "-4", "address", "show"]
    try:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    results: list[dict[str, str]] = []
    for card in json.loads(output or "[]"):
        for entry in card.get("addr_info", ()):
            where = ipaddress.IPv4Interface(f"{entry['local']}/{entry['prefixlen']}")
            if not where.is_loopback:
                shape = {"interface": card["ifname"], "address": str(where.ip)}
                results.append(shape | {"network": str(where.network)})
    return results


def _ssh_peer() -> str:
    """The address from which this process was started over SSH; "" on the console.

    The environment of a parent has it where sudo, su or a screen has dropped it from this one.
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


def _disks() -> list[dict[str, Any]]:
    """Each disk: name, size in GB, model, where it is mounted, whether it is blank."""
    mounts: dict[str, str] = {}
    for line in (PROC / "mounts").read_text("utf-8").splitlines():
        device, where = line.split()[:2]
        if device.startswith("/dev/"):
            mounts.setdefault(os.path.realpath(device), where)
    results = []
    for folder in sorted((SYS / "block").iterdir()):
        if folder.name.startswith(("loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd")):
            continue
        size = int((folder / "size").read_text("ascii")) * 512
        parts = [entry.parent.name for entry in folder.glob("*/partition")]
        places = [mounts[f"/dev/{n}"] for n in (folder.name, *parts) if f"/dev/{n}" in mounts]
        model = folder / "device" / "model"
        results.append(
            {
                "name": folder.name,
                "size": round(size / 1e9),
                "model": model.read_text("utf-8", "replace").strip() if model.exists() else "",
                "mounted": places,
                "blank": not parts and not places and _has_no_content(f"/dev/{folder.name}"),
                "path": _lasting_path(folder.name),
            }
        )
    return [disk for disk in results if disk["size"]]


def _has_no_content(device: str) -> bool:
    """Whether the first megabyte is empty, as on a disk that holds no file system."""
    try:
        with open(device, "rb") as disk:
            return not any(disk.read(1 << 20))
    except OSError:
        return False


def _lasting_path(name: str) -> str:
    """The name of a disk that does not change with the order of the cables."""
    for link in sorted(glob.glob("/dev/disk/by-id/*")):
        if os.path.realpath(link) == f"/dev/{name}":
            return link
    return f"/dev/{name}"


def _cards() -> list[dict[str, str]]:
    """E1 cards in the PCI slots: number, driver ("" when none of DAHDI's is known)."""
    results = []
    for folder in sorted((SYS / "bus/pci/devices").glob("*")):
        vendor, device = (
            (folder / name).read_text("ascii").strip().removeprefix("0x")
            for name in ("vendor", "device")
        )
        number = f"{vendor}:{device}"
        if number in CARDS or vendor == "d161":
            results.append({"name": f"{number} ({folder.name})", "module": CARDS.get(number, "")})
    return results


def _has_drivers(bundle: str) -> bool:
    if os.path.exists("/usr/sbin/dahdi_cfg"):
        return True
    folders = [folder for folder in (bundle, "/opt/appliance/bundle") if folder]
    return any(glob.glob(f"{folder}/debs/{name}") for folder in folders for name in DRIVERS)


def _box() -> dict[str, Any]:
    """What is in force on a box that is a hotline already, by the keys of site.ini; else {}."""
    try:
        text = (ETC / "appliance/appliance.toml").read_text("utf-8")
        rules = (ETC / "nftables.conf").read_text("utf-8")
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
        members = re.search(rf"set {name} {{[^}}]*?elements = {{([^}}]*)}}", rules)
        results[f"site_{name}"] = members[1].replace(",", " ").split() if members else []
    return results


if __name__ == "__main__":
    print(json.dumps(facts(*sys.argv[1:2])))
