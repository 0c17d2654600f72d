"""site.ini: its keys, its questions, and the values refused before any change."""

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from backups import paper_keys
from provisioning.ansible.site_setup import __main__ as program
from provisioning.ansible.site_setup import changes, detect, inventory, keys, wording
from provisioning.ansible.site_setup.dialogue import Dialogue
from provisioning.ansible.site_setup.problems import find_problems
from provisioning.ansible.site_setup.questions import ask_values

PLAYBOOKS = Path(detect.__file__).parents[1]
ROLES = PLAYBOOKS / "roles"
GOOD_VALUES: dict[str, Any] = {
    "bundle_dir": "/media/usb/bundle",
    "site_address": "192.0.2.10",
    "site_name": "hotline.example.uz",
    "site_hotline_number": 1006,
    "site_carriers": [{"name": "carrier", "address": "198.51.100.5"}],
    "site_operators": ["192.0.2.0/24"],
    "site_ministry": ["203.0.113.0/24"],
    "site_technicians": ["192.0.2.0/24"],
}
BOX_FACTS: dict[str, Any] = {
    "release": "trixie",
    "addresses": [{"interface": "eth0", "address": "192.0.2.10", "network": "192.0.2.0/24"}],
    "ssh_from": "192.0.2.30",
    "disks": [
        {
            **{"name": "sda", "size": 500, "model": "", "mounted": ["/"]},
            **{"blank": False, "path": "/dev/disk/by-id/ata-one"},
        },
        {
            **{"name": "sdb", "size": 1000, "model": "Disk", "mounted": ["/mnt/second"]},
            **{"blank": False, "path": "/dev/disk/by-id/ata-two"},
        },
    ],
    "cards": [],
    "drivers": False,
    "box": {},
}
REFUSED_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an unknown key": (
        {"site_cariers": []},
        {},
        "site_cariers is no key of site.ini; site_carriers is.",
    ),
    "a key far from any": ({"colour": "red"}, {}, "colour is no key of site.ini."),
    "an option of a restore": ({"restore_att": "now"}, {}, "restore_att is no key of site.ini."),
    "another host's address": (
        {"site_address": "192.0.2.11"},
        {},
        'site_address is "192.0.2.11": another host\'s address; the box has 192.0.2.10.',
    ),
    "who runs it is shut out": (
        {"site_technicians": ["10.9.0.0/16"]},
        {},
        "site_technicians leaves out 192.0.2.30, from where you are connected",
    ),
    "who runs it comes by IPv6": ({}, {"ssh_from": "2001:db8::1"}, "connected over IPv6 from 2001"),
    "two trunks of one name": (
        {
            "site_carriers": [
                {"name": "a", "address": "198.51.100.5"},
                {"name": "a", "address": "198.51.100.6"},
            ]
        },
        {},
        "site_carriers has two trunks named a",
    ),
    "two trunks of one address": (
        {
            "site_carriers": [
                {"name": "a", "address": "198.51.100.5"},
                {"name": "b", "address": "198.51.100.5"},
            ]
        },
        {},
        "b and a have the same address 198.51.100.5:5060",
    ),
    "a trunk to itself": (
        {"site_carriers": [{"name": "a", "address": "192.0.2.10"}]},
        {},
        "that is the box itself",
    ),
    "an unknown field": (
        {"site_carriers": [{"name": "a", "address": "198.51.100.5", "prot": 5070}]},
        {},
        "it has name, address, port; not prot",
    ),
    "reversed ports": (
        {"site_rtp_ports": "19999-10000"},
        {},
        'site_rtp_ports is "19999-10000": the first port is above the last; 10000-19999?',
    ),
    "ports that do not exist": ({"site_rtp_ports": "60000-70000"}, {}, "ports from 1024 to 65535"),
    "ports that overlap": (
        {"site_rtp_ports": "5000-6000", "site_sip_port": 5060},
        {},
        "site_sip_port=5060 lies in it",
    ),
    "overlapping networks": (
        {"site_operators": ["192.0.2.0/24", "192.0.2.128/25"]},
        {},
        "192.0.2.128/25 and 192.0.2.0/24 overlap",
    ),
    "operators and ministry": (
        {"site_ministry": ["192.0.0.0/16"]},
        {},
        "192.0.0.0/16 overlaps 192.0.2.0/24 of site_operators",
    ),
    "ministry with SSH": (
        {"site_ministry": ["10.1.1.0/24"], "site_technicians": ["10.1.0.0/16", "192.0.2.0/24"]},
        {},
        "10.1.0.0/16 takes in 10.1.1.0/24 of site_ministry, which would have SSH",
    ),
    "the whole internet": (
        {"site_technicians": ["0.0.0.0/0"]},
        {},
        "site_technicians is 0.0.0.0/0: that lets half the internet in",
    ),
    "the internet by halves": (
        {"site_operators": ["0.0.0.0/1", "128.0.0.0/1"]},
        {},
        "site_operators is 128.0.0.0/1: that lets half the internet in",
    ),
    "an E1 without drivers": (
        {"dahdi_spans": [{"number": 1}]},
        {},
        "neither the box nor the bundle has the drivers of E1 cards",
    ),
    "nobody by SSH": ({"site_technicians": []}, {}, "nobody could reach the box by SSH"),
    "nothing set": ({"site_name": ""}, {}, 'site_name is "": it must be set.'),
    "another Debian": ({}, {"release": "bookworm"}, "the box must be Debian 13"),
    "one word for a list": ({"site_operators": "192.0.2.0/24"}, {}, "a list, in brackets"),
}


