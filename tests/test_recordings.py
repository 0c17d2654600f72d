"""Recordings mended and measured."""

import wave
from pathlib import Path

import pytest

from appliance.recordings import sound


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two seconds of sound as Asterisk writes them."""
    file = tmp_path / "call.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x00\x10" * 16_000)
    return file


def kill_while_writing(file: Path) -> None:
    """Leave the file as a killed Asterisk leaves it: the header tells of no sound."""
    data = bytearray(file.read_bytes())
    data[4:8] = data[40:44] = b"\x00" * 4
    file.write_bytes(data)


def test_a_killed_recording_is_mended_and_plays(recording: Path) -> None:
    kill_while_writing(recording)
    assert not sound.is_whole(recording)
    assert sound.mend(recording)
    with wave.open(str(recording)) as file:
        assert file.getnframes() == 16_000
    assert sound.measure(recording).seconds == 2.0
    assert not sound.mend(recording)


def test_a_file_without_a_whole_header_is_left_alone(tmp_path: Path) -> None:
    stub = tmp_path / "stub.wav"
    stub.write_bytes(b"RIFF")
    assert not sound.is_whole(stub)
    assert not sound.mend(stub)
    assert stub.read_bytes() == b"RIFF"
