"""Prompts spoken by machine, recordings imported or refused, versions and the return to them."""

import os
import shutil
import subprocess
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import db
from appliance.core.refusals import Refused
from appliance.models import AuditEntry, Prompt
from appliance.telephony import prompts, routing
from appliance.telephony.prompts import sound
from appliance.telephony.routing import Callback, Plan, Topic


@pytest.fixture
def folder(tmp_path: Path, synthesised_prompts: Path) -> Path:
    shutil.copytree(synthesised_prompts, tmp_path / "prompts")
    return tmp_path / "prompts"


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[None]:
    shutil.copy(migrated, tmp_path / "site.db")
    with db.open_database(tmp_path / "site.db"):
        yield


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A soft speaker at a studio's sample rate, surrounded by silence: 48 kHz stereo WAV."""
    place = tmp_path_factory.mktemp("studio")
    words = "Ishonch telefoniga qoʻngʻiroq qilganingiz uchun rahmat."
    subprocess.run(["espeak-ng", "-v", "uz", "-w", place / "raw.wav", words], check=True)
    arguments = (
        "-r",
        "48000",
        "-c",
        "2",
        place / "studio.wav",
        "gain",
        "-n",
        "-24",
        "pad",
        "2",
        "2",
    )
    subprocess.run(["sox", place / "raw.wav", *arguments], check=True)
    return place / "studio.wav"


def run_sox(source: Path, name: str, *effects: str, **form: str) -> Path:
    target = source.with_name(name)
    format_options = [part for key, value in form.items() for part in (f"-{key}", value)]
    command = ["sox", "-V0", source, *format_options, target, *effects]
    subprocess.run(command, check=True, capture_output=True)
    return target


def import_recording(folder: Path, source: Path, **options: str) -> int:
    options = {"kind": "studio", "text": "Rahmat.", "by": "sherzod"} | options
    return prompts.import_recording(folder, "uz", "thanks", source, **options).number


def test_every_text_is_synthesised_once(synthesised_prompts: Path) -> None:
    for language in prompts.LANGUAGES:
        for name in prompts.default_texts(language):
            measurement = sound.measure_sound(synthesised_prompts / language / f"{name}.wav")
            assert measurement.loudness is None or -26 < measurement.loudness < -19, name
    assert prompts.synthesise_prompts(synthesised_prompts) == []


def test_a_changed_text_is_synthesised_again_and_a_recording_stays(
    folder: Path, studio: Path
) -> None:
    thanks, menu = (folder / "uz" / f"{name}.wav" for name in ("thanks", "menu"))
    thanks.with_suffix(".synthetic.txt").write_text("something else")
    menu.with_suffix(".synthetic.txt").unlink()
    shutil.copy(studio, menu)
    assert prompts.synthesise_prompts(folder) == [thanks]
    assert menu.read_bytes() == studio.read_bytes()


def test_both_languages_have_the_same_phrases() -> None:
    phrases = [
        {
            name
            for name in prompts.default_texts(language)
            if not name.startswith(prompts.NUMBER_PREFIX)
        }
        for language in prompts.LANGUAGES
    ]
    assert phrases[0] == phrases[1]


