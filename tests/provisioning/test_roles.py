"""The playbooks' roles: what they write, what they refuse, what they tell of themselves."""

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.core.settings import Links, SelfTests, SignIn, load
from tests.rig.rendering import ROLES, play, rendered, rendered_each
from tests.rig.spans import EIGHT, OWN_CLOCK, TWO, USUAL

NAMES = sorted(folder.name for folder in ROLES.iterdir())
PACKAGES = [f"{name}_packages" for name in NAMES]  # no choice of the technician's
GOOD = {
    "bundle_dir": "/media/usb/bundle",
    "site_address": "192.0.2.10",
    "site_name": "hotline.example.uz",
    "site_hotline_number": "1006",
    "site_technicians": ["192.0.2.0/24"],
}


def defaults(role: str) -> dict[str, Any]:
    file = ROLES / role / "defaults" / "main.yml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


def refused(folder: Path, **given: Any) -> str:
    """What the role validate says of these values, besides good ones; "" when all are good."""
    values = {name: value for role in NAMES for name, value in defaults(role).items()}
    told = folder / "refused"
    values_only = {"name": "validate", "tasks_from": "values.yml"}
    kept = {"content": "{{ ansible_failed_result.msg }}", "dest": str(told)}
    looked = {
        "block": [{"ansible.builtin.import_role": values_only}],
        "rescue": [{"ansible.builtin.copy": kept}],
    }
    system = {"ansible.builtin.set_fact": {"distribution_release": "trixie", "cacheable": True}}
    play(folder, [system, looked], vars=values | GOOD | given)
    return told.read_text("utf-8") if told.exists() else ""


@pytest.mark.parametrize("role", NAMES)
def test_a_role_tells_of_itself(role: str) -> None:
    told = (ROLES / role / "README.md").read_text()
    own = ("site_", f"{role}_") if role == "validate" else (f"{role}_",)
    for name in defaults(role):
        if name not in PACKAGES and not name.startswith("backup_"):
            assert f"`{name}`" in told, name
            assert name.startswith(own), name


def test_spans_as_the_carrier_gives_them(tmp_path: Path) -> None:
    usual, two, own_clock, eight = rendered_each(
        tmp_path, "dahdi", "system.conf.j2", [USUAL, TWO, OWN_CLOCK, EIGHT]
    )
    assert usual.splitlines() == [
        "span=1,1,0,ccs,hdb3,crc4",
        "bchan=1-15,17-31",
        "dchan=16",
        "echocanceller=mg2,1-15,17-31",
        "loadzone=ru",
        "defaultzone=ru",
    ]
    assert two.splitlines()[:1] + two.splitlines()[4:8] == [
        "span=1,1,0,ccs,hdb3,crc4",
        "span=2,2,0,ccs,hdb3",
        "bchan=32-46,48-62",
        "dchan=47",
        "echocanceller=mg2,32-46,48-62",
    ]
    assert own_clock.splitlines() == [
        "span=1,0,7,ccs,hdb3",
        "bchan=1-15,17-31",
        "dchan=16",
        "loadzone=us",
        "defaultzone=us",
    ]
    assert "bchan=218-232,234-248\ndchan=233\nechocanceller=jpah,218-232,234-248" in eight


def test_the_exchange_waits_for_no_name_and_no_span(tmp_path: Path) -> None:
    values = {"site_home": "/var/lib/appliance", "dahdi_spans": [{"number": 1}]}
    unit = rendered(tmp_path, "asterisk", "asterisk.service.j2", **values)
    assert 'Environment="RES_OPTIONS=timeout:1 attempts:1"' in unit
    assert "After=network-online.target dahdi-spans.service" in unit
    assert "DeviceAllow=char-dahdi rw" in unit
    spans = rendered(tmp_path, "dahdi", "dahdi-spans.service.j2", **TWO)
    assert "modprobe -a wct4xxp\n" in spans
    assert "Before=asterisk.service" in spans


def test_the_box_may_ask_its_own_front_for_phones(tmp_path: Path) -> None:
    """Its self-check does every ten seconds: nginx logs each refusal by address."""
    values = {"site_address": "192.0.2.10", "site_operators": ["192.0.2.64/26"]}
    values |= {"site_name": "hotline.example.uz", "site_browser_phones": True}
    site = rendered(tmp_path, "tls", "site.conf.j2", **values)
    place = site.partition("location = /ws {")[2].partition("}")[0]
    allowed = re.findall(r"(allow|deny) (\S+);", place)
    assert allowed[:2] == [("allow", "127.0.0.0/8"), ("allow", "192.0.2.10")]
    assert allowed[2:] == [("allow", "192.0.2.64/26"), ("deny", "all")]
    assert "auth_request /session;" in place


