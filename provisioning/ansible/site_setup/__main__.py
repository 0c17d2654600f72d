"""`appliance setup`: site.ini by question and answer, or `--check` of one that is there."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import changes, detect, inventory, words
from .dialogue import Dialogue, Unanswered
from .problems import Facts, problems
from .questions import ask, show_facts

HERE = Path(__file__).resolve().parent
STICK = "/media/usb/bundle"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 written, or nothing wrong; 1 refused, or nothing written."""
    options = _options(arguments)
    dialogue = Dialogue(options.language or "ru", sys.stdin, sys.stdout, {})
    try:
        if not options.language:
            choice = dialogue.line("1 – oʻzbekcha, 2 – русский", "1")
            dialogue.language = "ru" if choice.startswith(("2", "r", "р")) else "uz"
        return _check(dialogue, options) if options.check else _set_up(dialogue, options)
    except (Unanswered, KeyboardInterrupt):
        print(file=sys.stdout)
        dialogue.say("unwritten")
        return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="appliance setup", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("/root/site.ini"))
    parser.add_argument("--lang", dest="language", choices=words.LANGUAGES, help="language")
    parser.add_argument("--check", action="store_true", help="look at the file, change nothing")
    parser.add_argument("--host", help="the box, over SSH, when it is not this computer")
    return parser.parse_args(arguments)


def _set_up(dialogue: Dialogue, options: argparse.Namespace) -> int:
    before = inventory.read_file(options.file) if options.file.exists() else inventory.Inventory()
    bundle = _bundle()
    host = before.host
    if options.host:
        host = f"hotline ansible_host={options.host} ansible_user=root"
    dialogue.facts = _facts(host, bundle)
    dialogue.say("begin")
    show_facts(dialogue)
    values = ask(dialogue, before.values, bundle)
    if not _is_sound(dialogue, values):
        return 1
    _show_changes(dialogue, values)
    prompt = words.say(dialogue.language, "write", file=options.file)
    if not dialogue.is_yes(prompt):
        dialogue.say("unwritten")
        return 1
    if options.file.exists():
        former = options.file.with_name(f"{options.file.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        options.file.rename(former)
        dialogue.say("former", file=former)
    comments = {name: _comment(dialogue.language, name) for name in values}
    options.file.write_text(inventory.file_text(host, values, comments), "utf-8")
    options.file.chmod(0o600)
    command = f"cd {_playbooks()} && ansible-playbook -i {options.file.resolve()} site.yml"
    dialogue.say("written", file=options.file, command=command)
    return 0


def _check(dialogue: Dialogue, options: argparse.Namespace) -> int:
    if not options.file.exists():
        dialogue.say("no_file", file=options.file)
        return 1
    inventory_file = inventory.read_file(options.file)
    dialogue.facts = _facts(inventory_file.host, str(inventory_file.values.get("bundle_dir", "")))
    if not _is_sound(dialogue, inventory_file.values, inventory_file):
        return 1
    dialogue.say("fine", file=options.file)
    _show_changes(dialogue, inventory_file.values)
    return 0


def _is_sound(
    dialogue: Dialogue, values: dict[str, Any], inventory_file: inventory.Inventory | None = None
) -> bool:
    results = [
        *(inventory_file.problems if inventory_file else ()),
        *problems(values, values, dialogue.facts),
    ]
    if results:
        dialogue.say("refused")
        dialogue.show(results)
    return not results


def _show_changes(dialogue: Dialogue, values: dict[str, Any]) -> None:
    """What the playbook will make other, said before anything is written."""
    dialogue.say("changes")
    box = dialogue.facts.get("box", {})
    if not box:
        carriers = [entry["address"] for entry in values.get("site_carriers", ())]
        phones, pages = values.get("site_operators", []), values.get("site_ministry", [])
        technicians = values["site_technicians"]
        pages = dict.fromkeys([*phones, *pages, *technicians])
        texts = {"technicians": technicians, "pages": pages, "phones": phones, "carriers": carriers}
        dialogue.say("fresh", **{name: ", ".join(entry) or "–" for name, entry in texts.items()})
    results = changes.changes(values, box)
    for key, old, new in results:
        dialogue.say("change", key=key, old=old, new=new)
    if values.get("disk_device"):
        blank = [entry["path"] for entry in dialogue.facts.get("disks", ()) if entry["blank"]]
        if values["disk_device"] in blank:
            dialogue.say("disk_erased", device=values["disk_device"])
    if box and not results:
        dialogue.say("nothing")


def _facts(host: str, bundle: str) -> Facts:
    """What is known of the box: of this computer, or of the one that site.ini names, over SSH."""
    if "ansible_connection=local" in host:
        return detect.facts(bundle)
    options_of_host = dict(word.partition("=")[::2] for word in host.split()[1:])
    where = options_of_host.get("ansible_host") or host.split()[0]
    command = [
        "ssh",
        "-o",
        "ConnectTimeout=10",
        f"{options_of_host.get('ansible_user', 'root')}@{where}",
    ]
    if port := options_of_host.get("ansible_port"):
        command += ["-p", port]
    source = (HERE / "detect.py").read_text("utf-8")
    finished = subprocess.run(
        [*command, "--", "python3", "-", bundle], input=source, capture_output=True, text=True
    )
    if finished.returncode:
        print(finished.stderr.strip(), file=sys.stderr)
        return {}
    results: Facts = json.loads(finished.stdout)
    return results


def _bundle() -> str:
    """The bundle that this program lies in; the usual place of a stick when it is a clone."""
    folder = HERE.parents[1]
    return str(folder) if (folder / "SHA256SUMS").exists() else STICK


def _playbooks() -> Path:
    bundle_folder = Path("/opt/appliance/bundle/ansible")
    return bundle_folder if bundle_folder.exists() else HERE.parent


def _comment(language: str, name: str) -> str:
    try:
        return words.question(language, name).strip()
    except KeyError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
