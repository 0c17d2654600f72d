"""Recordings: repaired, measured, compressed only when verified, played only with a reason."""

import array
import datetime as dt
import hashlib
import math
import wave
from pathlib import Path

import pytest

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import AuditEntry, Listening, Recording, User
from appliance.pbx import ledger
from appliance.telephony import calls, recordings
from appliance.telephony.calls import CallFacts, RecordingFacts, TalkFacts
from appliance.telephony.recordings import postprocessing, sound
from tests.rig.rules import RULES

SAMPLE_RATE = sound.SAMPLE_RATE_HZ
CALL_STARTED_AT = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)


def speech_samples(seconds: float) -> array.array:
    """Return samples that are alternately loud and quiet."""
    return array.array(
        "h",
        (
            round(12_000 * math.sin(n / 5) * (math.sin(n / 3000) ** 2))
            for n in range(round(seconds * SAMPLE_RATE))
        ),
    )


def write_wav(file: Path, seconds: float = 2.0) -> Path:
    """Write a file as Asterisk does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(SAMPLE_RATE)
        stream.writeframes(speech_samples(seconds).tobytes())
    return file


def kill_while_writing(file: Path) -> None:
    """Leave the file as a killed Asterisk leaves it: the header claims that there is no sound."""
    data = bytearray(file.read_bytes())
    data[4:8] = data[40:44] = b"\x00" * 4
    file.write_bytes(data)


def file_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def call(settings: Settings) -> CallFacts:
    """A call that ended long ago, recorded in parts of 2 s and 3 s and one without a talk."""
    facts = CallFacts(
        "hotline-1.0", "inbound", CALL_STARTED_AT, CALL_STARTED_AT + dt.timedelta(minutes=1)
    )
    facts.outcome, facts.stage = "answered", "ended"
    talks = ((10, 12), (20, 23))
    facts.talks = [
        TalkFacts(
            "operator",
            "nilufar",
            "1001",
            *(CALL_STARTED_AT + dt.timedelta(seconds=s) for s in talk),
        )
        for talk in talks
    ]
    facts.recordings = [
        RecordingFacts(f"2026/11/24/{n}.wav", CALL_STARTED_AT + dt.timedelta(seconds=10 * n))
        for n in (1, 2, 3)
    ]
    for number, seconds in ((1, 2), (2, 3), (3, 0)):
        write_wav(settings.paths.recordings / f"2026/11/24/{number}.wav", seconds)
    with write_transaction():
        calls.store_call(facts, RULES)
    return facts


def exported_recordings() -> list[dict]:
    [row] = calls.export_calls(CALL_STARTED_AT, CALL_STARTED_AT + dt.timedelta(seconds=1))
    return row["recordings"]


def test_an_unfinished_header_is_repaired(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav")
    complete_bytes = file.read_bytes()
    kill_while_writing(file)
    assert not sound.has_true_length(file)
    assert sound.repair_header(file)
    assert file.read_bytes() == complete_bytes
    assert not sound.repair_header(file)
    assert sound.measure_recording(file).seconds == 2.0


def test_a_file_shorter_than_its_header_is_not_changed(tmp_path: Path) -> None:
    stub = tmp_path / "stub.wav"
    stub.write_bytes(b"RIFF")
    assert not sound.has_true_length(stub)
    assert not sound.repair_header(stub)


def test_loudness_levels_range_from_silence_to_full() -> None:
    assert (sound.peak_level("0"), sound.peak_level("z")) == (0, 1)


def test_a_compressed_file_has_the_same_sound_in_a_fraction_of_the_space(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", 7.3)
    before = sound.measure_recording(file)
    compressed, measurement = sound.compress_recording(file)
    assert (compressed.name, measurement.seconds, measurement.sha256) == (
        "a.ogg",
        7.3,
        file_hash(compressed),
    )
    assert measurement.peaks == before.peaks
    assert len(set(measurement.peaks)) > 3
    assert compressed.stat().st_size < file.stat().st_size / 5
    assert file.exists()


def test_a_supervisors_words_to_both_are_mixed_in_at_their_time(
    settings: Settings, call: CallFacts
) -> None:
    folder = settings.paths.recordings / "2026/11/24"
    for number, seconds in ((1, 2), (2, 3)):
        file = folder / f"{number}.wav"
        head = file.read_bytes()[:44]
        file.write_bytes(head + bytes(seconds * SAMPLE_RATE * 2))
    said_at = round((CALL_STARTED_AT.timestamp() + 20 + 1.5) * 1000)  # within the second talk
    write_wav(folder / f"2.said-{said_at}.wav", 4.0)  # longer than the rest of the talk
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    first, second = ((folder / f"{n}.wav").read_bytes()[44:] for n in (1, 2))
    begin = SAMPLE_RATE * 3  # 1.5 s
    assert not any(first)
    assert not any(second[:begin])
    assert second[begin:] == speech_samples(4.0).tobytes()[:begin]
    assert sound.has_true_length(folder / "2.wav")
    assert sorted(path.name for path in folder.iterdir()) == ["1.wav", "2.wav"]
    assert [recording["seconds"] for recording in exported_recordings()] == [2.0, 3.0]


def test_a_damaged_copy_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_wav(tmp_path / "a.wav")
    other = write_wav(tmp_path / "other.wav", 1.0)
    run_command = sound._run_sandboxed

    def encode_another(*command: str) -> None:
        run_command(*(str(other) if part == str(file) else part for part in command))

    monkeypatch.setattr(sound, "_run_sandboxed", encode_another)
    with pytest.raises(sound.CompressionMismatch):
        sound.compress_recording(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "other.wav"]


def test_a_file_is_measured_and_compressed_and_exported_as_stored(
    settings: Settings, call: CallFacts
) -> None:
    folder = settings.paths.recordings
    assert postprocessing.measure_recordings(settings, ledger.call_projector(settings)) == 3
    assert [(r["file"], r["seconds"]) for r in exported_recordings()] == [
        ("2026/11/24/1.wav", 2.0),
        ("2026/11/24/2.wav", 3.0),
    ]
    assert not (folder / "2026/11/24/3.wav").exists()  # nobody spoke on that leg
    assert postprocessing.compress_oldest(settings) == 0  # not within the first hour
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()
    assert [postprocessing.compress_oldest(settings) for _ in range(3)] == [1, 1, 0]
    for recording in exported_recordings():
        assert recording["file"].endswith(".ogg")
        assert recording["sha256"] == file_hash(folder / recording["file"])
    assert sorted(path.suffix for path in folder.rglob("*.*")) == [".ogg", ".ogg"]
    balance = calls.ledger_balance(CALL_STARTED_AT, CALL_STARTED_AT + dt.timedelta(seconds=1))
    assert (balance.recordings_expected, balance.recordings_found, balance.lacking) == (1, 1, ())


def test_a_wav_file_left_by_a_crash_is_removed(settings: Settings, call: CallFacts) -> None:
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()
    postprocessing.compress_oldest(settings)
    leftover = settings.paths.recordings / Recording.get(Recording.kept.endswith(".ogg")).file
    write_wav(leftover)
    assert [postprocessing.remove_compressed_wavs(settings) for _ in range(2)] == [1, 0]
    assert not leftover.exists()
    assert len(list(settings.paths.recordings.rglob("*.wav"))) == 1  # not compressed yet


def test_a_file_that_cannot_be_compressed_stays_and_is_not_retried(
    settings: Settings, call: CallFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    Recording.update(written_at=clock.now() - dt.timedelta(hours=2)).execute()

    def fail_on_full_disk(*command: str) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sound, "_run_sandboxed", fail_on_full_disk)
    assert [postprocessing.compress_oldest(settings) for _ in range(2)] == [0, 0]
    assert recordings.oldest_uncompressed(clock.now()) is None
    assert [r["file"] for r in exported_recordings()] == ["2026/11/24/1.wav", "2026/11/24/2.wav"]


def test_a_recording_that_is_missing_is_listed(settings: Settings, call: CallFacts) -> None:
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    Recording.update(seconds=1.5).where(Recording.file == "2026/11/24/2.wav").execute()
    balance = calls.ledger_balance(CALL_STARTED_AT, CALL_STARTED_AT + dt.timedelta(seconds=1))
    [lack] = balance.lacking
    assert (lack.call, lack.expected, lack.found) == (call.id, 5.0, 3.5)
    assert (balance.recordings_found, balance.recordings_short) == (1, 1)
    Recording.update(seconds=0).execute()
    balance = calls.ledger_balance(CALL_STARTED_AT, CALL_STARTED_AT + dt.timedelta(seconds=1))
    assert (balance.recordings_found, balance.recordings_short) == (0, 0)
    assert balance.lacking[0].found == 0


def test_listening_needs_a_role_or_a_right_and_a_reason(
    call: CallFacts, dilnoza: User, nilufar: User
) -> None:
    assert recordings.can_listen(dilnoza)
    assert not recordings.can_listen(nilufar)
    with pytest.raises(recordings.ListeningNotAllowed):
        recordings.begin_listening(nilufar, call.id, "a complaint")
    with pytest.raises(recordings.MissingReason):
        recordings.begin_listening(dilnoza, call.id, "  - ")
    assert recordings.current_reason(dilnoza, call.id) is None
    recordings.begin_listening(dilnoza, call.id, " a   complaint ")
    assert recordings.current_reason(dilnoza, call.id) == "a complaint"
    entry = AuditEntry.get(AuditEntry.action == "recording.listen")
    assert (entry.subject, entry.detail) == (call.id, {"reason": "a complaint"})
    Listening.update(at=clock.now() - dt.timedelta(hours=2)).execute()
    assert recordings.current_reason(dilnoza, call.id) is None
    assert audit.first_broken_id() is None


def test_a_ministry_reader_listens_only_with_a_personal_right(bahodir: User) -> None:
    reader = bahodir
    assert not recordings.can_listen(reader)
    recordings.set_personal_right(reader, True, by="cli")
    assert recordings.can_listen(reader)
    recordings.set_personal_right(reader, False, by="cli")
    assert not recordings.can_listen(reader)
