"""Signed files to and from a ministry without a link: none is lost, repeated, forged or skipped."""

import dataclasses
import html
import json

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.box import health
from appliance.casework import ministry
from appliance.casework.ministry import files
from appliance.cli import appliance
from appliance.core import clock, outbox, signatures
from appliance.core.settings import Ministry, SettingsError
from appliance.core.settings import load as load_settings
from appliance.messaging import notices
from appliance.models import AuditEntry, Handling, Message, MinistryPackage
from tests.casework.test_ministry_system import change, fits, new, stands, uz  # noqa: F401


def key(file, private: Ed25519PrivateKey) -> None:
    """Write a pair of keys as openssl does: NAME.pem and NAME.pub."""
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
    """The ministry's private key; the public ones of both lie in the site's folder."""
    private = Ed25519PrivateKey.generate()
    key(tmp_path / "theirs", private)
    key(tmp_path / "ours", Ed25519PrivateKey.generate())
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
def told(stick, theirs):
    """The ministry makes a file."""

    def make(numbered, **what):
        package = {"format": files.FORMAT, "from": "ministry", "number": numbered} | what
        body = json.dumps(package).encode()
        file = stick / f"ministry-{numbered:06d}.json"
        file.write_bytes(body)
        file.with_name(f"{file.name}.sig").write_bytes(theirs.sign(body))
        return file

    return make


def test_what_waits_is_packed_signed_and_kept_until_the_receipt(
    site,
    stick,
    told,
    new,  # noqa: F811
    change,  # noqa: F811
    tmp_path,
) -> None:
    first, second = new(), new()
    change(first)
    [file] = files.export(site, stick, "x")
    body = file.read_bytes()
    signature = (stick / f"{file.name}.sig").read_bytes()
    assert signatures.is_signed(body, signature, str(tmp_path / "ours.pub"), "ministry.their_key")
    fits("OurFile", json.loads(body))
    assert [(a["number"], a["version"], a["change"]) for a in json.loads(body)["appeals"]] == [
        (first.number, 1, False),
        (second.number, 1, False),
        (first.number, 2, True),
    ]
    assert stands(first) == "sent"
    file.unlink()
    assert files.export(site, stick, "x") == [file]  # the stick was lost
    assert file.read_bytes() == body
    change(second)
    assert len(files.export(site, stick, "x")) == 2
    refused = [{"number": second.number, "version": 1, "reason": "why"}]
    answer = {"id": "e1", "number": first.number, "action": "answer", "text": "Javob"}
    receipts = [{"package": 1, "refused": refused}, {"package": 9}]
    package = told(1, receipts=receipts, events=[answer])
    fits("TheirFile", json.loads(package.read_bytes()))
    [taken] = files.take(site, stick, "x", notices.answered)
    assert (taken.receipts, dict(taken.events)) == (1, {"done": 1})
    assert (stands(first), stands(second)) == ("acknowledged", "sent")
    assert Message.select().where(Message.trouble_text == "why").get().cause == second.number
    assert Handling.get_by_id(first.id).state == "answered"
    left, receipt = files.export(site, stick, "x")
    assert left.name == "hotline-000002.json"
    assert json.loads(receipt.read_bytes())["receipts"] == [{"package": 1, "undone": []}]
    assert not MinistryPackage.get(MinistryPackage.number == 1, MinistryPackage.way == "out").body
    assert AuditEntry.select().where(AuditEntry.action == "ministry.import").count() == 1


def test_a_repeat_is_harmless_a_gap_and_another_of_the_number_are_refused(
    site,
    told,
    new,  # noqa: F811
) -> None:
    appeal = new()
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    first = told(1, events=[event])
    assert not files.take(site, first, "x", notices.answered)[0].repeated
    assert files.take(site, first, "x", notices.answered)[0].repeated
    third = told(3)
    with pytest.raises(files.PackageError, match="number 2 is missing"):
        files.take(site, third, "x", notices.answered)
    with pytest.raises(files.PackageError, match="another file with the number 1"):
        files.take(site, told(1, events=[event | {"id": "e2"}]), "x", notices.answered)
    told(1, events=[event])
    told(2, events=[event])
    taken = files.take(site, third.parent, "x", notices.answered)
    assert [(one.number, one.repeated) for one in taken] == [(1, True), (2, False), (3, False)]
    assert taken[1].events["again"] == 1
    assert Handling.get_by_id(appeal.id).version == 2