@pytest.mark.parametrize("ending", ["wav", "mp3", "ogg", "flac", "aiff"])
def test_any_format_is_converted_for_the_telephone(
    tmp_path: Path, studio: Path, ending: str
) -> None:
    source = run_sox(studio, f"given.{ending}", C="64") if ending == "mp3" else studio
    if ending in ("ogg", "flac", "aiff"):
        source = run_sox(studio, f"given.{ending}")
    converted = sound.convert_recording(source, tmp_path / "made.wav")
    with wave.open(str(tmp_path / "made.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    assert abs(converted.loudness - sound.TARGET_LOUDNESS_DB) < 2.0  # the peaks limit the loudness
    # the silence around it is removed
    assert 2 < converted.seconds < sound.duration_seconds(studio) - 3


@pytest.mark.parametrize(
    ("code", "effects"),
    [
        ("clipped", ["gain", "-n", "12"]),
        ("silent", ["gain", "-60"]),
        ("short", ["trim", "2.2", "0.1"]),
        ("long", ["repeat", "20"]),
    ],
)
def test_an_unusable_recording_is_refused(
    tmp_path: Path, studio: Path, code: str, effects: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        sound.convert_recording(run_sox(studio, f"{code}.wav", *effects), tmp_path / "made.wav")
    assert refused.value.code == code
    assert not (tmp_path / "made.wav").exists()


@pytest.mark.parametrize(
    "content", [b"", b"MZ\x90 not a sound", pytest.param(os.urandom(4000), id="noise")]
)
def test_a_file_without_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "virus.wav"
    source.write_bytes(content)
    with pytest.raises(Refused, match=r".") as refused:
        sound.convert_recording(source, tmp_path / "made.wav")
    assert refused.value.code == "unreadable"


@pytest.mark.usefixtures("database")
def test_a_recording_replaces_the_prompt_and_can_be_undone(folder: Path, studio: Path) -> None:
    thanks = folder / "uz" / "thanks.wav"
    before = thanks.read_bytes()
    assert prompts.find_prompt(folder, "uz", "thanks").version == 0
    assert import_recording(folder, studio) == 2
    assert thanks.read_bytes() != before
    prompt = prompts.find_prompt(folder, "uz", "thanks")
    assert (prompt.kind, prompt.version, prompt.text) == ("studio", 2, "Rahmat.")
    assert [v.kind for v in prompts.list_versions("uz", "thanks")] == ["studio", "synthetic"]
    assert prompts.synthesise_prompts(folder) == []

    assert prompts.choose_version(folder, "uz", "thanks", 1, "sherzod")
    assert thanks.read_bytes() == before
    assert prompts.find_prompt(folder, "uz", "thanks").kind == "synthetic"
    assert not prompts.choose_version(folder, "uz", "thanks", 9, "sherzod")
    assert [entry.action for entry in AuditEntry.select()] == ["prompt.change", "prompt.choose"]


@pytest.mark.usefixtures("database")
def test_a_typed_text_is_synthesised_at_once_and_stays(folder: Path) -> None:
    prompts.speak_text(folder, "ru", "thanks", " Спасибо \n за звонок. ", "sherzod")
    thanks = prompts.find_prompt(folder, "ru", "thanks")
    assert (thanks.kind, thanks.text) == ("synthetic", "Спасибо за звонок.")
    assert prompts.synthesise_prompts(folder) == []
    by_name = {prompt.name: prompt for prompt in prompts.list_prompts(folder, "ru")}
    assert by_name["thanks"] == thanks
    assert by_name["menu"].version == 0


@pytest.mark.usefixtures("database")
def test_prompts_that_are_never_played_are_not_listed(folder: Path) -> None:
    names = {prompt.name for prompt in prompts.list_prompts(folder, "uz")}
    assert {"queue-youarenext", "queue-thereare", "queue-holdtime"} <= names
    assert not names & {"queue-callswaiting", "queue-thankyou", "queue-minutes", "queue-seconds"}
    assert prompts.default_texts("uz")["queue-thankyou"]  # Asterisk finds the file nevertheless


@pytest.mark.usefixtures("database")
def test_the_topic_menu_of_the_plan_is_synthesised_for_each_level(
    folder: Path, studio: Path
) -> None:
    menu = (Topic("1", "Pensiya", "Пенсии"), Topic("2", "Ish haqi", "Зарплата", action="queue"))
    routing.save_plan(Plan(topics=(*menu, Topic("21", "Qarz", "Долг"))), by="sherzod")
    files = prompts.update_plan_prompts(folder)
    assert len(files) == 4
    assert prompts.find_prompt(folder, "uz", "topics").text == (
        "Pensiya: birni bosing. Ish haqi: ikkini bosing."
    )
    assert prompts.find_prompt(folder, "ru", "topics-2").text == "Долг: нажмите один."
    prompts.import_recording(
        folder, "uz", "topics", studio, kind="studio", text="Pensiya: 1.", by="sherzod"
    )
    routing.save_plan(Plan(topics=menu, blocked=("+998901110000",)), by="sherzod")
    assert prompts.update_plan_prompts(folder) == []
    routing.save_plan(Plan(topics=menu[:1]), by="sherzod")
    assert prompts.update_plan_prompts(folder) == [
        folder / lang / "topics.wav" for lang in ("uz", "ru")
    ]
    # the recording names a key that no longer exists
    prompt = prompts.find_prompt(folder, "uz", "topics")
    assert (prompt.kind, prompt.text) == ("synthetic", "Pensiya: birni bosing.")


@pytest.mark.usefixtures("database")
def test_the_callback_offer_names_the_key_of_the_plan(folder: Path) -> None:
    prompts.update_plan_prompts(folder)
    routing.save_plan(Plan(), by="sherzod")
    assert prompts.update_plan_prompts(folder) == []
    routing.save_plan(Plan(callback=Callback(key="7")), by="sherzod")
    offers = [folder / lang / "callback-offer.wav" for lang in ("uz", "ru")]
    assert prompts.update_plan_prompts(folder) == offers
    assert prompts.find_prompt(folder, "uz", "callback-offer").text.startswith(
        "Kutishni istamasangiz, yettini bosing"
    )
    assert "нажмите семь" in prompts.find_prompt(folder, "ru", "callback-offer").text
    routing.save_plan(Plan(), by="sherzod")
    assert prompts.update_plan_prompts(folder) == offers


@pytest.mark.usefixtures("database")
def test_a_refused_recording_by_phone_stores_its_reason(folder: Path, studio: Path) -> None:
    before = (folder / "uz" / "thanks.wav").read_bytes()
    with pytest.raises(Refused):
        import_recording(folder, run_sox(studio, "soft.wav", "gain", "-60"), kind="phone")
    assert prompts.find_prompt(folder, "uz", "thanks").trouble == "silent"
    assert (folder / "uz" / "thanks.wav").read_bytes() == before
    import_recording(folder, studio, kind="phone")
    assert prompts.find_prompt(folder, "uz", "thanks").trouble == ""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["../../etc/passwd", "nothing", "thanks.wav"])
def test_an_unknown_prompt_name_is_refused(folder: Path, studio: Path, name: str) -> None:
    assert prompts.find_prompt(folder, "uz", name) is None
    assert prompts.sound_file(folder, "uz", name) is None
    with pytest.raises(Refused):
        prompts.speak_text(folder, "uz", name, "salom", "sherzod")
    assert Prompt.select().count() == 0


@pytest.mark.usefixtures("database")
def test_a_call_never_reads_half_a_file(folder: Path, studio: Path) -> None:
    thanks, stop, lengths = folder / "uz" / "thanks.wav", threading.Event(), set()

    def read_repeatedly() -> None:
        while not stop.is_set():
            with wave.open(str(thanks)) as file:
                frames = file.readframes(file.getnframes())
                lengths.add((file.getnframes(), len(frames)))

    listener = threading.Thread(target=read_repeatedly)
    listener.start()
    try:
        import_recording(folder, studio)
        for number in (1, 2) * 20:
            assert prompts.choose_version(folder, "uz", "thanks", number, "sherzod")
    finally:
        stop.set()
        listener.join()
    assert len(lengths) == 2
    assert all(length == 2 * frames for frames, length in lengths)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", ["a" * 2001, "1" * 20_000, "777777777777 " * 150])
def test_a_text_that_is_too_long_to_speak_is_refused(folder: Path, text: str) -> None:
    before = (folder / "uz" / "thanks.wav").read_bytes()
    with pytest.raises(Refused) as refused:
        prompts.speak_text(folder, "uz", "thanks", text, "sherzod")
    assert refused.value.code == "wordy"
    assert (folder / "uz" / "thanks.wav").read_bytes() == before
    assert sum(f.stat().st_size for f in (folder / "versions").rglob("*")) == 0
    assert AuditEntry.get().action == "prompt.refuse"