def problem_sentences(
    values: dict[str, Any], facts: dict[str, Any], language: str = "en"
) -> list[str]:
    return [
        wording.problem_sentence(entry, language)
        for entry in find_problems(values, list(values), facts)
    ]


def test_correct_values_are_accepted() -> None:
    assert problem_sentences(GOOD_VALUES, BOX_FACTS) == []
    assert (
        problem_sentences(
            GOOD_VALUES | {"dahdi_spans": [{"number": 1}]}, BOX_FACTS | {"drivers": True}
        )
        == []
    )
    # by a tunnel, through lo
    assert problem_sentences(GOOD_VALUES, BOX_FACTS | {"ssh_from": "127.0.0.1"}) == []


@pytest.mark.parametrize("case", REFUSED_CASES)
def test_harmful_values_are_refused(case: str) -> None:
    changed, facts, expected = REFUSED_CASES[case]
    faults = problem_sentences(GOOD_VALUES | changed, BOX_FACTS | facts)
    assert any(expected in entry for entry in faults), faults
    for language in wording.QUESTION_LANGUAGES:
        assert len(problem_sentences(GOOD_VALUES | changed, BOX_FACTS | facts, language)) == len(
            faults
        )


def test_every_key_of_the_roles_is_declared() -> None:
    names_in_roles = set()
    for file in ROLES.glob("*/defaults/main.yml"):
        names_in_roles |= set(yaml.safe_load(file.read_text("utf-8")) or {})
    declared_names = {
        name for name in names_in_roles if not re.match(keys.PACKAGES_KEY_PATTERN, name)
    }
    assert declared_names - set(keys.KEYS_BY_NAME) == set()
    # Only keys that a site must set have no default, and the language of the refusals.
    required_names = {key.name for key in keys.KEYS if key.is_required}
    assert set(keys.KEYS_BY_NAME) - declared_names == required_names | {"site_language"}


def test_the_example_has_declared_keys_and_no_problems(tmp_path: Path) -> None:
    text = (PLAYBOOKS / "site.example.ini").read_text("utf-8")
    file = tmp_path / "site.ini"
    file.write_text(re.sub(r"^# (\w+=)", r"\1", text, flags=re.MULTILINE), "utf-8")
    read = inventory.read_inventory(file)
    assert read.problems == []
    assert set(keys.KEYS_BY_NAME) >= set(read.values) >= {"backup_places", "dahdi_spans"}
    assert problem_sentences(read.values, {}) == []


def test_the_readme_has_the_table_of_all_keys() -> None:
    assert wording.key_table() in (PLAYBOOKS / "README.md").read_text("utf-8")


def test_the_texts_are_complete_in_each_language() -> None:
    for part, languages in (("wanted", "en ru uz"), ("problem", "en ru uz"), ("question", "ru uz")):
        for name, texts in wording._load_wording()[part].items():
            assert set(texts) == set(languages.split()), name
            fields = {
                tuple(sorted(set(re.findall(r"{\w+}", text)) - {"{key}"}))
                for text in texts.values()
            }
            assert len(fields) == 1, name


def test_a_written_file_is_read_back_unchanged(tmp_path: Path) -> None:
    values = GOOD_VALUES | {
        "dahdi_spans": [{"number": 1, "crc4": True}],
        "site_hotline_number": "1006",
    }
    file = tmp_path / "site.ini"
    file.write_text(inventory.format_inventory(inventory.LOCAL_HOST_LINE, values, {}), "utf-8")
    read = inventory.read_inventory(file)
    assert (read.host, read.values, read.problems) == (inventory.LOCAL_HOST_LINE, values, [])
    file.write_text("[hotline:vars]\nsite_name=a\nsite_name=b\nsite_address 192.0.2.1\n", "utf-8")
    assert [
        wording.problem_sentence(entry, "ru") for entry in inventory.read_inventory(file).problems
    ] == [
        "site_name написан в site.ini дважды: второе значение заменило бы первое.",
        "Строка 4 файла site.ini – не ключ=значение: site_address 192.0.2.1.",
    ]


