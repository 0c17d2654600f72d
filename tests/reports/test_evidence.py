"""Evidence packs: what is in them, verified by the real openssl, and by whom they may be had."""

import datetime as dt
import hashlib
import json
import shutil
import subprocess
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypdf import PdfReader

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import personal
from appliance.core import audit, clock, db, signatures
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, EventRow, Recording, User
from appliance.pbx import projection
from appliance.reports import evidence
from appliance.reports.evidence import packs, printing
from appliance.telephony import recordings
from appliance.telephony.recordings import postprocessing
from provisioning.local.settings_file import scratch
from tests.casework.test_appeals import FULL
from tests.rig.citizen import Citizen

CALL = "hotline-1.1"
WHY = "Sud soʻrovi № 12"


@dataclass(frozen=True)
class Made:
    """A pack as it was made, and what the site knew then."""

    file: Path
    public_key: str
    pack: packs.Pack
    number: str
    surname: str
    hashes: frozenset[str]


def signing_site(folder: Path) -> Settings:
    """A site with a key to sign with."""
    signatures.make(folder / "audit.key", folder / "audit.pub")
    file = folder / "site.toml"
    keys = {"key": folder / "audit.key", "public_key": folder / "audit.pub"}
    file.write_text(scratch() + "\n[audit]\n" + "".join(f'{k} = "{v}"\n' for k, v in keys.items()))
    return site_settings.load(file)


