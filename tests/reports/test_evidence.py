"""Evidence packs: their content, their verification by the real openssl, and who may get one."""

import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypdf import PdfReader

from appliance.casework.appeals import personal
from appliance.casework.appeals.desk import current_desk
from appliance.core import audit, clock, db, signatures
from appliance.core import settings as site_settings
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, EventRow, Recording, User
from appliance.pbx import ledger
from appliance.reports import evidence
from appliance.reports.evidence import packs, printing
from appliance.telephony import recordings
from appliance.telephony.recordings import postprocessing
from provisioning.local.settings_file import scratch_settings
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import Citizen

CALL_ID = "hotline-1.1"
REASON = "Sud soʻrovi № 12"


@dataclass(frozen=True)
class SignedPack:
    """A finished pack, and the site's data at that time."""

    file: Path
    public_key: str
    pack: packs.EvidencePack
    number: str
    surname: str
    hashes: frozenset[str]


def signing_site(folder: Path) -> Settings:
    """Return a site with a signing key."""
    signatures.create_key_pair(folder / "audit.key", folder / "audit.pub")
    file = folder / "site.toml"
    keys = {"key": folder / "audit.key", "public_key": folder / "audit.pub"}
    file.write_text(
        scratch_settings() + "\n[audit]\n" + "".join(f'{k} = "{v}"\n' for k, v in keys.items())
    )
    return site_settings.load_settings(file)


