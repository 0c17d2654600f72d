"""Prompts spoken by machine, recordings taken in or refused, versions and the way back."""

import os
import shutil
import subprocess
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import db
from appliance.models import AuditEntry, Prompt
from appliance.telephony import prompts, routing
from appliance.telephony.prompts import sound
from appliance.telephony.routing import Callback, Plan, Topic


@pytest.fixture
def folder(tmp_path: Path, spoken: Path) -> Path:
    shutil.copytree(spoken, tmp_path / "prompts")
    return tmp_path / "prompts"


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[None]:
    shutil.copy(migrated, tmp_path / "site.db")
    with db.open_database(tmp_path / "site.db"):
        yield


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A speaker at a studio's rate, soft, with silence around: 48 kHz stereo WAV."""
    place = tmp_path_factory.mktemp("studio")
    words = "Ishonch telefoniga qoʻngʻiroq qilganingiz uchun rahmat."
    subprocess.run(["espeak-ng", "-v", "uz", "-w", place / "raw.wav", words], check=True)
    made = ("-r", "48000", "-c", "2", place / "studio.wav", "gain", "-n", "-24", "pad", "2", "2")
    subprocess.run(["sox", place / "raw.wav", *made], check=True)
    return place / "studio.wav"


def sox(source: Path, name: str, *effects: str, **form: str) -> Path:
    target = source.with_name(name)
    given = [part for key, value in form.items() for part in (f"-{key}", value)]
    command = ["sox", "-V0", source, *given, target, *effects]
    subprocess.run(command, check=True, capture_output=True)
    return target


def take_in(folder: Path, source: Path, **given: str) -> int:
    given = {"kind": "studio", "text": "Rahmat.", "by": "sherzod"} | given
    return prompts.take_in(folder, "uz", "thanks", source, **given).number


def test_every_text_is_spoken_once(spoken: Path) -> None:
    for language in prompts.LANGUAGES:
        for name in prompts.defaults(language):
            made = sound.measure(spoken / language / f"{name}.wav")
            assert made.loudness is None or -26 < made.loudness < -19, name
    assert prompts.synthesise(spoken) == []


def test_a_changed_text_is_spoken_again_but_a_recording_stays(folder: Path, studio: Path) -> None:
    thanks, menu = (folder / "uz" / f"{name}.wav" for name in ("thanks", "menu"))
    thanks.with_suffix(".synthetic.txt").write_text("something else")
    menu.with_suffix(".synthetic.txt").unlink()
    shutil.copy(studio, menu)
    assert prompts.synthesise(folder) == [thanks]
    assert menu.read_bytes() == studio.read_bytes()


def test_the_same_phrases_in_both_languages() -> None:
    phrases = [
        {name for name in prompts.defaults(language) if not name.startswith(prompts.NUMBERS)}
        for language in prompts.LANGUAGES
    ]
    assert phrases[0] == phrases[1]


