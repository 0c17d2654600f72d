"""Prompts spoken by machine."""

import shutil
import wave
from pathlib import Path

import pytest

from appliance.pbx import audio
from appliance.recordings import sound


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two seconds of sound as Asterisk writes them."""
    file = tmp_path / "call.wav"
    with wave.open(str(file), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(b"\x00\x10" * 16_000)
    return file


def test_every_text_is_spoken_once(prompts_folder: Path) -> None:
    made = audio.synthesise(prompts_folder)
    texts = list(audio.TEXTS.glob("*/*.txt"))
    assert len(made) == len(texts) + 1
    for text in texts:
        spoken = prompts_folder / text.parent.name / f"{text.stem}.wav"
        assert sound.measure(spoken).seconds > 0.8
    assert audio.synthesise(prompts_folder) == []


def test_a_changed_text_is_spoken_again_but_a_studio_recording_stays(
    prompts_folder: Path, recording: Path
) -> None:
    audio.synthesise(prompts_folder)
    thanks, menu = (prompts_folder / "uz" / f"{name}.wav" for name in ("thanks", "menu"))
    thanks.with_suffix(".synthetic.txt").write_text("something else")
    menu.with_suffix(".synthetic.txt").unlink()
    shutil.copy(recording, menu)
    assert audio.synthesise(prompts_folder) == [thanks]
    assert menu.read_bytes() == recording.read_bytes()


def test_the_same_names_in_both_languages() -> None:
    names = [{file.name for file in (audio.TEXTS / lang).glob("*.txt")} for lang in ("uz", "ru")]
    assert names[0] == names[1]