def test_the_ministry_is_told_what_arrived_and_what_was_not_done(
    site,
    stick,
    told,
    new,  # noqa: F811
) -> None:
    appeal = new()
    files.export(site, stick, "x")
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    stray = {"id": "e2", "number": "2026-999999", "action": "answer", "text": "Kimga?"}
    told(1, receipts=[{"package": 1}], events=[event, stray, {"number": appeal.number}])
    files.take(site, stick, "x", notices.answered)
    [file] = files.export(site, stick, "x")  # though no appeal waits
    ours = json.loads(file.read_bytes())
    fits("OurFile", ours)
    assert (ours["number"], ours["appeals"], ours["expects"]) == (2, [], 2)
    [receipt] = ours["receipts"]
    unnamed = next(e.id for e in ministry.undone() if e.outcome == "no_sense")
    assert receipt == {
        "package": 1,
        "undone": [
            {"id": "e2", "number": "2026-999999", "outcome": "unknown"},
            {"id": unnamed, "number": appeal.number, "outcome": "no_sense"},
        ],
    }
    assert files.export(site, stick, "x") == [file]  # once, and until it is receipted
    told(2, receipts=[{"package": 2}])
    files.take(site, stick, "x", notices.answered)
    assert not files.export(site, stick, "x")  # a receipt for a receipt would have no end
    new()
    [file] = files.export(site, stick, "x")
    assert json.loads(file.read_bytes())["receipts"] == [{"package": 2, "undone": []}]
    fits("OurFile", json.loads(file.read_bytes()))


def test_files_are_taken_in_the_order_of_their_numbers_however_they_are_written(
    site, stick, told
) -> None:
    for number in range(1, 13):
        file = told(number)
        for one in (file, file.with_name(f"{file.name}.sig")):
            one.rename(one.with_name(one.name.replace(f"{number:06d}", str(number))))
    assert [taken.number for taken in files.take(site, stick, "x", notices.answered)] == list(
        range(1, 13)
    )


def test_a_refusal_of_what_did_not_go_is_listed_and_acknowledges_nothing(
    site,
    stick,
    told,
    new,  # noqa: F811
    app,
    login_as,
) -> None:
    app.config["SITE"] = site
    appeal, other = new(), new()
    files.export(site, stick, "x")
    refused = [
        {"number": appeal.number, "version": 7, "reason": "no direction"},
        {"number": "2026-999999", "version": 1, "reason": "who?"},
    ]
    strange = {"number": "\ud800", "version": 1, "reason": "\ud800"}
    unknown = {"package": 9, "refused": [*refused[1:], strange]}
    event = {"number": "\ud800", "text": "\ud800"}
    told(1, receipts=[{"package": 1, "refused": refused}, unknown, unknown], events=[event])
    [taken] = files.take(site, stick, "x", notices.answered)
    assert (taken.receipts, taken.events) == (1, {"not_sent": 6, "no_sense": 1})
    assert (stands(appeal), stands(other)) == ("refused", "acknowledged")
    assert ministry.of_appeal(appeal).trouble_text == "no direction"
    listed = [(e.number, e.text) for e in ministry.undone() if e.outcome == "not_sent"]
    who = ("2026-999999", "who?")
    assert sorted(listed) == sorted(
        [(appeal.number, "no direction"), who, who, who, ("?", "?"), ("?", "?")]
    )
    advice = uz("The file did not hold that: ask the ministry's technician.")
    assert html.unescape(advice) in html.unescape(login_as("technician").get("/ministry").text)
    [ours] = files.export(site, stick, "x")
    receipt = json.loads(ours.read_bytes())["receipts"][0]
    numbers = [appeal.number, *["2026-999999"] * 2, "?", "2026-999999", "?"]
    assert [u["number"] for u in receipt["undone"] if u["outcome"] == "not_sent"] == numbers
    fits("OurFile", json.loads(ours.read_bytes()))


def test_an_event_beside_the_receipt_has_the_last_word(
    site,
    stick,
    told,
    new,  # noqa: F811
) -> None:
    appeal, other = new(), new()
    files.export(site, stick, "x")
    refused = [{"number": appeal.number, "version": 1, "reason": "why"}]
    after = {"id": "e1", "number": appeal.number, "action": "acknowledged", "version": 1}
    later = {"id": "e2", "number": other.number, "action": "refused", "version": 1, "text": "no"}
    told(1, receipts=[{"package": 1, "refused": refused}], events=[after, later])
    files.take(site, stick, "x", notices.answered)
    assert (stands(appeal), stands(other)) == ("acknowledged", "refused")
    assert not ministry.undone()


def test_after_a_restore_the_ministry_is_told_what_never_comes_and_what_is_missing(
    site,
    stick,
    told,
    new,  # noqa: F811
    app,
    login_as,
) -> None:
    app.config["SITE"] = site
    new()
    files.export(site, stick, "x")
    told(1, receipts=[{"package": 1}])
    files.take(site, stick, "x", notices.answered)
    MinistryPackage.create(way="skip", number=1, sha256="", at=clock.now())
    [file] = files.export(site, stick, "x")
    assert (file.name, json.loads(file.read_bytes())["restored"]) == ("hotline-000002.json", True)
    told(2, receipts=[{"package": 2}])
    files.take(site, stick, "x", notices.answered)
    MinistryPackage.create(way="skip", number=101, sha256="", at=clock.now())
    page = login_as("technician").get("/ministry").text
    assert uz("Left out after a restore") in page
    [file] = files.export(site, stick, "x")  # though nothing waits
    ours = json.loads(file.read_bytes())
    fits("OurFile", ours)
    assert (file.name, ours["number"], ours["expects"]) == ("hotline-000102.json", 102, 3)
    assert ours["restored"] is True
    new()
    _, after = files.export(site, stick, "x")
    assert "restored" not in json.loads(after.read_bytes())
    assert after.name == "hotline-000103.json"