def test_only_the_jobs_may_leave_the_network(tmp_path: Path) -> None:
    values = {"site_home": "/var/lib/appliance", "backup_folders": []}
    units = rendered_each(
        tmp_path,
        "services",
        "appliance.service.j2",
        [values | {"item": {"name": name, "text": name}} for name in ("jobs", "web", "pbx")],
    )
    told = [re.findall(r"^RestrictNamespaces=(.+)$", unit, re.MULTILINE) for unit in units]
    assert told == [["user net"], ["yes"], ["yes"]]


def test_what_is_watched_and_tried_stands_in_the_settings(tmp_path: Path) -> None:
    secret = {"content": "c2VjcmV0"}
    usual = {
        **defaults("validate"),
        **GOOD,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": [secret] * 4},
        "site_container": True,
    }
    routed = {"ansible_facts": {"machine": "x86_64", "default_ipv4": {"gateway": "192.0.2.1"}}}
    named = {
        "app_links_gateway": "192.0.2.7",
        "app_links_dns": "example.uz",
        "app_links_internet": "example.uz:443",
        "app_links_rate_url": "https://speed.example.uz/big",
        "app_tests_call_minutes": 30,
        "app_tests_offline_weekday": 0,
    }
    own = {"app_settings": '[links]\ngateway = "192.0.2.9"\n\n[self_tests]\ncall_minutes = 5\n'}
    files = rendered_each(
        tmp_path, "app", "appliance.toml.j2", [usual, usual | routed, usual | named, usual | own]
    )
    read = []
    for file in files:
        (tmp_path / "appliance.toml").write_text(file)
        settings = load(tmp_path / "appliance.toml")
        read.append((settings.links, settings.self_tests))
    assert read == [
        (Links(), SelfTests(10, 7, 4, 10)),  # there is no router, and nobody outside is asked
        (Links("auto"), SelfTests(10, 7, 4, 10)),
        (
            Links(
                "192.0.2.7",
                "example.uz",
                "example.uz:443",
                rate_url="https://speed.example.uz/big",
            ),
            SelfTests(30, 0, 4, 10),
        ),
        (Links("192.0.2.9"), SelfTests(5)),  # as sites had to write it before
    ]


def test_each_process_has_a_user_of_its_own(tmp_path: Path) -> None:
    values = {"site_home": "/home", "backup_folders": [], **defaults("services")}
    items = [{"name": name, "text": name} for name in ("web", "pbx", "jobs", "replicate")]
    units = rendered_each(
        tmp_path, "services", "appliance.service.j2", [values | {"item": item} for item in items]
    )
    users = [re.findall(r"^User=(.+)$", unit, re.MULTILINE) for unit in units]
    assert users == [["appliance-web"], ["appliance-pbx"], ["appliance"], ["appliance"]]
    assert all("Group=appliance\n" in unit for unit in units)  # the database is theirs in common
    writes = re.findall(r"^ReadWritePaths=(.+)$", units[0], re.MULTILINE)
    assert writes == ["/home/data /home/prompts /run/asterisk/signs"]
    assert all("\nWatchdogSec=60\n" in unit for unit in units)  # whatever hangs is restarted


def test_the_copy_is_started_by_request_without_rights(tmp_path: Path) -> None:
    values = {"site_home": "/home", "backup_folders": [], **defaults("services")}
    path = rendered(tmp_path, "services", "appliance-replicate.path.j2", **values)
    assert "PathExists=/home/backups/replicate.request\nUnit=appliance-replicate.service\n" in path
    item = {"name": "replicate", "text": "copies"}
    unit = rendered(tmp_path, "services", "appliance.service.j2", **values, item=item)
    assert "\nWants=appliance-replicate.path\n" in unit  # the unit's start starts the watch


def test_the_pages_settings_lack_the_password_of_the_exchange(tmp_path: Path) -> None:
    secrets = [{"content": base64.b64encode(f"number {n}".encode()).decode()} for n in range(4)]
    usual = {
        **defaults("validate"),
        **GOOD,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": secrets},
        "site_container": True,
    }
    pages = usual | {"app_for_pages": True}
    whole, own = rendered_each(tmp_path, "app", "appliance.toml.j2", [usual, pages])
    assert [f"number {n}" in whole for n in range(4)] == [True] * 4
    assert [f"number {n}" in own for n in range(4)] == [True, False, True, False]
    (tmp_path / "web.toml").write_text(own)
    account = load(tmp_path / "web.toml").for_pages().asterisk.account
    assert account == ("pages", "number 2")