def test_ansible_reads_the_same_values(tmp_path: Path) -> None:
    further = '[[sms]]\nname = "first"\npassword = "ʻ\\ #"\n'
    values = GOOD_VALUES | {"site_hotline_number": "1006", "backup_replica": "/mnt/second/replica"}
    values["app_settings"] = further
    file = tmp_path / "site.ini"
    file.write_text(inventory.format_inventory(inventory.LOCAL_HOST_LINE, values, {}), "utf-8")
    process = subprocess.run(
        [Path(program.sys.executable).with_name("ansible-inventory"), "-i", file, "--list"],
        check=True,
        capture_output=True,
        text=True,
        env={"ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    read = json.loads(process.stdout)["_meta"]["hostvars"]["localhost"]
    assert {name: read[name] for name in values} == values
    assert inventory.read_inventory(file).values == values


PLAYBOOK_OPTIONS = {"site": ["--tags", "none"], "upgrade": [], "restore": []}


@pytest.mark.parametrize("book", PLAYBOOK_OPTIONS)
def test_each_playbook_refuses_wrong_values_first(book: str, tmp_path: Path) -> None:
    """On this machine, whose address is not the box's."""
    file = tmp_path / "site.ini"
    values = GOOD_VALUES | {
        "site_cariers": [],
        "site_rtp_ports": "2000-1500",
        "site_language": "ru",
    }
    text = inventory.format_inventory(inventory.LOCAL_HOST_LINE, values, {})
    file.write_text(f"{text}site_name=twice.example.uz\n", "utf-8")
    process = subprocess.run(
        [
            *(Path(program.sys.executable).with_name("ansible-playbook"), "-i", file),
            *(PLAYBOOKS / f"{book}.yml", "-e", "ansible_python_interpreter=/usr/bin/python3"),
            *("-e", "ansible_become=false", "-e", "restore_att=now", *PLAYBOOK_OPTIONS[book]),
        ],
        capture_output=True,
        text=True,
        cwd=PLAYBOOKS,
        stdin=subprocess.DEVNULL,
        env={
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        },
    )
    screen_text = " ".join(process.stdout.split())
    assert process.returncode == 2, process.stdout + process.stderr
    assert "changed=0" in screen_text
    other_host = ["это адрес другой машины"] if detect.collect_facts()["addresses"] else []
    for expected in (
        "site_cariers: такого ключа в site.ini нет; есть site_carriers.",
        "restore_att: такого ключа в site.ini нет",
        "site_name написан в site.ini дважды",
        "первый порт больше последнего; 1500-2000?",
        *other_host,
    ):
        assert expected in screen_text, screen_text


def answer_questions(
    *lines: str, facts: dict[str, Any], former_values: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """Return the values that result from these answers, and the text on the screen."""
    screen = io.StringIO()
    typed = io.StringIO("".join(f"{line}\n" for line in lines))
    return ask_values(
        Dialogue("ru", typed, screen, facts), former_values, "/media/usb/bundle"
    ), screen.getvalue()


def test_answers_become_values_and_wrong_ones_are_asked_again(tmp_path: Path) -> None:
    values, screen = answer_questions(
        *("", "192.0.2.99", ""),  # the bundle; another host's address, then the detected one
        *("HOTLINE", "hotline.example.uz", "1006"),
        *("a", "198.51.100.5", "", "a", "198.51.100.6", "", "b", "198.51.100.6", "5070", ""),
        *("0.0.0.0/0", "", "192.0.2.128/25", "203.0.113.0/24"),
        *("10.0.0.0/8", ""),  # technicians: SSH would be blocked, then the detected network
        "",  # the second disk, which was detected
        *("+998 90 123 45 67", "Техник: +998 90 123 45 67; Связь: 1234"),
        *("1", "0"),  # an E1 without drivers, then no E1
        *("", "example.uz:443"),
        facts=BOX_FACTS,
        former_values={"app_work_opens": "08:00", "app_links_dns": ""},
    )
    assert values == {
        "site_language": "ru",
        "bundle_dir": "/media/usb/bundle",
        "site_address": "192.0.2.10",
        "site_name": "hotline.example.uz",
        "site_hotline_number": "1006",
        "site_carriers": [
            {"name": "a", "address": "198.51.100.5"},
            {"name": "b", "address": "198.51.100.6", "port": 5070},
        ],
        "site_operators": ["192.0.2.0/24"],
        "site_ministry": ["203.0.113.0/24"],
        "site_technicians": ["192.0.2.0/24"],
        "backup_places": [{"name": "second", "url": "/mnt/second/snapshots"}],
        "backup_replica": "/mnt/second/replica",
        "backup_contacts": ["Техник: +998 90 123 45 67", "Связь: 1234"],
        "app_links_internet": "example.uz:443",
        "app_work_opens": "08:00",  # a value without a question remains
    }
    assert problem_sentences(values, BOX_FACTS) == []
    for expected in (
        "это адрес другой машины; у сервера 192.0.2.10",
        "строчными буквами",
        "две линии с именем a",
        "это впустит полинтернета",
        "пересекается с 192.0.2.0/24 из site_operators",
        "SSH для вас закрылся бы",
        "--e1",
    ):
        assert expected in screen


def test_empty_answers_keep_an_existing_file() -> None:
    """Neither the name of a backup place, by which its key is found, nor a span's cable changes."""
    former = GOOD_VALUES | {
        "site_language": "ru",
        "site_hotline_number": "1006",
        "site_carriers": [{"name": "b", "address": "198.51.100.6", "port": 5070}],
        "backup_places": [
            {"name": "disk", "url": "/srv/copies"},
            {"name": "far", "url": "sftp:backup@nas:/hotline"},
        ],
        "backup_replica": "/srv/replica",
        "backup_contacts": ["Техник: 1234"],
        "dahdi_spans": [{"number": 1, "crc4": False, "timing": 0, "lbo": 2}, {"number": 2}],
        "dahdi_modules": ["wct4xxp"],
        "app_links_dns": "example.uz",
        "app_settings": "[retention]\nappeals_years = 5",
    }
    values, screen = answer_questions(
        *[""] * 40, facts=BOX_FACTS | {"drivers": True}, former_values=former
    )
    assert values == former
    assert "!" not in screen


def test_an_e1_card_selects_its_driver() -> None:
    card = {"name": "d161:0420 (0000:03:00.0)", "module": "wct4xxp"}
    values, _ = answer_questions(
        *("", "", "h.uz", "1006", "", "", "-", "", "-", "2", "y", "n", "", "-", "-"),
        facts=BOX_FACTS | {"cards": [card], "drivers": True},
        former_values={},
    )
    assert values["dahdi_modules"] == ["wct4xxp"]
    assert values["dahdi_spans"] == [
        {"number": 1, "crc4": True, "timing": 0},
        {"number": 2, "crc4": True, "timing": 0},
    ]
    assert "backup_places" not in values


def test_a_remote_box_is_inspected_over_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake ssh runs the command on this machine and stores the address."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/told\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    host = "hotline ansible_host=192.0.2.10 ansible_user=root ansible_port=2222"
    assert (
        program._box_facts(host, "/media/usb/bundle")["addresses"]
        == detect.collect_facts()["addresses"]
    )
    assert "root@192.0.2.10 -p 2222 --" in (tmp_path / "told").read_text()
    ssh.write_text("#!/bin/sh\necho no route >&2\nexit 255\n")
    assert program._box_facts(host, "") == {}


def test_changes_are_listed_before_they_are_made() -> None:
    box = {name: GOOD_VALUES[name] for name in GOOD_VALUES if name != "bundle_dir"} | {
        "site_carriers": [{"name": "carrier", "address": "198.51.100.5", "port": 5060}],
        "site_rtp_ports": "10000-19999",
        "app_links_dns": "example.uz",
    }
    changed = GOOD_VALUES | {"app_links_dns": "example.uz"}
    assert changes.value_changes(changed, box) == []
    differences = changes.value_changes(changed | {"site_technicians": ["10.0.0.0/24"]}, box)
    assert differences == [("site_technicians", '["192.0.2.0/24"]', '["10.0.0.0/24"]')]
    addresses = GOOD_VALUES | {"app_settings": '[links]\ndns = "example.uz"\n'}
    assert changes.value_changes(addresses, box) == []


def test_the_defaults_of_changes_equal_those_of_the_roles() -> None:
    role_defaults = {}
    for file in ROLES.glob("*/defaults/main.yml"):
        role_defaults |= yaml.safe_load(file.read_text("utf-8")) or {}
    assert {name: role_defaults[name] for name in changes.ROLE_DEFAULTS} == changes.ROLE_DEFAULTS


def test_the_box_is_read_from_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "appliance").mkdir()
    (tmp_path / "appliance/appliance.toml").write_text(
        'timezone = "Asia/Tashkent"\n[web]\nurl = "https://hotline.example.uz"\n'
        '[asterisk]\naddress = "192.0.2.10"\nsip_port = 5060\nrtp_first = 1\nrtp_last = 2\n'
        '[calls]\nhotline_number = "1006"\n'
        '[[trunks]]\nname = "carrier"\naddress = "198.51.100.5"\nport = 5060\n'
    )
    (tmp_path / "nftables.conf").write_text(
        "    set operators {\n        type ipv4_addr\n        flags interval\n"
        "        elements = { 192.0.2.0/24, 10.0.0.0/8 }\n    }\n"
        "    set ministry {\n        type ipv4_addr\n    }\n"
    )
    monkeypatch.setattr(detect, "ETC", tmp_path)
    box = detect.collect_facts()["box"]
    assert box["site_operators"] == ["192.0.2.0/24", "10.0.0.0/8"]
    assert box["site_ministry"] == []
    assert box["site_name"] == "hotline.example.uz"
    assert box["site_hotline_number"] == "1006"


def test_the_ssh_client_is_read_from_a_parent_process(tmp_path: Path) -> None:
    """As after sudo, which removes the variables of SSH."""
    process = subprocess.run(
        ["sh", "-c", f"env -i /usr/bin/python3 -B {detect.__file__}; :"],
        env={"SSH_CONNECTION": "192.0.2.30 50000 192.0.2.10 22", "PATH": "/usr/bin:/bin:/sbin"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(process.stdout)["ssh_from"] == "192.0.2.30"


def test_the_program_writes_a_file_that_its_check_accepts(tmp_path: Path) -> None:
    """On this machine, as from the stick: with the system's Python only."""
    addresses = detect.collect_facts()["addresses"]
    address = addresses[0]["address"] if addresses else "192.0.2.10"
    net = addresses[0]["network"] if addresses else "192.0.2.0/24"
    file = tmp_path / "site.ini"
    blank = ["-"] if any(disk["blank"] for disk in detect.collect_facts()["disks"]) else []
    lines = ["", address, "h.uz", "1006", "", net, "-", net, "-", *blank, "0", "-", "-", "y"]

    def run_setup(*options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", PLAYBOOKS / "setup", "--lang", "uz", *options, file],
            input=typed,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )

    interrupted = run_setup(typed="\n".join(lines[:5]) + "\n")
    assert interrupted.returncode == 1
    assert not file.exists()
    process = run_setup(typed="\n".join(lines) + "\n")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Serverda nima oʻzgaradi" in process.stdout
    assert run_setup("--check").returncode == 0
    file.write_text(file.read_text("utf-8").replace("site_carriers", "site_cariers"), "utf-8")
    refusal = run_setup("--check")
    assert refusal.returncode == 1
    assert "site_cariers: site.ini da bunday kalit yoʻq; site_carriers bor." in refusal.stdout


def test_a_restore_first_names_the_mistyped_key_groups(tmp_path: Path) -> None:
    """Neither the typed letters nor the right ones are shown."""
    groups = paper_keys.groups("k7gq-2ztv-9xqw-b4nr-m8sy-c3up")
    typed = {"repository": " ".join(["k7gqx", *groups[1:]]), "recovery": "QYQSE ZQGP3"}
    book = tmp_path / "book.yml"
    plays = yaml.safe_load((PLAYBOOKS / "restore.yml").read_text("utf-8"))
    [tasks] = [play["tasks"] for play in plays if play["name"] == "What is to be restored"]
    names = ("Compare the keys with their check letters", "Name the groups that were mistyped")
    steps = [task for task in tasks if task["name"] in names]
    values = {f"restore_{kind}_key": text for kind, text in typed.items()} | {"site_language": "ru"}
    play = {"hosts": "localhost", "gather_facts": False, "vars": values, "tasks": steps}
    book.write_text(json.dumps([play]), "utf-8")
    process = subprocess.run(
        [Path(program.sys.executable).with_name("ansible-playbook"), "-i", "localhost,", book],
        capture_output=True,
        text=True,
        env={
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_FILTER_PLUGINS": str(PLAYBOOKS / "filter_plugins"),
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
        },
    )
    screen_text = " ".join(process.stdout.split())
    assert process.returncode == 2, process.stdout + process.stderr
    assert "В ключе хранилища группа 1 не такая, как на листе." in screen_text
    assert "В ключе секретов букв меньше или больше, чем на листе." in screen_text
    assert "k7gqx" not in screen_text