@pytest.mark.parametrize("ending", ["wav", "mp3", "ogg", "flac", "aiff"])
def test_any_form_becomes_the_telephones(tmp_path: Path, studio: Path, ending: str) -> None:
    source = sox(studio, f"given.{ending}", C="64") if ending == "mp3" else studio
    if ending in ("ogg", "flac", "aiff"):
        source = sox(studio, f"given.{ending}")
    made = sound.convert(source, tmp_path / "made.wav")
    with wave.open(str(tmp_path / "made.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    assert abs(made.loudness - sound.LOUDNESS) < 2.0  # peaks set a limit
    assert 2 < made.seconds < sound.seconds_of(studio) - 3  # the silence around is gone


@pytest.mark.parametrize(
    ("code", "effects"),
    [
        ("clipped", ["gain", "-n", "12"]),
        ("silent", ["gain", "-60"]),
        ("short", ["trim", "2.2", "0.1"]),
        ("long", ["repeat", "20"]),
    ],
)
def test_what_is_no_good_is_refused(
    tmp_path: Path, studio: Path, code: str, effects: list[str]
) -> None:
    with pytest.raises(sound.SoundError) as refused:
        sound.convert(sox(studio, f"{code}.wav", *effects), tmp_path / "made.wav")
    assert refused.value.code == code
    assert not (tmp_path / "made.wav").exists()


@pytest.mark.parametrize(
    "content", [b"", b"MZ\x90 not a sound", pytest.param(os.urandom(4000), id="noise")]
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "virus.wav"
    source.write_bytes(content)
    with pytest.raises(sound.SoundError, match=r".") as refused:
        sound.convert(source, tmp_path / "made.wav")
    assert refused.value.code == "unreadable"


@pytest.mark.usefixtures("database")
def test_a_recording_takes_its_place_and_the_way_back_is_open(folder: Path, studio: Path) -> None:
    thanks = folder / "uz" / "thanks.wav"
    before = thanks.read_bytes()
    assert prompts.found(folder, "uz", "thanks").version == 0
    assert take_in(folder, studio) == 2
    assert thanks.read_bytes() != before
    asked = prompts.found(folder, "uz", "thanks")
    assert (asked.kind, asked.version, asked.text) == ("studio", 2, "Rahmat.")
    assert [v.kind for v in prompts.versions("uz", "thanks")] == ["studio", "synthetic"]
    assert prompts.synthesise(folder) == []

    assert prompts.choose(folder, "uz", "thanks", 1, "sherzod")
    assert thanks.read_bytes() == before
    assert prompts.found(folder, "uz", "thanks").kind == "synthetic"
    assert not prompts.choose(folder, "uz", "thanks", 9, "sherzod")
    assert [entry.action for entry in AuditEntry.select()] == ["prompt.change", "prompt.choose"]


@pytest.mark.usefixtures("database")
def test_a_typed_text_is_spoken_at_once_and_stays(folder: Path) -> None:
    prompts.speak_text(folder, "ru", "thanks", " Спасибо \n за звонок. ", "sherzod")
    asked = prompts.found(folder, "ru", "thanks")
    assert (asked.kind, asked.text) == ("synthetic", "Спасибо за звонок.")
    assert prompts.synthesise(folder) == []
    by_name = {prompt.name: prompt for prompt in prompts.listed(folder, "ru")}
    assert by_name["thanks"] == asked
    assert by_name["menu"].version == 0


@pytest.mark.usefixtures("database")
def test_what_no_caller_hears_is_not_on_the_list(folder: Path) -> None:
    names = {prompt.name for prompt in prompts.listed(folder, "uz")}
    assert {"queue-youarenext", "queue-thereare", "queue-holdtime"} <= names
    assert not names & {"queue-callswaiting", "queue-thankyou", "queue-minutes", "queue-seconds"}
    assert prompts.defaults("uz")["queue-thankyou"]  # Asterisk finds it all the same


@pytest.mark.usefixtures("database")
def test_the_topic_menu_of_the_plan_is_spoken_level_by_level(folder: Path, studio: Path) -> None:
    menu = (Topic("1", "Pensiya", "Пенсии"), Topic("2", "Ish haqi", "Зарплата", action="queue"))
    routing.save(Plan(topics=(*menu, Topic("21", "Qarz", "Долг"))), by="sherzod")
    made = prompts.follow_plan(folder)
    assert len(made) == 4
    assert prompts.found(folder, "uz", "topics").text == (
        "Pensiya: birni bosing. Ish haqi: ikkini bosing."
    )
    assert prompts.found(folder, "ru", "topics-2").text == "Долг: нажмите один."
    prompts.take_in(folder, "uz", "topics", studio, kind="studio", text="Pensiya: 1.", by="sherzod")
    routing.save(Plan(topics=menu, blocked=("+998901110000",)), by="sherzod")
    assert prompts.follow_plan(folder) == []
    routing.save(Plan(topics=menu[:1]), by="sherzod")
    assert prompts.follow_plan(folder) == [folder / lang / "topics.wav" for lang in ("uz", "ru")]
    asked = prompts.found(folder, "uz", "topics")  # the recording named a key that is gone
    assert (asked.kind, asked.text) == ("synthetic", "Pensiya: birni bosing.")


@pytest.mark.usefixtures("database")
def test_the_offer_to_call_back_names_the_key_of_the_plan(folder: Path) -> None:
    prompts.follow_plan(folder)
    routing.save(Plan(), by="sherzod")
    assert prompts.follow_plan(folder) == []
    routing.save(Plan(callback=Callback(key="7")), by="sherzod")
    offers = [folder / lang / "callback-offer.wav" for lang in ("uz", "ru")]
    assert prompts.follow_plan(folder) == offers
    assert prompts.found(folder, "uz", "callback-offer").text.startswith(
        "Kutishni istamasangiz, yettini bosing"
    )
    assert "нажмите семь" in prompts.found(folder, "ru", "callback-offer").text
    routing.save(Plan(), by="sherzod")
    assert prompts.follow_plan(folder) == offers


@pytest.mark.usefixtures("database")
def test_a_refused_recording_by_phone_leaves_its_reason(folder: Path, studio: Path) -> None:
    before = (folder / "uz" / "thanks.wav").read_bytes()
    with pytest.raises(prompts.SoundError):
        take_in(folder, sox(studio, "soft.wav", "gain", "-60"), kind="phone")
    assert prompts.found(folder, "uz", "thanks").trouble == "silent"
    assert (folder / "uz" / "thanks.wav").read_bytes() == before
    take_in(folder, studio, kind="phone")
    assert prompts.found(folder, "uz", "thanks").trouble == ""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["../../etc/passwd", "nothing", "thanks.wav"])
def test_a_prompt_of_another_name_is_none(folder: Path, studio: Path, name: str) -> None:
    assert prompts.found(folder, "uz", name) is None
    assert prompts.sound_of(folder, "uz", name) is None
    with pytest.raises(prompts.SoundError):
        prompts.speak_text(folder, "uz", name, "salom", "sherzod")
    assert Prompt.select().count() == 0


@pytest.mark.usefixtures("database")
def test_a_call_never_hears_half_a_file(folder: Path, studio: Path) -> None:
    thanks, over, heard = folder / "uz" / "thanks.wav", threading.Event(), set()

    def listen() -> None:
        while not over.is_set():
            with wave.open(str(thanks)) as file:
                frames = file.readframes(file.getnframes())
                heard.add((file.getnframes(), len(frames)))

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        take_in(folder, studio)
        for number in (1, 2) * 20:
            assert prompts.choose(folder, "uz", "thanks", number, "sherzod")
    finally:
        over.set()
        listener.join()
    assert len(heard) == 2
    assert all(length == 2 * frames for frames, length in heard)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", ["a" * 2001, "1" * 20_000, "777777777777 " * 150])
def test_a_text_is_spoken_only_as_long_as_it_is_heard(folder: Path, text: str) -> None:
    before = (folder / "uz" / "thanks.wav").read_bytes()
    with pytest.raises(sound.SoundError) as refused:
        prompts.speak_text(folder, "uz", "thanks", text, "sherzod")
    assert refused.value.code == "wordy"
    assert (folder / "uz" / "thanks.wav").read_bytes() == before
    assert sum(f.stat().st_size for f in (folder / "versions").rglob("*")) == 0
    assert AuditEntry.get().action == "prompt.refuse"
