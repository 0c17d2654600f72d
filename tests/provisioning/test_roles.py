"""The playbooks' roles: the files they write, the values they refuse, and their documentation."""

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.core.settings import Links, SelfTests, SignIn, load_settings
from tests.rig.rendering import ROLES, render_template, render_variants, run_playbook
from tests.rig.spans import EIGHT_SPANS, ONE_SPAN, OWN_CLOCK, TWO_SPANS

ROLE_NAMES = sorted(folder.name for folder in ROLES.iterdir())
PACKAGE_VARIABLES = [f"{name}_packages" for name in ROLE_NAMES]  # not a choice of the technician
GOOD_VALUES = {
    "bundle_dir": "/media/usb/bundle",
    "site_address": "192.0.2.10",
    "site_name": "hotline.example.uz",
    "site_hotline_number": "1006",
    "site_technicians": ["192.0.2.0/24"],
}


def role_defaults(role: str) -> dict[str, Any]:
    file = ROLES / role / "defaults" / "main.yml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


def refusal_text(folder: Path, **values_given: Any) -> str:
    """Return the role validate's message about these values; "" if all are good.

    All other values are good.
    """
    values = {name: value for role in ROLE_NAMES for name, value in role_defaults(role).items()}
    message_file = folder / "refused"
    values_only = {"name": "validate", "tasks_from": "values.yml"}
    copy_message = {"content": "{{ ansible_failed_result.msg }}", "dest": str(message_file)}
    check_values = {
        "block": [{"ansible.builtin.import_role": values_only}],
        "rescue": [{"ansible.builtin.copy": copy_message}],
    }
    system = {"ansible.builtin.set_fact": {"distribution_release": "trixie", "cacheable": True}}
    run_playbook(folder, [system, check_values], vars=values | GOOD_VALUES | values_given)
    return message_file.read_text("utf-8") if message_file.exists() else ""


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_role_documents_its_variables(role: str) -> None:
    readme = (ROLES / role / "README.md").read_text()
    prefixes = ("site_", f"{role}_") if role == "validate" else (f"{role}_",)
    for name in role_defaults(role):
        if name not in PACKAGE_VARIABLES and not name.startswith("backup_"):
            assert f"`{name}`" in readme, name
            assert name.startswith(prefixes), name


