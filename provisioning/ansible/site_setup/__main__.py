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
            chosen = dialogue.line("1 – oʻzbekcha, 2 – русский", "1")
            dialogue.language = "ru" if chosen.startswith(("2", "r", "р")) else "uz"
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
    before = inventory.read(options.file) if options.file.exists() else inventory.Inventory()
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
    asked = words.say(dialogue.language, "write", file=options.file)
    if not dialogue.is_yes(asked):
        dialogue.say("unwritten")
        return 1
    if options.file.exists():
        former = options.file.with_name(f"{options.file.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        options.file.rename(former)
        dialogue.say("former", file=former)
    comments = {name: _comment(dialogue.language, name) for name in values}
    options.file.write_text(inventory.written(host, values, comments), "utf-8")
    options.file.chmod(0o600)
    command = f"cd {_playbooks()} && ansible-playbook -i {options.file.resolve()} site.yml"
    dialogue.say("written", file=options.file, command=command)
    return 0


def _check(dialogue: Dialogue, options: argparse.Namespace) -> int:
    if not options.file.exists():
        dialogue.say("no_file", file=options.file)
        return 1
    read = inventory.read(options.file)
    dialogue.facts = _facts(read.host, str(read.values.get("bundle_dir", "")))
    if not _is_sound(dialogue, read.values, read):
        return 1
    dialogue.say("fine", file=options.file)
    _show_changes(dialogue, read.values)
    return 0


def _is_sound(
    dialogue: Dialogue, values: dict[str, Any], read: inventory.Inventory | None = None
) -> bool:
    found = [*(read.problems if read else ()), *problems(values, values, dialogue.facts)]
    if found:
        dialogue.say("refused")
        dialogue.show(found)
    return not found


def _show_changes(dialogue: Dialogue, values: dict[str, Any]) -> None:
    """What the playbook will make other, said before anything is written."""
    dialogue.say("changes")
    box = dialogue.facts.get("box", {})
    if not box:
        carriers = [one["address"] for one in values.get("site_carriers", ())]
        phones, pages = values.get("site_operators", []), values.get("site_ministry", [])
        technicians = values["site_technicians"]
        pages = dict.fromkeys([*phones, *pages, *technicians])
        texts = {"technicians": technicians, "pages": pages, "phones": phones, "carriers": carriers}
        dialogue.say("fresh", **{name: ", ".join(one) or "–" for name, one in texts.items()})
    found = changes.changes(values, box)
    for key, old, new in found:
        dialogue.say("change", key=key, old=old, new=new)
    if values.get("disk_device"):
        blank = [one["path"] for one in dialogue.facts.get("disks", ()) if one["blank"]]
        if values["disk_device"] in blank:
            dialogue.say("disk_erased", device=values["disk_device"])
    if box and not found:
        dialogue.say("nothing")


def _facts(host: str, bundle: str) -> Facts:
    """What is known of the box: of this computer, or of the one that site.ini names, over SSH."""
    if "ansible_connection=local" in host:
        return detect.facts(bundle)
    named = dict(word.partition("=")[::2] for word in host.split()[1:])
    where = named.get("ansible_host") or host.split()[0]
    command = ["ssh", "-o", "ConnectTimeout=10", f"{named.get('ansible_user', 'root')}@{where}"]
    if port := named.get("ansible_port"):
        command += ["-p", port]
    source = (HERE / "detect.py").read_text("utf-8")
    done = subprocess.run(
        [*command, "--", "python3", "-", bundle], input=source, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        return {}
    found: Facts = json.loads(done.stdout)
    return found


def _bundle() -> str:
    """The bundle that this program lies in; the usual place of a stick when it is a clone."""
    folder = HERE.parents[1]
    return str(folder) if (folder / "SHA256SUMS").exists() else STICK


def _playbooks() -> Path:
    kept = Path("/opt/appliance/bundle/ansible")
    return kept if kept.exists() else HERE.parent


def _comment(language: str, name: str) -> str:
    try:
        return words.question(language, name).strip()
    except KeyError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