def test_of_whom_a_second_factor_is_asked_stands_in_the_settings(tmp_path: Path) -> None:
    secret = {"content": "c2VjcmV0"}
    usual = {
        **defaults("validate"),
        **GOOD,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": [secret] * 4},
        "site_container": True,
        "site_operators": ["192.0.2.0/24"],
    }
    named = {"app_sign_in_second_factor": ["operator"], "app_sign_in_lock_minutes": 5}
    own = {"app_settings": "[sign_in]\npin_hours = 1\n"}
    files = rendered_each(tmp_path, "app", "appliance.toml.j2", [usual, usual | named, usual | own])
    read = []
    for file in files:
        (tmp_path / "appliance.toml").write_text(file)
        read.append(load(tmp_path / "appliance.toml").sign_in)
    assert read[0] == SignIn(inside=("192.0.2.0/24", "127.0.0.0/8"))
    assert not read[0].asks("operator", "192.0.2.7")
    assert read[0].asks("operator", "10.0.0.7")  # private, and not the workplace's
    assert read[1].asks("operator", "192.0.2.7")
    assert read[1].lock_minutes == 5
    assert read[2] == SignIn(pin_hours=1)  # as sites had to write it before


def certificate(folder: Path, name: str, days: int = 90) -> tuple[str, str]:
    """A certificate of that host and its key."""
    made = (str(folder / f"{name}{days}.pem"), str(folder / f"{name}{days}.key"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
            *("-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-not_before", "20200101000000Z" if days < 0 else "20260101000000Z"),
            *("-not_after", "20210101000000Z" if days < 0 else "20991231000000Z"),
            *("-out", made[0], "-keyout", made[1]),
        ],
        check=True,
        capture_output=True,
    )
    return made


def test_good_values_are_taken(tmp_path: Path) -> None:
    shown, key = certificate(tmp_path, "*.example.uz")
    spans = '[{"number": 1, "crc4": true}, {"number": 2}]'  # as an inventory gives it
    assert refused(tmp_path, dahdi_spans=spans, tls_certificate=shown, tls_key=key) == ""


def test_wrong_values_are_named(tmp_path: Path) -> None:
    shown, key = certificate(tmp_path, "other.example.uz")
    old, old_key = certificate(tmp_path, "hotline.example.uz", -1)
    told = refused(
        tmp_path,
        tls_certificate=shown,
        tls_key=old_key,
        tls_trunks_certificate=old,
        tls_trunks_key=old_key,
        dahdi_spans=[{"number": 1, "crc": True}, {"number": 1, "timing": "carrier"}],
        base_technicians=[{"name": "farhod", "key": "farhod.pub"}],
        services_memory={"web": "lots"},
        app_work_opens="9",
        app_links_internet="https://example.uz",
        app_tests_offline_weekday="sunday",
        app_settings="[telegram]\ntoken = 5\nchat",
        firewall_tries="never",
        operator_proxy_sites="lex.uz",
    )
    for wrong in (
        f"{old_key}: it is not the key of the first certificate in {shown}",
        f"{shown}: it is not a certificate of hotline.example.uz",
        f"{old}: it has ended on 01.01.2021",
        "it has number, crc4, timing, lbo; not crc",
        'timing of the span 1 is "carrier"',
        "no number may stand there twice",
        'The key of farhod is "farhod.pub"',
        'services_memory of web is "lots"',
        'app_work_opens is "9"',
        'app_links_internet is "https://example.uz"',
        'app_tests_offline_weekday is "sunday": 1 Monday to 7 Sunday; 0: never',
        "lines of TOML; Expected '=' after a key",
        'firewall_tries is "never"',
        'operator_proxy_sites is "lex.uz": a list, in brackets',
    ):
        assert wrong in told, told
    assert str(Path(key).name) not in told


def test_the_database_has_one_name_that_never_changes() -> None:
    """An upgrade that looked elsewhere would begin with an empty database."""
    files = (ROLES / "app" / "templates" / "appliance.toml.j2", ROLES.parent / "upgrade.yml")
    named = {file: set(re.findall(r"\S*/data/[\w.]*", file.read_text("utf-8"))) for file in files}
    for names in named.values():
        assert {Path(name.strip('"')).name for name in names} == {"appliance.db"}


def test_of_all_units_asterisk_has_the_processor_first(tmp_path: Path) -> None:
    unit = rendered(tmp_path, "asterisk", "asterisk.service.j2", site_home="/var/lib/appliance")
    [own] = re.findall(r"^CPUWeight=(\d+)$", unit, re.MULTILINE)
    others = [
        int(weight)
        for role in NAMES
        for file in (ROLES / role).glob("templates/*.service.j2")
        for weight in re.findall(r"^CPUWeight=(\d+)$", file.read_text(), re.MULTILINE)
        if role != "asterisk"
    ]
    others += defaults("services")["services_processors"].values()
    assert int(own) >= 10 * max(100, *others)  # 100: of who names none