def test_spans_are_configured_as_the_carrier_provides_them(tmp_path: Path) -> None:
    usual, two, own_clock, eight = render_variants(
        tmp_path, "dahdi", "system.conf.j2", [ONE_SPAN, TWO_SPANS, OWN_CLOCK, EIGHT_SPANS]
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


def test_asterisk_does_not_wait_for_name_servers_or_spans(tmp_path: Path) -> None:
    values = {"site_home": "/var/lib/appliance", "dahdi_spans": [{"number": 1}]}
    unit = render_template(tmp_path, "asterisk", "asterisk.service.j2", **values)
    assert 'Environment="RES_OPTIONS=timeout:1 attempts:1"' in unit
    assert "After=network-online.target dahdi-spans.service" in unit
    assert "DeviceAllow=char-dahdi rw" in unit
    spans = render_template(tmp_path, "dahdi", "dahdi-spans.service.j2", **TWO_SPANS)
    assert "modprobe -a wct4xxp\n" in spans
    assert "Before=asterisk.service" in spans


def test_the_box_may_open_phone_connections_to_its_own_front(tmp_path: Path) -> None:
    """Its self-check does so every ten seconds: nginx logs each refusal by address."""
    values = {"site_address": "192.0.2.10", "site_operators": ["192.0.2.64/26"]}
    values |= {"site_name": "hotline.example.uz", "site_browser_phones": True}
    site = render_template(tmp_path, "tls", "site.conf.j2", **values)
    place = site.partition("location = /ws {")[2].partition("}")[0]
    allowed = re.findall(r"(allow|deny) (\S+);", place)
    assert allowed[:2] == [("allow", "127.0.0.0/8"), ("allow", "192.0.2.10")]
    assert allowed[2:] == [("allow", "192.0.2.64/26"), ("deny", "all")]
    assert "auth_request /session;" in place


def test_only_the_jobs_may_use_network_namespaces(tmp_path: Path) -> None:
    values = {"site_home": "/var/lib/appliance", "backup_folders": []}
    units = render_variants(
        tmp_path,
        "services",
        "appliance.service.j2",
        [values | {"item": {"name": name, "text": name}} for name in ("jobs", "web", "pbx")],
    )
    namespaces = [re.findall(r"^RestrictNamespaces=(.+)$", unit, re.MULTILINE) for unit in units]
    assert namespaces == [["user net"], ["yes"], ["yes"]]


def test_links_and_self_tests_are_written_to_the_settings(tmp_path: Path) -> None:
    secret = {"content": "c2VjcmV0"}
    usual = {
        **role_defaults("validate"),
        **GOOD_VALUES,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": [secret] * 4},
        "site_container": True,
    }
    routed = {"ansible_facts": {"machine": "x86_64", "default_ipv4": {"gateway": "192.0.2.1"}}}
    variables = {
        "app_links_gateway": "192.0.2.7",
        "app_links_dns": "example.uz",
        "app_links_internet": "example.uz:443",
        "app_links_rate_url": "https://speed.example.uz/big",
        "app_tests_call_minutes": 30,
        "app_tests_offline_weekday": 0,
    }
    settings_text = {
        "app_settings": '[links]\ngateway = "192.0.2.9"\n\n[self_tests]\ncall_minutes = 5\n'
    }
    files = render_variants(
        tmp_path,
        "app",
        "appliance.toml.j2",
        [usual, usual | routed, usual | variables, usual | settings_text],
    )
    read = []
    for file in files:
        (tmp_path / "appliance.toml").write_text(file)
        settings = load_settings(tmp_path / "appliance.toml")
        read.append((settings.links, settings.self_tests))
    assert read == [
        (Links(), SelfTests(10, 7, 4, 10)),  # there is no router, and no outside host is queried
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
        (Links("192.0.2.9"), SelfTests(5)),  # as sites had to write it in former releases
    ]


def test_each_process_has_a_user_of_its_own(tmp_path: Path) -> None:
    values = {"site_home": "/home", "backup_folders": [], **role_defaults("services")}
    items = [{"name": name, "text": name} for name in ("web", "pbx", "jobs", "replicate")]
    units = render_variants(
        tmp_path, "services", "appliance.service.j2", [values | {"item": item} for item in items]
    )
    users = [re.findall(r"^User=(.+)$", unit, re.MULTILINE) for unit in units]
    assert users == [["appliance-web"], ["appliance-pbx"], ["appliance"], ["appliance"]]
    assert all("Group=appliance\n" in unit for unit in units)  # the processes share the database
    writes = re.findall(r"^ReadWritePaths=(.+)$", units[0], re.MULTILINE)
    assert writes == ["/home/data /home/prompts /run/asterisk/signs"]
    assert all("\nWatchdogSec=60\n" in unit for unit in units)  # a process that hangs is restarted


def test_the_replication_is_started_by_a_request_file(tmp_path: Path) -> None:
    values = {"site_home": "/home", "backup_folders": [], **role_defaults("services")}
    path = render_template(tmp_path, "services", "appliance-replicate.path.j2", **values)
    assert "PathExists=/home/backups/replicate.request\nUnit=appliance-replicate.service\n" in path
    item = {"name": "replicate", "text": "copies"}
    unit = render_template(tmp_path, "services", "appliance.service.j2", **values, item=item)
    assert "\nWants=appliance-replicate.path\n" in unit  # the unit's start also starts the watch


def test_the_settings_of_the_pages_lack_the_password_of_asterisk(tmp_path: Path) -> None:
    secrets = [{"content": base64.b64encode(f"number {n}".encode()).decode()} for n in range(4)]
    usual = {
        **role_defaults("validate"),
        **GOOD_VALUES,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": secrets},
        "site_container": True,
    }
    pages = usual | {"app_for_pages": True}
    full_settings, page_settings = render_variants(
        tmp_path, "app", "appliance.toml.j2", [usual, pages]
    )
    assert [f"number {n}" in full_settings for n in range(4)] == [True] * 4
    assert [f"number {n}" in page_settings for n in range(4)] == [True, False, True, False]
    (tmp_path / "web.toml").write_text(page_settings)
    account = load_settings(tmp_path / "web.toml").without_ami_secret().asterisk.ami_account
    assert account == ("pages", "number 2")


def test_the_rules_of_sign_in_are_written_to_the_settings(tmp_path: Path) -> None:
    secret = {"content": "c2VjcmV0"}
    usual = {
        **role_defaults("validate"),
        **GOOD_VALUES,
        "ansible_facts": {"machine": "x86_64"},
        "app_secrets": {"results": [secret] * 4},
        "site_container": True,
        "site_operators": ["192.0.2.0/24"],
    }
    variables = {"app_sign_in_second_factor": ["operator"], "app_sign_in_lock_minutes": 5}
    settings_text = {"app_settings": "[sign_in]\npin_hours = 1\n"}
    files = render_variants(
        tmp_path, "app", "appliance.toml.j2", [usual, usual | variables, usual | settings_text]
    )
    read = []
    for file in files:
        (tmp_path / "appliance.toml").write_text(file)
        read.append(load_settings(tmp_path / "appliance.toml").sign_in)
    assert read[0] == SignIn(inside=("192.0.2.0/24", "127.0.0.0/8"))
    assert not read[0].requires_second_factor("operator", "192.0.2.7")
    # a private address, but not the workplace's
    assert read[0].requires_second_factor("operator", "10.0.0.7")
    assert read[1].requires_second_factor("operator", "192.0.2.7")
    assert read[1].lock_minutes == 5
    assert read[2] == SignIn(pin_hours=1)  # as sites had to write it in former releases


def make_certificate(folder: Path, name: str, days: int = 90) -> tuple[str, str]:
    """Return the files of a new certificate for that host and of its key."""
    files = (str(folder / f"{name}{days}.pem"), str(folder / f"{name}{days}.key"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
            *("-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-not_before", "20200101000000Z" if days < 0 else "20260101000000Z"),
            *("-not_after", "20210101000000Z" if days < 0 else "20991231000000Z"),
            *("-out", files[0], "-keyout", files[1]),
        ],
        check=True,
        capture_output=True,
    )
    return files


def test_good_values_are_accepted(tmp_path: Path) -> None:
    certificate_file, key = make_certificate(tmp_path, "*.example.uz")
    spans = '[{"number": 1, "crc4": true}, {"number": 2}]'  # as an inventory provides it
    assert (
        refusal_text(tmp_path, dahdi_spans=spans, tls_certificate=certificate_file, tls_key=key)
        == ""
    )


def test_wrong_values_are_named(tmp_path: Path) -> None:
    certificate_file, key = make_certificate(tmp_path, "other.example.uz")
    old_certificate, old_key = make_certificate(tmp_path, "hotline.example.uz", -1)
    message = refusal_text(
        tmp_path,
        tls_certificate=certificate_file,
        tls_key=old_key,
        tls_trunks_certificate=old_certificate,
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
        f"{old_key}: it is not the key of the first certificate in {certificate_file}",
        f"{certificate_file}: it is not a certificate of hotline.example.uz",
        f"{old_certificate}: it has ended on 01.01.2021",
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
        assert wrong in message, message
    assert str(Path(key).name) not in message


def test_the_database_has_one_name_that_never_changes() -> None:
    """An upgrade that used another name would start with an empty database."""
    files = (ROLES / "app" / "templates" / "appliance.toml.j2", ROLES.parent / "upgrade.yml")
    names_by_file = {
        file: set(re.findall(r"\S*/data/[\w.]*", file.read_text("utf-8"))) for file in files
    }
    for names in names_by_file.values():
        assert {Path(name.strip('"')).name for name in names} == {"appliance.db"}


def test_asterisk_has_the_highest_processor_weight(tmp_path: Path) -> None:
    unit = render_template(
        tmp_path, "asterisk", "asterisk.service.j2", site_home="/var/lib/appliance"
    )
    [asterisk_weight] = re.findall(r"^CPUWeight=(\d+)$", unit, re.MULTILINE)
    other_weights = [
        int(weight)
        for role in ROLE_NAMES
        for file in (ROLES / role).glob("templates/*.service.j2")
        for weight in re.findall(r"^CPUWeight=(\d+)$", file.read_text(), re.MULTILINE)
        if role != "asterisk"
    ]
    other_weights += role_defaults("services")["services_processors"].values()
    # 100: systemd's value for a unit without a weight
    assert int(asterisk_weight) >= 10 * max(100, *other_weights)
