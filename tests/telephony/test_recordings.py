"""Recordings: mended, measured, compressed only when proven, heard only with a reason."""

import array
import datetime as dt
import hashlib
import math
import wave
from pathlib import Path

import pytest

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import AuditEntry, Listening, Recording, User
from appliance.pbx import projection
from appliance.telephony import calls, recordings
from appliance.telephony.calls import CallFacts, RecordingFacts, TalkFacts
from appliance.telephony.recordings import postprocessing, sound
from tests.rig.rules import RULES

RATE = sound.RATE
BEGAN = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)


def speech(seconds: float) -> array.array:
    """Something that is loud and quiet by turns."""
    return array.array(
        "h",
        (
            round(12_000 * math.sin(n / 5) * (math.sin(n / 3000) ** 2))
            for n in range(round(seconds * RATE))
        ),
    )


def write(file: Path, seconds: float = 2.0) -> Path:
    """A file as Asterisk writes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(RATE)
        made.writeframes(speech(seconds).tobytes())
    return file


def kill_while_writing(file: Path) -> None:
    """Leave the file as a killed Asterisk leaves it: the header tells of no sound."""
    data = bytearray(file.read_bytes())
    data[4:8] = data[40:44] = b"\x00" * 4
    file.write_bytes(data)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def call(settings: Settings) -> CallFacts:
    """A call over long ago, recorded in two parts of 2 and 3 s and one without a talk."""
    facts = CallFacts("hotline-1.0", "inbound", BEGAN, BEGAN + dt.timedelta(minutes=1))
    facts.outcome, facts.stage = "answered", "ended"
    talks = ((10, 12), (20, 23))
    facts.talks = [
        TalkFacts("operator", "nilufar", "1001", *(BEGAN + dt.timedelta(seconds=s) for s in talk))
        for talk in talks
    ]
    facts.recordings = [
        RecordingFacts(f"2026/11/24/{n}.wav", BEGAN + dt.timedelta(seconds=10 * n))
        for n in (1, 2, 3)
    ]
    for number, seconds in ((1, 2), (2, 3), (3, 0)):
        write(settings.paths.recordings / f"2026/11/24/{number}.wav", seconds)
    with writing():
        calls.store(facts, RULES)
    return facts


def exported() -> list[dict]:
    [row] = calls.export(BEGAN, BEGAN + dt.timedelta(seconds=1))
    return row["recordings"]


def test_a_header_that_was_never_closed_is_mended(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav")
    whole = file.read_bytes()
    kill_while_writing(file)
    assert not sound.is_whole(file)
    assert sound.mend(file)
    assert file.read_bytes() == whole
    assert not sound.mend(file)
    assert sound.measure(file).seconds == 2.0


def test_a_file_shorter_than_its_header_is_left_alone(tmp_path: Path) -> None:
    stub = tmp_path / "stub.wav"
    stub.write_bytes(b"RIFF")
    assert not sound.is_whole(stub)
    assert not sound.mend(stub)


def test_loudness_is_drawn_from_silence_to_full() -> None:
    assert (sound.level("0"), sound.level("z")) == (0, 1)


def test_compressed_holds_the_same_in_a_tenth_of_the_room(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", 7.3)
    before = sound.measure(file)
    made, heard = sound.compress(file)
    assert (made.name, heard.seconds, heard.sha256) == ("a.ogg", 7.3, sha256(made))
    assert heard.peaks == before.peaks
    assert len(set(heard.peaks)) > 3
    assert made.stat().st_size < file.stat().st_size / 5
    assert file.exists()


def test_what_a_supervisor_said_to_both_is_mixed_in_where_he_said_it(
    settings: Settings, call: CallFacts
) -> None:
    folder = settings.paths.recordings / "2026/11/24"
    for number, seconds in ((1, 2), (2, 3)):
        file = folder / f"{number}.wav"
        head = file.read_bytes()[:44]
        file.write_bytes(head + bytes(seconds * RATE * 2))
    said_at = round((BEGAN.timestamp() + 20 + 1.5) * 1000)  # within the second talk
    write(folder / f"2.said-{said_at}.wav", 4.0)  # longer than what is left
    postprocessing.measure(settings, projection.projector(settings))
    first, second = ((folder / f"{n}.wav").read_bytes()[44:] for n in (1, 2))
    begin = RATE * 3  # 1.5 s
    assert not any(first)
    assert not any(second[:begin])
    assert second[begin:] == speech(4.0).tobytes()[:begin]
    assert sound.is_whole(folder / "2.wav")
    assert sorted(path.name for path in folder.iterdir()) == ["1.wav", "2.wav"]
    assert [told["seconds"] for told in exported()] == [2.0, 3.0]


def test_a_spoilt_copy_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.wav")
    other = write(tmp_path / "other.wav", 1.0)
    really = sound._run

    def encode_another(*command: str) -> None:
        really(*(str(other) if part == str(file) else part for part in command))

    monkeypatch.setattr(sound, "_run", encode_another)
    with pytest.raises(sound.Spoilt):
        sound.compress(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "other.wav"]


def test_measured_then_compressed_and_the_export_tells_the_file_that_is(
    settings: Settings, call: CallFacts
) -> None:
    folder = settings.paths.recordings
    assert postprocessing.measure(settings, projection.projector(settings)) == 3
    assert [(r["file"], r["seconds"]) for r in exported()] == [
        ("2026/11/24/1.wav", 2.0),
        ("2026/11/24/2.wav", 3.0),
    ]
    assert not (folder / "2026/11/24/3.wav").exists()  # nobody spoke on that leg
    assert postprocessing.compress(settings) == 0  # not for an hour
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()
    assert [postprocessing.compress(settings) for _ in range(3)] == [1, 1, 0]
    for told in exported():
        assert told["file"].endswith(".ogg")
        assert told["sha256"] == sha256(folder / told["file"])
    assert sorted(path.suffix for path in folder.rglob("*.*")) == [".ogg", ".ogg"]
    balance = calls.balance(BEGAN, BEGAN + dt.timedelta(seconds=1))
    assert (balance.recordings_expected, balance.recordings_found, balance.lacking) == (1, 1, ())


def test_a_wav_left_over_by_a_crash_is_removed(settings: Settings, call: CallFacts) -> None:
    postprocessing.measure(settings, projection.projector(settings))
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()
    postprocessing.compress(settings)
    again = settings.paths.recordings / Recording.get(Recording.kept.endswith(".ogg")).file
    write(again)
    assert [postprocessing.tidy(settings) for _ in range(2)] == [1, 0]
    assert not again.exists()
    assert len(list(settings.paths.recordings.rglob("*.wav"))) == 1  # not compressed yet


def test_what_cannot_be_compressed_stays_and_is_not_tried_again(
    settings: Settings, call: CallFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    postprocessing.measure(settings, projection.projector(settings))
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()

    def full(*command: str) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sound, "_run", full)
    assert [postprocessing.compress(settings) for _ in range(2)] == [0, 0]
    assert recordings.uncompressed(clock.now()) is None
    assert [r["file"] for r in exported()] == ["2026/11/24/1.wav", "2026/11/24/2.wav"]


def test_a_recording_that_is_missing_is_listed(settings: Settings, call: CallFacts) -> None:
    postprocessing.measure(settings, projection.projector(settings))
    Recording.update(seconds=1.5).where(Recording.file == "2026/11/24/2.wav").execute()
    balance = calls.balance(BEGAN, BEGAN + dt.timedelta(seconds=1))
    [lack] = balance.lacking
    assert (lack.call, lack.expected, lack.found) == (call.id, 5.0, 3.5)
    assert (balance.recordings_found, balance.recordings_short) == (1, 1)
    Recording.update(seconds=0).execute()
    balance = calls.balance(BEGAN, BEGAN + dt.timedelta(seconds=1))
    assert (balance.recordings_found, balance.recordings_short) == (0, 0)
    assert balance.lacking[0].found == 0


def test_hearing_needs_a_role_or_a_right_and_a_reason(
    call: CallFacts, dilnoza: User, nilufar: User
) -> None:
    assert recordings.may_listen(dilnoza)
    assert not recordings.may_listen(nilufar)
    with pytest.raises(recordings.NotAllowed):
        recordings.begin(nilufar, call.id, "a complaint")
    with pytest.raises(recordings.NoReason):
        recordings.begin(dilnoza, call.id, "  - ")
    assert recordings.reason_of(dilnoza, call.id) is None
    recordings.begin(dilnoza, call.id, " a   complaint ")
    assert recordings.reason_of(dilnoza, call.id) == "a complaint"
    entry = AuditEntry.get(AuditEntry.action == "recording.listen")
    assert (entry.subject, entry.detail) == (call.id, {"reason": "a complaint"})
    Listening.update(at=clock.now() - dt.timedelta(hours=2)).execute()
    assert recordings.reason_of(dilnoza, call.id) is None
    assert audit.broken_at() is None


def test_the_ministry_hears_by_a_right_of_a_person(bahodir: User) -> None:
    reader = bahodir
    assert not recordings.may_listen(reader)
    recordings.allow(reader, True, by="cli")
    assert recordings.may_listen(reader)
    recordings.allow(reader, False, by="cli")
    assert not recordings.may_listen(reader)
