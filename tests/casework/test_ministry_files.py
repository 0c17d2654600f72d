"""Signed files exchanged with a ministry without a link: not lost, repeated, forged or skipped."""

import dataclasses
import html
import json

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.box import health
from appliance.casework.ministry import events, files, queue
from appliance.cli import appliance
from appliance.core import clock, outbox, signatures
from appliance.core.refusals import Refused
from appliance.core.settings import Ministry, SettingsError
from appliance.core.settings import load_settings as load_settings
from appliance.models import AuditEntry, Handling, Message, MinistryPackage
from tests.casework.test_ministry_system import (  # noqa: F401
    assert_matches_schema,
    change,
    message_state,
    new,
    uzbek_html,
)


def write_key_pair(file, private: Ed25519PrivateKey) -> None:
    """Write a key pair in the files openssl writes: NAME.pem and NAME.pub."""
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.with_suffix(".pem").write_bytes(
        private.private_bytes(*kinds, serialization.NoEncryption())
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file.with_suffix(".pub").write_bytes(public)


@pytest.fixture
def theirs(tmp_path):
    """The ministry's private key; the public keys of both sides are in the site's folder."""
    private = Ed25519PrivateKey.generate()
    write_key_pair(tmp_path / "theirs", private)
    write_key_pair(tmp_path / "ours", Ed25519PrivateKey.generate())
    return private


@pytest.fixture
def site(settings, tmp_path, theirs):
    keys = {"own_key": str(tmp_path / "ours.pem"), "their_key": str(tmp_path / "theirs.pub")}
    return dataclasses.replace(settings, ministry=Ministry(**keys))


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def write_ministry_file(stick, theirs):
    """Write a signed file of the ministry; returns its path."""

    def write_file(numbered, **content):
        package = {"format": files.PACKAGE_FORMAT, "from": "ministry", "number": numbered} | content
        body = json.dumps(package).encode()
        file = stick / f"ministry-{numbered:06d}.json"
        file.write_bytes(body)
        file.with_name(f"{file.name}.sig").write_bytes(theirs.sign(body))
        return file

    return write_file


def test_waiting_appeals_are_packed_signed_and_stored_until_the_receipt(
    site,
    stick,
    write_ministry_file,
    new,  # noqa: F811
    change,  # noqa: F811
    tmp_path,
) -> None:
    first, second = new(), new()
    change(first)
    [file] = files.export_packages(site, stick, "x")
    body = file.read_bytes()
    signature = (stick / f"{file.name}.sig").read_bytes()
    assert signatures.is_signature_valid(
        body, signature, str(tmp_path / "ours.pub"), "ministry.their_key"
    )
    assert_matches_schema("OurFile", json.loads(body))
    assert [(a["number"], a["version"], a["change"]) for a in json.loads(body)["appeals"]] == [
        (first.number, 1, False),
        (second.number, 1, False),
        (first.number, 2, True),
    ]
    assert message_state(first) == "sent"
    file.unlink()
    assert files.export_packages(site, stick, "x") == [file]  # after the memory stick was lost
    assert file.read_bytes() == body
    change(second)
    assert len(files.export_packages(site, stick, "x")) == 2
    refused = [{"number": second.number, "version": 1, "reason": "why"}]
    answer = {"id": "e1", "number": first.number, "action": "answer", "text": "Javob"}
    receipts = [{"package": 1, "refused": refused}, {"package": 9}]
    package = write_ministry_file(1, receipts=receipts, events=[answer])
    assert_matches_schema("TheirFile", json.loads(package.read_bytes()))
    [imported] = files.import_packages(site, stick, "x")
    assert (imported.receipts, dict(imported.events)) == (1, {"done": 1})
    assert (message_state(first), message_state(second)) == ("acknowledged", "sent")
    assert Message.select().where(Message.trouble_text == "why").get().cause == second.number
    assert Handling.get_by_id(first.id).state == "answered"
    second_file, receipt = files.export_packages(site, stick, "x")
    assert second_file.name == "hotline-000002.json"
    assert json.loads(receipt.read_bytes())["receipts"] == [{"package": 1, "undone": []}]
    assert not MinistryPackage.get(MinistryPackage.number == 1, MinistryPackage.way == "out").body
    assert AuditEntry.select().where(AuditEntry.action == "ministry.import").count() == 1


def test_a_repeated_file_is_harmless_but_a_gap_or_a_different_file_of_its_number_is_refused(
    site,
    write_ministry_file,
    new,  # noqa: F811
) -> None:
    appeal = new()
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    first = write_ministry_file(1, events=[event])
    assert not files.import_packages(site, first, "x")[0].repeated
    assert files.import_packages(site, first, "x")[0].repeated
    third = write_ministry_file(3)
    with pytest.raises(Refused, match="number 2 is missing"):
        files.import_packages(site, third, "x")
    with pytest.raises(Refused, match="another file with the number 1"):
        files.import_packages(site, write_ministry_file(1, events=[event | {"id": "e2"}]), "x")
    write_ministry_file(1, events=[event])
    write_ministry_file(2, events=[event])
    packages = files.import_packages(site, third.parent, "x")
    assert [(package.number, package.repeated) for package in packages] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    assert packages[1].events["again"] == 1
    assert Handling.get_by_id(appeal.id).version == 2


def test_the_ministry_receives_receipts_and_the_events_that_were_not_applied(
    site,
    stick,
    write_ministry_file,
    new,  # noqa: F811
) -> None:
    appeal = new()
    files.export_packages(site, stick, "x")
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    stray = {"id": "e2", "number": "2026-999999", "action": "answer", "text": "Kimga?"}
    write_ministry_file(
        1, receipts=[{"package": 1}], events=[event, stray, {"number": appeal.number}]
    )
    files.import_packages(site, stick, "x")
    [file] = files.export_packages(site, stick, "x")  # although no appeal is waiting
    ours = json.loads(file.read_bytes())
    assert_matches_schema("OurFile", ours)
    assert (ours["number"], ours["appeals"], ours["expects"]) == (2, [], 2)
    [receipt] = ours["receipts"]
    unnamed = next(e.id for e in events.unprocessed_events() if e.outcome == "no_sense")
    assert receipt == {
        "package": 1,
        "undone": [
            {"id": "e2", "number": "2026-999999", "outcome": "unknown"},
            {"id": unnamed, "number": appeal.number, "outcome": "no_sense"},
        ],
    }
    # exported once, and again until a receipt for it arrives
    assert files.export_packages(site, stick, "x") == [file]
    write_ministry_file(2, receipts=[{"package": 2}])
    files.import_packages(site, stick, "x")
    assert not files.export_packages(site, stick, "x")  # receipts for receipts would never end
    new()
    [file] = files.export_packages(site, stick, "x")
    assert json.loads(file.read_bytes())["receipts"] == [{"package": 2, "undone": []}]
    assert_matches_schema("OurFile", json.loads(file.read_bytes()))


def test_files_are_imported_in_the_order_of_their_numbers_with_or_without_leading_zeros(
    site, stick, write_ministry_file
) -> None:
    for number in range(1, 13):
        file = write_ministry_file(number)
        for written_file in (file, file.with_name(f"{file.name}.sig")):
            written_file.rename(
                written_file.with_name(written_file.name.replace(f"{number:06d}", str(number)))
            )
    assert [package.number for package in files.import_packages(site, stick, "x")] == list(
        range(1, 13)
    )


def test_a_refusal_of_an_appeal_that_was_not_sent_is_listed_and_acknowledges_nothing(
    site,
    stick,
    write_ministry_file,
    new,  # noqa: F811
    app,
    login_as,
) -> None:
    app.config["SITE"] = site
    appeal, second = new(), new()
    files.export_packages(site, stick, "x")
    refused = [
        {"number": appeal.number, "version": 7, "reason": "no direction"},
        {"number": "2026-999999", "version": 1, "reason": "who?"},
    ]
    strange = {"number": "\ud800", "version": 1, "reason": "\ud800"}
    unknown = {"package": 9, "refused": [*refused[1:], strange]}
    event = {"number": "\ud800", "text": "\ud800"}
    write_ministry_file(
        1, receipts=[{"package": 1, "refused": refused}, unknown, unknown], events=[event]
    )
    [package] = files.import_packages(site, stick, "x")
    assert (package.receipts, package.events) == (1, {"not_sent": 6, "no_sense": 1})
    assert (message_state(appeal), message_state(second)) == ("refused", "acknowledged")
    assert queue.latest_message(appeal).trouble_text == "no direction"
    listed = [(e.number, e.text) for e in events.unprocessed_events() if e.outcome == "not_sent"]
    who = ("2026-999999", "who?")
    assert sorted(listed) == sorted(
        [(appeal.number, "no direction"), who, who, who, ("?", "?"), ("?", "?")]
    )
    advice = uzbek_html("The file did not contain that: ask the ministry's technician.")
    assert html.unescape(advice) in html.unescape(login_as("technician").get("/ministry").text)
    [ours] = files.export_packages(site, stick, "x")
    receipt = json.loads(ours.read_bytes())["receipts"][0]
    numbers = [appeal.number, *["2026-999999"] * 2, "?", "2026-999999", "?"]
    assert [u["number"] for u in receipt["undone"] if u["outcome"] == "not_sent"] == numbers
    assert_matches_schema("OurFile", json.loads(ours.read_bytes()))


def test_an_event_in_the_same_file_overrides_the_receipt(
    site,
    stick,
    write_ministry_file,
    new,  # noqa: F811
) -> None:
    appeal, second = new(), new()
    files.export_packages(site, stick, "x")
    refused = [{"number": appeal.number, "version": 1, "reason": "why"}]
    acknowledgement = {"id": "e1", "number": appeal.number, "action": "acknowledged", "version": 1}
    refusal = {"id": "e2", "number": second.number, "action": "refused", "version": 1, "text": "no"}
    write_ministry_file(
        1, receipts=[{"package": 1, "refused": refused}], events=[acknowledgement, refusal]
    )
    files.import_packages(site, stick, "x")
    assert (message_state(appeal), message_state(second)) == ("acknowledged", "refused")
    assert not events.unprocessed_events()


def test_after_a_restore_the_ministry_is_notified_of_skipped_and_missing_numbers(
    site,
    stick,
    write_ministry_file,
    new,  # noqa: F811
    app,
    login_as,
) -> None:
    app.config["SITE"] = site
    new()
    files.export_packages(site, stick, "x")
    write_ministry_file(1, receipts=[{"package": 1}])
    files.import_packages(site, stick, "x")
    MinistryPackage.create(way="skip", number=1, sha256="", at=clock.now())
    [file] = files.export_packages(site, stick, "x")
    assert (file.name, json.loads(file.read_bytes())["restored"]) == ("hotline-000002.json", True)
    write_ministry_file(2, receipts=[{"package": 2}])
    files.import_packages(site, stick, "x")
    MinistryPackage.create(way="skip", number=101, sha256="", at=clock.now())
    page = login_as("technician").get("/ministry").text
    assert uzbek_html("Skipped after a restore") in page
    [file] = files.export_packages(site, stick, "x")  # although nothing is waiting
    ours = json.loads(file.read_bytes())
    assert_matches_schema("OurFile", ours)
    assert (file.name, ours["number"], ours["expects"]) == ("hotline-000102.json", 102, 3)
    assert ours["restored"] is True
    new()
    _, appeal_file = files.export_packages(site, stick, "x")
    assert "restored" not in json.loads(appeal_file.read_bytes())
    assert appeal_file.name == "hotline-000103.json"


@pytest.mark.parametrize("fault", ["body", "signature", "other key", "no signature", "ours"])
def test_a_file_not_signed_by_the_ministry_is_not_imported(
    site,
    stick,
    write_ministry_file,
    fault,
    new,  # noqa: F811
) -> None:
    appeal = new()
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    file = write_ministry_file(1, events=[event])
    signature = stick / f"{file.name}.sig"
    match fault:
        case "body":
            file.write_bytes(file.read_bytes().replace(b"Javob", b"Boshqa"))
        case "signature":
            signature.write_bytes(b"\0" * 64)
        case "other key":
            signature.write_bytes(Ed25519PrivateKey.generate().sign(file.read_bytes()))
        case "no signature":
            signature.unlink()
        case "ours":
            [file] = files.export_packages(site, stick, "x")
    with pytest.raises(Refused):
        files.import_packages(site, file, "x")
    assert Handling.get_by_id(appeal.id).state == "registered"
    assert not MinistryPackage.select().where(MinistryPackage.way == "in").exists()


@pytest.mark.parametrize(
    "what",
    [
        {"number": "1"},
        {"number": 0},
        {"format": "hotline-ministry/9"},
        {"from": "hotline"},
        {"receipts": [{"refused": []}]},
        {"receipts": [{"package": 1, "refused": [{"number": 5, "version": 1}]}]},
        {"receipts": 7},
        {"events": 7},
    ],
)
def test_a_signed_file_that_violates_the_schema_is_refused_entirely(
    site, write_ministry_file, what
) -> None:
    file = write_ministry_file(1, **{"receipts": [{"package": 1}]} | what)
    with pytest.raises(Refused, match="not as described"):
        files.import_packages(site, file, "x")
    assert not MinistryPackage.select().exists()


def test_a_refused_file_is_shown_on_the_page_until_it_is_imported(
    site, stick, write_ministry_file, app, login_as
):
    app.config["SITE"] = site

    def page_text() -> str:
        return html.unescape(login_as("technician").get("/ministry").text)

    def file_checks() -> list[tuple[str, str, dict[str, str]]]:
        all_checks = health.ministry.check_ministry_link(site)
        return [(c.code, c.state, dict(c.values)) for c in all_checks if c.code == "ministry.file"]

    first = write_ministry_file(1)
    signature = stick / f"{first.name}.sig"
    signed = signature.read_bytes()
    signature.write_bytes(bytes(64))
    with pytest.raises(Refused):
        files.import_packages(site, stick, "x")
    advice = uzbek_html(
        "The ministry has not signed it, or it was changed on the way: fetch it again."
    )
    assert first.name in page_text()
    assert advice in page_text()
    assert file_checks() == [("ministry.file", "fail", {"file": first.name})]
    second = write_ministry_file(2)
    with pytest.raises(Refused):
        files.import_packages(site, second, "x")
    assert second.name in page_text()
    assert uzbek_html("The previous file is missing: import that one first.") in page_text()
    signature.write_bytes(signed)
    files.import_packages(site, first, "x")
    assert file_checks() == []
    assert first.name not in page_text()
    first.write_bytes(b"{}")
    with pytest.raises(Refused):
        files.import_packages(site, first, "x")
    assert file_checks()
    write_ministry_file(1)
    assert [package.repeated for package in files.import_packages(site, first, "x")] == [True]
    assert file_checks() == []


def test_without_a_valid_key_nothing_is_packed(site, stick, new, tmp_path) -> None:  # noqa: F811
    appeal = new()
    for own_key in ("", str(tmp_path / "nowhere"), str(tmp_path / "theirs.pub")):
        ministry_settings = dataclasses.replace(site.ministry, own_key=own_key)
        with pytest.raises(signatures.SigningKeyError, match=r"ministry\.own_key"):
            files.export_packages(dataclasses.replace(site, ministry=ministry_settings), stick, "x")
    assert message_state(appeal) == "queued"


def test_an_appeal_with_a_missing_code_is_listed_and_the_rest_is_packed(site, stick, new) -> None:  # noqa: F811
    codes = {"direction": {"employment": "101"}}
    ministry_settings = dataclasses.replace(site.ministry, codes=codes)
    with_code, without_code = (
        new(direction="Ishga joylashish uchun"),
        new(direction="Boshqa masalalar"),
    )
    site_with_codes = dataclasses.replace(site, ministry=ministry_settings)
    [file] = files.export_packages(site_with_codes, stick, "x")
    assert [a["number"] for a in json.loads(file.read_bytes())["appeals"]] == [with_code.number]
    assert message_state(without_code) == "refused"
    codes["direction"]["other"] = "199"
    outbox.requeue_message(queue.latest_message(without_code))
    assert len(files.export_packages(site_with_codes, stick, "x")) == 2


def test_the_commands_export_and_import_files(
    settings,
    theirs,
    stick,
    write_ministry_file,
    tmp_path,
    new,  # noqa: F811
    app,
    login_as,
) -> None:
    config = tmp_path / "site.toml"

    def run_ministry_command(*words):
        return CliRunner().invoke(appliance, ["--config", str(config), "ministry", *words])

    assert "no [ministry] part" in run_ministry_command("export", str(stick)).output
    config.write_text(
        config.read_text() + '\n[ministry]\nown_key = "ours.pem"\ntheir_key = "theirs.pub"\n'
    )
    appeal = new()
    result = run_ministry_command("export", str(stick))
    assert (result.exit_code, result.output.strip()) == (0, str(stick / "hotline-000001.json"))
    package = write_ministry_file(1, receipts=[{"package": 1}])
    assert run_ministry_command("import", str(package)).output == "1: 1 receipts; events: none\n"
    assert run_ministry_command("import", str(stick)).output == "1: taken before\n"
    write_ministry_file(3)
    result = run_ministry_command("import", str(stick))
    assert result.exit_code == 1
    assert "number 2 is missing" in result.output
    assert message_state(appeal) == "acknowledged"
    app.config["SITE"] = load_settings(config)
    assert uzbek_html("To the ministry") in login_as("technician").get("/ministry").text


def test_a_mistyped_setting_is_refused(settings, tmp_path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(config.read_text() + "\n[ministry]\ncodes = { direction = 5 }\n")
    with pytest.raises(SettingsError, match="codes"):
        load_settings(config)