def registered(settings: Settings) -> Appeal:
    """A call that was recorded, and the appeal that it led to."""
    nilufar = User.get(User.login == "nilufar")
    citizen = Citizen(CALL)
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, clock.now())
    assert desk
    made = appeals.register(
        FULL,
        operator=nilufar,
        token=desk.token,
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    citizen.hang_up()
    settings.paths.recordings.mkdir(exist_ok=True)
    with wave.open(str(settings.paths.recordings / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x10" * 16000)
    Recording.create(file="a.wav", call_id=CALL, begun_at=clock.now())
    EventRow.create(hash="h1", linkedid=CALL, at=clock.now(), event="CHAN_START", fields={"a": 1})
    postprocessing.measure(settings, projection.projector(settings))
    return Appeal.get_by_id(made.id)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Made:
    """A pack of that call that the manager asked for, after a supervisor listened."""
    folder = tmp_path_factory.mktemp("site")
    settings = signing_site(folder)
    shutil.copy(peopled, settings.paths.database)
    db.open_database(settings.paths.database)
    appeal = registered(settings)
    recordings.begin(User.get(User.role == "supervisor"), CALL, "Sifat")
    audit.record("dilnoza", "appeal.list", "", appeal=[appeal.number, "2026-000777"], page="p")
    evidence.ask(settings, manager(), CALL, "", WHY)
    assert evidence.make_asked(settings) == "evidence pack 1 made"
    pack = packs.Pack.get()
    file = evidence.content(settings, pack)
    assert file
    hashes = frozenset(row.hash for row in AuditEntry.select())
    db.database.close()
    return Made(file, settings.audit.public_key, pack, appeal.number, appeal.surname, hashes)


@pytest.fixture
def court(made: Made, tmp_path: Path) -> Path:
    """The folder in which somebody has unpacked it."""
    with zipfile.ZipFile(made.file) as opened:
        opened.extractall(tmp_path / "court")
    return tmp_path / "court"


@pytest.fixture
def signing(settings: Settings, tmp_path: Path) -> Settings:
    """The site of the tests with a key to sign with."""
    return signing_site(tmp_path)


@pytest.fixture
def appeal(signing: Settings) -> Appeal:
    return registered(signing)


def manager() -> User:
    return User.get(User.role == "manager")


def openssl(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command of the page in the pack, to the letter."""
    return subprocess.run(printing.COMMANDS[1].split(), cwd=folder, capture_output=True, text=True)


def sha256sum(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(printing.COMMANDS[2].split(), cwd=folder, capture_output=True, text=True)


def test_openssl_verifies_a_pack_anywhere(court) -> None:
    told = openssl(court)
    assert (told.returncode, told.stdout.strip()) == (0, "Signature Verified Successfully")
    summed = sha256sum(court)
    assert summed.returncode == 0, summed.stdout + summed.stderr
    files = [file for file in court.rglob("*") if file.is_file()]
    assert len(summed.stdout.splitlines()) == len(files) - 2  # all but manifest and signature
    printed = subprocess.run(
        ["sh", "-c", printing.COMMANDS[3]], cwd=court, capture_output=True, text=True
    )
    pages = PdfReader(court / "how-to-verify.pdf").pages
    assert len(pages) == 1
    text = pages[0].extract_text()
    assert printed.stdout.split()[-1] in text.replace("\n", "")
    assert "qanday tekshiriladi" in text
    assert "как проверить" in text


def test_a_changed_byte_shows(court) -> None:
    sound = court / "recordings" / "01.wav"
    changed = bytearray(sound.read_bytes())
    changed[100] ^= 1
    sound.write_bytes(changed)
    summed = sha256sum(court)
    assert (summed.returncode, openssl(court).returncode) == (1, 0)
    assert "recordings/01.wav: FAILED" in summed.stdout
    manifest = court / "manifest.sha256"
    fresh = f"{hashlib.sha256(changed).hexdigest()}  recordings/01.wav"
    lines = manifest.read_text().splitlines()
    manifest.write_text("".join(f"{fresh if 'recordings/' in one else one}\n" for one in lines))
    assert sha256sum(court).returncode == 0
    assert openssl(court).returncode == 1  # whoever makes the hashes fit cannot sign them


def test_what_is_in_a_pack(court, made) -> None:
    head = json.loads((court / "pack.json").read_text())
    assert (head["asked_by"], head["reason"]) == (made.pack.by, WHY)
    assert (head["call"], head["appeals"]) == (CALL, [made.number])
    [heard] = head["recordings"]
    sound = (court / heard["name"]).read_bytes()
    assert heard["sha256_when_measured"] == hashlib.sha256(sound).hexdigest()
    assert json.loads((court / "call" / "call.json").read_text())["id"] == CALL
    assert json.loads((court / "call" / "events.jsonl").read_text())["hash"] == "h1"
    form = json.loads((court / "appeals" / f"{made.number}.json").read_text())
    assert form["fields"]["surname"]["text"]["uz"] == made.surname
    assert set(form["fields"]["surname"]["label"]) == {"uz", "ru"}
    assert list((court / "forms").glob("1-v*.json"))
    rows = [json.loads(line) for line in (court / "audit.jsonl").read_text().splitlines()]
    listened = next(row for row in rows if row["action"] == "recording.listen")
    assert listened["detail"] == {"reason": "Sifat"}
    assert {row["hash"] for row in rows} <= made.hashes


@pytest.mark.parametrize(
    ("language", "words"), [("uz", "Ovozli yozuvlar"), ("ru", "Записи разговоров")]
)
def test_it_is_to_be_read(court, made, language, words) -> None:
    pages = PdfReader(court / f"evidence.{language}.pdf").pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    assert words in text
    assert made.surname in text
    assert WHY in text


def test_a_list_tells_of_nobody_else(court) -> None:
    told = (court / "audit.jsonl").read_text()
    assert "appeal.list" in told
    assert "2026-000777" not in told


def test_the_command_verifies(made, tmp_path) -> None:
    found = evidence.verify(made.file, made.public_key)
    assert (found.holds, found.signed, found.ours) == (True, True, True)
    assert not evidence.verify(made.file, "").holds
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(made.file) as whole, zipfile.ZipFile(spoilt, "w") as out:
        for name in whole.namelist():
            if name != "call/events.jsonl":
                out.writestr(name, b"{}" if name == "audit.jsonl" else whole.read(name))
        out.writestr("more.txt", "more")
    told = evidence.verify(spoilt, made.public_key)
    assert (told.holds, told.signed, told.changed) == (False, True, ["audit.jsonl"])
    assert (told.missing, told.added) == (["call/events.jsonl"], ["more.txt"])
    signatures.make(tmp_path / "other.key", tmp_path / "other.pub")
    stranger = evidence.verify(made.file, str(tmp_path / "other.pub"))
    assert (stranger.holds, stranger.signed, stranger.ours) == (False, True, False)
    with pytest.raises(ValueError, match="no evidence pack"):
        evidence.verify(tmp_path / "other.pub", "")


def test_no_byte_of_it_may_change(made, tmp_path) -> None:
    """Sixty bytes of the file, one after the other, made another one."""
    whole, spoilt_file = made.file.read_bytes(), tmp_path / "spoilt.zip"
    with zipfile.ZipFile(made.file) as pack:
        told = [pack.read(name) for name in pack.namelist()]
    for place in range(0, len(whole), len(whole) // 60):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x41
        spoilt_file.write_bytes(spoilt)
        try:
            found = evidence.verify(spoilt_file, made.public_key)
        except (ValueError, OSError, EOFError):
            continue
        if found.holds:  # only what is no content was another one: a date, say
            with zipfile.ZipFile(spoilt_file) as pack:
                assert [pack.read(name) for name in pack.namelist()] == told


def test_who_may_have_one(signing, appeal, nilufar, dilnoza, bahodir) -> None:
    for user in (nilufar, dilnoza, bahodir):  # he hears no recordings so far
        assert not evidence.may_make(user)
        with pytest.raises(PermissionError):
            evidence.ask(signing, user, CALL, "", WHY)
    recordings.allow(bahodir, True, "manager")
    assert evidence.ask(signing, bahodir, "", appeal.number, WHY).by == bahodir.login
    with pytest.raises(LookupError):
        evidence.ask(signing, manager(), "no-such-call", "", WHY)
    with pytest.raises(evidence.Refused, match="reason"):
        evidence.ask(signing, manager(), CALL, "", "  x ")


def test_a_personal_appeal_is_opened_first(signing, appeal) -> None:
    Appeal.update(openness=personal.PERSONAL).execute()
    for about in ((CALL, ""), ("", appeal.number)):
        with pytest.raises(evidence.Refused, match="closed"):
            evidence.ask(signing, manager(), *about, WHY)
    personal.reveal(manager(), Appeal.get(), "Prokuratura soʻrovi")
    assert evidence.ask(signing, manager(), CALL, "", WHY).state == "asked"


def test_without_a_key_nothing_is_asked_for(settings, appeal) -> None:
    bare = settings
    assert not bare.audit.key
    with pytest.raises(evidence.Refused, match="key"):
        evidence.ask(bare, manager(), CALL, "", WHY)


def test_a_pack_goes_and_its_hash_stays(signing, appeal, monkeypatch) -> None:
    evidence.ask(signing, manager(), "", appeal.number, WHY)
    evidence.make_asked(signing)
    pack = packs.Pack.get()
    file = evidence.content(signing, pack)
    assert file
    later = clock.now() + evidence.KEPT + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert evidence.make_asked(signing) == "evidence pack 1 removed"
    assert not file.exists()
    gone = packs.Pack.get()
    assert (gone.state, gone.sha256) == ("gone", pack.sha256)
    assert evidence.content(signing, gone) is None
    actions = [row.action for row in AuditEntry.select() if row.action.startswith("evidence.")]
    assert actions == ["evidence.ask", "evidence.make", "evidence.remove"]


def test_one_that_goes_while_it_is_made_is_not_there(signing, appeal, monkeypatch) -> None:
    """Its citizen is masked in that time: the pack would hold him as he was."""
    pack = packs.put(CALL, "", "cli", WHY)
    written = packs._write

    def write(*arguments) -> None:
        written(*arguments)
        evidence.remove(signing, pack, "sherzod")

    monkeypatch.setattr(packs, "_write", write)
    assert evidence.make_asked(signing) == ""
    assert packs.Pack.get().state == "gone"
    assert not list(packs.folder(signing).iterdir())


def test_one_that_cannot_be_signed_is_not_made(signing, appeal) -> None:
    packs.put(CALL, "", "cli", WHY)
    Path(signing.audit.public_key).write_bytes(b"")
    assert evidence.make_asked(signing) == ""
    [failed] = packs.Pack.select()
    assert (failed.state, "audit.public_key" in failed.error) == ("failed", True)
    assert not list(packs.folder(signing).iterdir())
    assert evidence.waits() is None