def register_recorded_call(settings: Settings) -> Appeal:
    """Register an appeal from a recorded call."""
    nilufar = User.get(User.login == "nilufar")
    citizen = Citizen(CALL_ID)
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, clock.now())
    assert desk
    registration = create_appeal(settings, nilufar, FULL_FORM, token=desk.token)
    citizen.hang_up()
    settings.paths.recordings.mkdir(exist_ok=True)
    with wave.open(str(settings.paths.recordings / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x10" * 16000)
    Recording.create(file="a.wav", call_id=CALL_ID, begun_at=clock.now())
    EventRow.create(
        hash="h1", linkedid=CALL_ID, at=clock.now(), event="CHAN_START", fields={"a": 1}
    )
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    return Appeal.get_by_id(registration.id)


@pytest.fixture(scope="module")
def signed_pack(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> SignedPack:
    """A pack of that call, requested by the manager after a supervisor listened to it."""
    folder = tmp_path_factory.mktemp("site")
    settings = signing_site(folder)
    shutil.copy(peopled, settings.paths.database)
    db.open_database(settings.paths.database)
    appeal = register_recorded_call(settings)
    recordings.begin_listening(User.get(User.role == "supervisor"), CALL_ID, "Sifat")
    audit.record_entry(
        "dilnoza", "appeal.list", "", appeal=[appeal.number, "2026-000777"], page="p"
    )
    evidence.request_pack(settings, manager(), CALL_ID, "", REASON)
    assert evidence.make_requested_packs(settings) == "evidence pack 1 made"
    pack = packs.EvidencePack.get()
    file = evidence.pack_file(settings, pack)
    assert file
    hashes = frozenset(row.hash for row in AuditEntry.select())
    db.database.close()
    return SignedPack(file, settings.audit.public_key, pack, appeal.number, appeal.surname, hashes)


@pytest.fixture
def court(signed_pack: SignedPack, tmp_path: Path) -> Path:
    """The folder into which a recipient has unpacked the pack."""
    with zipfile.ZipFile(signed_pack.file) as opened:
        opened.extractall(tmp_path / "court")
    return tmp_path / "court"


@pytest.fixture
def signing(settings: Settings, tmp_path: Path) -> Settings:
    """The site of the tests with a signing key."""
    return signing_site(tmp_path)


@pytest.fixture
def appeal(signing: Settings) -> Appeal:
    return register_recorded_call(signing)


def manager() -> User:
    return User.get(User.role == "manager")


def verify_signature(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command printed in the pack, to the letter."""
    return subprocess.run(
        printing.VERIFY_COMMANDS[1].split(), cwd=folder, capture_output=True, text=True
    )


def verify_hashes(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        printing.VERIFY_COMMANDS[2].split(), cwd=folder, capture_output=True, text=True
    )


def test_openssl_verifies_a_pack_anywhere(court) -> None:
    result = verify_signature(court)
    assert (result.returncode, result.stdout.strip()) == (0, "Signature Verified Successfully")
    summed = verify_hashes(court)
    assert summed.returncode == 0, summed.stdout + summed.stderr
    files = [file for file in court.rglob("*") if file.is_file()]
    assert len(summed.stdout.splitlines()) == len(files) - 2  # all except manifest and signature
    printed = subprocess.run(
        ["sh", "-c", printing.VERIFY_COMMANDS[3]], cwd=court, capture_output=True, text=True
    )
    pages = PdfReader(court / "how-to-verify.pdf").pages
    assert len(pages) == 1
    text = pages[0].extract_text()
    assert printed.stdout.split()[-1] in text.replace("\n", "")
    assert "qanday tekshiriladi" in text
    assert "как проверить" in text


def test_a_changed_byte_is_detected(court) -> None:
    sound = court / "recordings" / "01.wav"
    changed = bytearray(sound.read_bytes())
    changed[100] ^= 1
    sound.write_bytes(changed)
    summed = verify_hashes(court)
    assert (summed.returncode, verify_signature(court).returncode) == (1, 0)
    assert "recordings/01.wav: FAILED" in summed.stdout
    manifest = court / "manifest.sha256"
    fresh = f"{hashlib.sha256(changed).hexdigest()}  recordings/01.wav"
    lines = manifest.read_text().splitlines()
    manifest.write_text("".join(f"{fresh if 'recordings/' in line else line}\n" for line in lines))
    assert verify_hashes(court).returncode == 0
    assert verify_signature(court).returncode == 1  # new hashes cannot be signed without the key


def test_a_pack_contains_call_appeal_forms_and_audit(court, signed_pack) -> None:
    head = json.loads((court / "pack.json").read_text())
    assert (head["asked_by"], head["reason"]) == (signed_pack.pack.by, REASON)
    assert (head["call"], head["appeals"]) == (CALL_ID, [signed_pack.number])
    [recording] = head["recordings"]
    sound = (court / recording["name"]).read_bytes()
    assert recording["sha256_when_measured"] == hashlib.sha256(sound).hexdigest()
    assert json.loads((court / "call" / "call.json").read_text())["id"] == CALL_ID
    assert json.loads((court / "call" / "events.jsonl").read_text())["hash"] == "h1"
    form = json.loads((court / "appeals" / f"{signed_pack.number}.json").read_text())
    assert form["fields"]["surname"]["text"]["uz"] == signed_pack.surname
    assert set(form["fields"]["surname"]["label"]) == {"uz", "ru"}
    assert list((court / "forms").glob("1-v*.json"))
    rows = [json.loads(line) for line in (court / "audit.jsonl").read_text().splitlines()]
    listened = next(row for row in rows if row["action"] == "recording.listen")
    assert listened["detail"] == {"reason": "Sifat"}
    assert {row["hash"] for row in rows} <= signed_pack.hashes


@pytest.mark.parametrize(
    ("language", "words"), [("uz", "Ovozli yozuvlar"), ("ru", "Записи разговоров")]
)
def test_a_pack_has_a_readable_summary(court, signed_pack, language, words) -> None:
    pages = PdfReader(court / f"evidence.{language}.pdf").pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    assert words in text
    assert signed_pack.surname in text
    assert REASON in text


def test_a_list_in_the_audit_names_no_other_appeal(court) -> None:
    audit_text = (court / "audit.jsonl").read_text()
    assert "appeal.list" in audit_text
    assert "2026-000777" not in audit_text


def test_verification_reports_every_change(signed_pack, tmp_path) -> None:
    verdict = evidence.verify_pack(signed_pack.file, signed_pack.public_key)
    assert (verdict.is_valid, verdict.is_signed, verdict.is_signed_by_site) == (True, True, True)
    assert not evidence.verify_pack(signed_pack.file, "").is_valid
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(signed_pack.file) as original, zipfile.ZipFile(spoilt, "w") as out:
        for name in original.namelist():
            if name != "call/events.jsonl":
                out.writestr(name, b"{}" if name == "audit.jsonl" else original.read(name))
        out.writestr("more.txt", "more")
    forged_verdict = evidence.verify_pack(spoilt, signed_pack.public_key)
    assert (forged_verdict.is_valid, forged_verdict.is_signed, forged_verdict.changed) == (
        False,
        True,
        ["audit.jsonl"],
    )
    assert (forged_verdict.missing, forged_verdict.added) == (["call/events.jsonl"], ["more.txt"])
    signatures.create_key_pair(tmp_path / "other.key", tmp_path / "other.pub")
    stranger = evidence.verify_pack(signed_pack.file, str(tmp_path / "other.pub"))
    assert (stranger.is_valid, stranger.is_signed, stranger.is_signed_by_site) == (
        False,
        True,
        False,
    )
    with pytest.raises(ValueError, match="no evidence pack"):
        evidence.verify_pack(tmp_path / "other.pub", "")


def test_no_byte_of_the_content_may_change(signed_pack, tmp_path) -> None:
    """Sixty bytes of the file, changed one after the other."""
    pack_bytes, spoilt_file = signed_pack.file.read_bytes(), tmp_path / "spoilt.zip"
    with zipfile.ZipFile(signed_pack.file) as pack:
        contents = [pack.read(name) for name in pack.namelist()]
    for place in range(0, len(pack_bytes), len(pack_bytes) // 60):
        spoilt = bytearray(pack_bytes)
        spoilt[place] ^= 0x41
        spoilt_file.write_bytes(spoilt)
        try:
            verdict = evidence.verify_pack(spoilt_file, signed_pack.public_key)
        except (ValueError, OSError, EOFError):
            continue
        if verdict.is_valid:  # the changed byte was not content: a date, for example
            with zipfile.ZipFile(spoilt_file) as pack:
                assert [pack.read(name) for name in pack.namelist()] == contents


def test_only_permitted_people_may_request_a_pack(
    signing, appeal, nilufar, dilnoza, bahodir
) -> None:
    for user in (nilufar, dilnoza, bahodir):  # the last one may not listen to recordings yet
        assert not evidence.can_make_packs(user)
        with pytest.raises(PermissionError):
            evidence.request_pack(signing, user, CALL_ID, "", REASON)
    recordings.set_personal_right(bahodir, True, "manager")
    assert evidence.request_pack(signing, bahodir, "", appeal.number, REASON).by == bahodir.login
    with pytest.raises(LookupError):
        evidence.request_pack(signing, manager(), "no-such-call", "", REASON)
    with pytest.raises(Refused, match="reason"):
        evidence.request_pack(signing, manager(), CALL_ID, "", "  x ")


def test_a_personal_appeal_must_be_revealed_first(signing, appeal) -> None:
    Appeal.update(openness=personal.PERSONAL).execute()
    for about in ((CALL_ID, ""), ("", appeal.number)):
        with pytest.raises(Refused, match="closed"):
            evidence.request_pack(signing, manager(), *about, REASON)
    personal.reveal_appeal(manager(), Appeal.get(), "Prokuratura soʻrovi")
    assert evidence.request_pack(signing, manager(), CALL_ID, "", REASON).state == "asked"


def test_without_a_key_a_request_is_refused(settings, appeal) -> None:
    bare = settings
    assert not bare.audit.key
    with pytest.raises(Refused, match="key"):
        evidence.request_pack(bare, manager(), CALL_ID, "", REASON)


def test_a_pack_is_removed_and_its_hash_stays(signing, appeal, monkeypatch) -> None:
    evidence.request_pack(signing, manager(), "", appeal.number, REASON)
    evidence.make_requested_packs(signing)
    pack = packs.EvidencePack.get()
    file = evidence.pack_file(signing, pack)
    assert file
    later = clock.now() + evidence.RETENTION_PERIOD + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert evidence.make_requested_packs(signing) == "evidence pack 1 removed"
    assert not file.exists()
    gone = packs.EvidencePack.get()
    assert (gone.state, gone.sha256) == ("gone", pack.sha256)
    assert evidence.pack_file(signing, gone) is None
    actions = [row.action for row in AuditEntry.select() if row.action.startswith("evidence.")]
    assert actions == ["evidence.ask", "evidence.make", "evidence.remove"]


def test_a_pack_removed_while_it_is_made_leaves_no_file(signing, appeal, monkeypatch) -> None:
    """Its citizen is masked in that time: the pack would still contain their data."""
    pack = packs.queue_pack(CALL_ID, "", "cli", REASON)
    write_pack = packs._write_pack

    def write_and_remove(*arguments) -> None:
        write_pack(*arguments)
        evidence.remove_pack(signing, pack, "sherzod")

    monkeypatch.setattr(packs, "_write_pack", write_and_remove)
    assert evidence.make_requested_packs(signing) == ""
    assert packs.EvidencePack.get().state == "gone"
    assert not list(packs.packs_folder(signing).iterdir())


def test_a_pack_that_cannot_be_signed_is_not_made(signing, appeal) -> None:
    packs.queue_pack(CALL_ID, "", "cli", REASON)
    Path(signing.audit.public_key).write_bytes(b"")
    assert evidence.make_requested_packs(signing) == ""
    [failed] = packs.EvidencePack.select()
    assert (failed.state, "audit.public_key" in failed.error) == ("failed", True)
    assert not list(packs.packs_folder(signing).iterdir())
    assert evidence.newest_request_time() is None


def test_a_pack_that_two_processes_make_at_once_is_whole(signing, appeal) -> None:
    """The command makes the pack that it queued; the jobs see the same row."""
    pack = packs.queue_pack(CALL_ID, "", "cli", REASON)
    db.database.close()
    script = (
        "from pathlib import Path; import sys\n"
        "from appliance.core import db, settings\n"
        "from appliance.reports.evidence import packs\n"
        "site = settings.load_settings(Path(sys.argv[1]))\n"
        "db.open_database(site.paths.database)\n"
        "pack = packs.EvidencePack.get_by_id(int(sys.argv[2]))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(packs.make_pack(site, pack).sha256)\n"
    )
    command = [sys.executable, "-c", script, str(signing.file), str(pack.id)]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as jobs,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as cli,
    ):
        makers = (jobs, cli)
        for maker in makers:
            assert maker.stdout
            assert maker.stdout.readline() == "ready\n"
        for maker in makers:
            assert maker.stdin
            maker.stdin.write("go\n")
            maker.stdin.flush()
        hashes = {maker.communicate(timeout=60)[0].strip() for maker in makers}
    db.open_database(signing.paths.database)
    finished_pack = packs.EvidencePack.get_by_id(pack.id)
    file = evidence.pack_file(signing, finished_pack)
    assert file
    assert hashes == {finished_pack.sha256}
    assert evidence.verify_pack(file, signing.audit.public_key).is_valid
    entries = AuditEntry.select().where(AuditEntry.action == "evidence.make")
    assert entries.count() == 1
