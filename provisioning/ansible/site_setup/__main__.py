"""`appliance setup`: creates site.ini by questions, or checks an existing one with `--check`."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import changes, detect, inventory, wording
from .dialogue import Dialogue, InputClosed
from .problems import Facts, find_problems
from .questions import ask_values, show_facts

PACKAGE_FOLDER = Path(__file__).resolve().parent
STICK_BUNDLE_FOLDER = "/media/usb/bundle"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit status: 0 written, or no problems; 1 refused, or nothing written."""
    options = _parse_options(arguments)
    dialogue = Dialogue(options.language or "ru", sys.stdin, sys.stdout, {})
    try:
        if not options.language:
            choice = dialogue.read_answer("1 – oʻzbekcha, 2 – русский", "1")
            dialogue.language = "ru" if choice.startswith(("2", "r", "р")) else "uz"
        return (
            _check_inventory(dialogue, options)
            if options.check
            else _set_up_inventory(dialogue, options)
        )
    except (InputClosed, KeyboardInterrupt):
        print(file=sys.stdout)
        dialogue.print_sentence("unwritten")
        return 1


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="appliance setup", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("/root/site.ini"))
    parser.add_argument(
        "--lang", dest="language", choices=wording.QUESTION_LANGUAGES, help="language"
    )
    parser.add_argument("--check", action="store_true", help="look at the file, change nothing")
    parser.add_argument("--host", help="the box, over SSH, when it is not this computer")
    return parser.parse_args(arguments)


def _set_up_inventory(dialogue: Dialogue, options: argparse.Namespace) -> int:
    """Ask for the values, print the changes and write the file."""
    existing = (
        inventory.read_inventory(options.file) if options.file.exists() else inventory.Inventory()
    )
    bundle_folder = _bundle_folder()
    host = existing.host
    if options.host:
        host = f"hotline ansible_host={options.host} ansible_user=root"
    dialogue.facts = _box_facts(host, bundle_folder)
    dialogue.print_sentence("begin")
    show_facts(dialogue)
    values = ask_values(dialogue, existing.values, bundle_folder)
    if not _has_no_problems(dialogue, values):
        return 1
    _show_changes(dialogue, values)
    prompt = wording.format_sentence(dialogue.language, "write", file=options.file)
    if not dialogue.ask_yes_no(prompt):
        dialogue.print_sentence("unwritten")
        return 1
    if options.file.exists():
        backup = options.file.with_name(f"{options.file.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        options.file.rename(backup)
        dialogue.print_sentence("former", file=backup)
    comments = {name: _key_comment(dialogue.language, name) for name in values}
    options.file.write_text(inventory.format_inventory(host, values, comments), "utf-8")
    options.file.chmod(0o600)
    command = f"cd {_playbooks_folder()} && ansible-playbook -i {options.file.resolve()} site.yml"
    dialogue.print_sentence("written", file=options.file, command=command)
    return 0


def _check_inventory(dialogue: Dialogue, options: argparse.Namespace) -> int:
    """Check an existing file and print the changes it would make."""
    if not options.file.exists():
        dialogue.print_sentence("no_file", file=options.file)
        return 1
    inventory_file = inventory.read_inventory(options.file)
    dialogue.facts = _box_facts(
        inventory_file.host, str(inventory_file.values.get("bundle_dir", ""))
    )
    if not _has_no_problems(dialogue, inventory_file.values, inventory_file):
        return 1
    dialogue.print_sentence("fine", file=options.file)
    _show_changes(dialogue, inventory_file.values)
    return 0


def _has_no_problems(
    dialogue: Dialogue, values: dict[str, Any], inventory_file: inventory.Inventory | None = None
) -> bool:
    """Print all problems. Returns True if there are no problems."""
    faults = [
        *(inventory_file.problems if inventory_file else ()),
        *find_problems(values, values, dialogue.facts),
    ]
    if faults:
        dialogue.print_sentence("refused")
        dialogue.print_problems(faults)
    return not faults


def _show_changes(dialogue: Dialogue, values: dict[str, Any]) -> None:
    """Print what the playbook will change, before anything is written."""
    dialogue.print_sentence("changes")
    box = dialogue.facts.get("box", {})
    if not box:
        carriers = [entry["address"] for entry in values.get("site_carriers", ())]
        phones, pages = values.get("site_operators", []), values.get("site_ministry", [])
        technicians = values["site_technicians"]
        pages = dict.fromkeys([*phones, *pages, *technicians])
        texts = {"technicians": technicians, "pages": pages, "phones": phones, "carriers": carriers}
        dialogue.print_sentence(
            "fresh", **{name: ", ".join(entry) or "–" for name, entry in texts.items()}
        )
    differences = changes.value_changes(values, box)
    for key, old, new in differences:
        dialogue.print_sentence("change", key=key, old=old, new=new)
    if values.get("disk_device"):
        blank = [entry["path"] for entry in dialogue.facts.get("disks", ()) if entry["blank"]]
        if values["disk_device"] in blank:
            dialogue.print_sentence("disk_erased", device=values["disk_device"])
    if box and not differences:
        dialogue.print_sentence("nothing")


def _box_facts(host: str, bundle: str) -> Facts:
    """Return the facts of the box: of this computer, or of the host in site.ini, over SSH."""
    if "ansible_connection=local" in host:
        return detect.collect_facts(bundle)
    options_of_host = dict(word.partition("=")[::2] for word in host.split()[1:])
    address = options_of_host.get("ansible_host") or host.split()[0]
    command = [
        "ssh",
        "-o",
        "ConnectTimeout=10",
        f"{options_of_host.get('ansible_user', 'root')}@{address}",
    ]
    if port := options_of_host.get("ansible_port"):
        command += ["-p", port]
    source = (PACKAGE_FOLDER / "detect.py").read_text("utf-8")
    completed = subprocess.run(
        [*command, "--", "python3", "-", bundle], input=source, capture_output=True, text=True
    )
    if completed.returncode:
        print(completed.stderr.strip(), file=sys.stderr)
        return {}
    results: Facts = json.loads(completed.stdout)
    return results


def _bundle_folder() -> str:
    """Return the bundle that contains this program, or the usual folder on a stick for a clone."""
    folder = PACKAGE_FOLDER.parents[1]
    return str(folder) if (folder / "SHA256SUMS").exists() else STICK_BUNDLE_FOLDER


def _playbooks_folder() -> Path:
    bundle_folder = Path("/opt/appliance/bundle/ansible")
    return bundle_folder if bundle_folder.exists() else PACKAGE_FOLDER.parent


def _key_comment(language: str, name: str) -> str:
    """Return the comment above a key: its question, "" without one."""
    try:
        return wording.question_text(language, name).strip()
    except KeyError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