@pytest.mark.parametrize("fault", ["body", "signature", "other key", "no signature", "ours"])
def test_what_the_ministry_did_not_sign_is_not_taken(
    site,
    stick,
    told,
    fault,
    new,  # noqa: F811
) -> None:
    appeal = new()
    event = {"id": "e1", "number": appeal.number, "action": "answer", "text": "Javob"}
    file = told(1, events=[event])
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
            [file] = files.export(site, stick, "x")
    with pytest.raises(files.PackageError):
        files.take(site, file, "x", notices.answered)
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
def test_a_signed_file_that_is_not_as_described_is_refused_whole(site, told, what) -> None:
    file = told(1, **{"receipts": [{"package": 1}]} | what)
    with pytest.raises(files.PackageError, match="not as described"):
        files.take(site, file, "x", notices.answered)
    assert not MinistryPackage.select().exists()


def test_a_file_that_was_not_taken_stays_on_the_page_until_it_is(site, stick, told, app, login_as):
    app.config["SITE"] = site

    def page() -> str:
        return html.unescape(login_as("technician").get("/ministry").text)

    def checks() -> list[tuple[str, str, dict[str, str]]]:
        found = health.ministry.ministry(site)
        return [(c.code, c.state, dict(c.values)) for c in found if c.code == "ministry.file"]

    first = told(1)
    signature = stick / f"{first.name}.sig"
    signed = signature.read_bytes()
    signature.write_bytes(bytes(64))
    with pytest.raises(files.PackageError):
        files.take(site, stick, "x", notices.answered)
    advice = uz("The ministry has not signed it, or it was changed on the way: get it again.")
    assert first.name in page()
    assert advice in page()
    assert checks() == [("ministry.file", "fail", {"file": first.name})]
    second = told(2)
    with pytest.raises(files.PackageError):
        files.take(site, second, "x", notices.answered)
    assert second.name in page()
    assert uz("The file before it is missing: take that one first.") in page()
    signature.write_bytes(signed)
    files.take(site, first, "x", notices.answered)
    assert checks() == []
    assert first.name not in page()
    first.write_bytes(b"{}")
    with pytest.raises(files.PackageError):
        files.take(site, first, "x", notices.answered)
    assert checks()
    told(1)
    assert [taken.repeated for taken in files.take(site, first, "x", notices.answered)] == [True]
    assert checks() == []


def test_without_a_key_nothing_is_packed(site, stick, new, tmp_path) -> None:  # noqa: F811
    appeal = new()
    for own_key in ("", str(tmp_path / "nowhere"), str(tmp_path / "theirs.pub")):
        mine = dataclasses.replace(site.ministry, own_key=own_key)
        with pytest.raises(signatures.KeyTrouble, match=r"ministry\.own_key"):
            files.export(dataclasses.replace(site, ministry=mine), stick, "x")
    assert stands(appeal) == "queued"


def test_a_code_that_is_missing_is_listed_and_the_rest_goes(site, stick, new) -> None:  # noqa: F811
    codes = {"direction": {"employment": "101"}}
    mine = dataclasses.replace(site.ministry, codes=codes)
    known, missing = new(direction="Ishga joylashish uchun"), new(direction="Boshqa masalalar")
    here = dataclasses.replace(site, ministry=mine)
    [file] = files.export(here, stick, "x")
    assert [a["number"] for a in json.loads(file.read_bytes())["appeals"]] == [known.number]
    assert stands(missing) == "refused"
    codes["direction"]["other"] = "199"
    outbox.try_again(ministry.of_appeal(missing))
    assert len(files.export(here, stick, "x")) == 2


def test_the_commands(settings, theirs, stick, told, tmp_path, new, app, login_as) -> None:  # noqa: F811
    config = tmp_path / "site.toml"

    def run(*words):
        return CliRunner().invoke(appliance, ["--config", str(config), "ministry", *words])

    assert "no [ministry] part" in run("export", str(stick)).output
    config.write_text(
        config.read_text() + '\n[ministry]\nown_key = "ours.pem"\ntheir_key = "theirs.pub"\n'
    )
    appeal = new()
    done = run("export", str(stick))
    assert (done.exit_code, done.output.strip()) == (0, str(stick / "hotline-000001.json"))
    package = told(1, receipts=[{"package": 1}])
    assert run("import", str(package)).output == "1: 1 receipts; events: none\n"
    assert run("import", str(stick)).output == "1: taken before\n"
    told(3)
    done = run("import", str(stick))
    assert done.exit_code == 1
    assert "number 2 is missing" in done.output
    assert stands(appeal) == "acknowledged"
    app.config["SITE"] = load_settings(config)
    assert uz("To the ministry") in login_as("technician").get("/ministry").text


def test_a_mistyped_setting_is_refused(settings, tmp_path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(config.read_text() + "\n[ministry]\ncodes = { direction = 5 }\n")
    with pytest.raises(SettingsError, match="codes"):
        load_settings(config)
