"""The page of prompts: listed, synthesized, uploaded, listened to, restored."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from appliance.models import AuditEntry
from appliance.telephony import prompts
from tests.rig.people import PEOPLE


@pytest.fixture(scope="module")
def synthesised_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of the prompts."""
    folder = tmp_path_factory.mktemp("spoken")
    for language, words in (("uz", "Rahmat."), ("ru", "Спасибо.")):
        (folder / language).mkdir()
        prompts.synthesis.synthesise_text(words, language, folder / language / "thanks.wav")
        (folder / language / "thanks.synthetic.txt").write_text(words)
    return folder


@pytest.fixture
def browser(settings, synthesised_prompts, login_as):
    shutil.copytree(synthesised_prompts, settings.paths.prompts)
    return login_as("manager")


def sound_in_force(settings) -> bytes:
    return (settings.paths.prompts / "uz" / "thanks.wav").read_bytes()


def upload_recording(browser, content: bytes, name: str = "studio.wav"):
    fields = {
        "csrf_token": browser.token("/prompts/uz/thanks"),
        "text": "Katta rahmat.",
        "recording": FileStorage(io.BytesIO(content), name, "recording"),
    }
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post("/prompts/upload/uz/thanks", data=body, content_type=kind)


def test_every_prompt_is_listed_with_its_kind_of_sound(browser) -> None:
    page = browser.get("/prompts").text
    assert "Minnatdorlik va xayrlashuv" in page
    assert "<h1>Hamma operator band</h1>" in browser.get("/prompts/uz/all-busy").text
    assert "Rahmat. Xayr, salomat boʻling." in page
    assert "Sunʼiy ovoz" in page
    assert "Ovoz yoʻq" in page  # the folder holds no other sound
    assert "digits/" not in page
    assert "двадцать" in browser.get("/prompts?language=ru&part=numbers").text


def test_typed_text_can_be_listened_to_before_it_is_in_force(browser, settings) -> None:
    before = sound_in_force(settings)
    answer = browser.send("/prompts/speak/uz/thanks", text="Sizga rahmat.")
    assert answer.status_code == 302
    assert sound_in_force(settings) == before
    with browser.get("/prompts/sound/uz/thanks?version=2") as sound:
        new_sound = sound.data
    assert new_sound != before
    assert "avval tinglang" in browser.get("/prompts/uz/thanks").text
    assert browser.send("/prompts/choose/uz/thanks", version="2").status_code == 302
    assert sound_in_force(settings) == new_sound
    page = browser.get("/prompts/uz/thanks").text
    assert "Sizga rahmat." in page
    with browser.get("/prompts/sound/uz/thanks") as sound:
        assert sound.data == sound_in_force(settings)
        assert sound.mimetype == "audio/wav"
    with browser.get("/prompts/sound/uz/thanks?version=1") as sound:
        assert sound.data == before
    browser.send("/prompts/choose/uz/thanks", version="1")
    assert sound_in_force(settings) == before
    assert browser.send("/prompts/choose/uz/thanks", version="7").status_code == 404
    refused = browser.send("/prompts/speak/uz/thanks", text=" ")
    assert 'role="alert"' in browser.refused_page(refused)


def test_recording_of_several_megabytes_is_accepted(
    browser, settings, synthesised_prompts, tmp_path
) -> None:
    studio = tmp_path / "studio.wav"
    source = synthesised_prompts / "uz" / "thanks.wav"
    form = ["-r", "96000", "-c", "2", "-b", "24"]
    subprocess.run(["sox", source, *form, studio, "pad", "4"], check=True)
    content = studio.read_bytes()
    assert len(content) > 2 * 1024 * 1024
    before = sound_in_force(settings)
    assert upload_recording(browser, content).status_code == 302
    assert sound_in_force(settings) == before
    page = browser.get("/prompts/uz/thanks").text
    assert "Katta rahmat." in page
    assert PEOPLE["sherzod"][0] in page


@pytest.mark.parametrize("name", ["studio.wav", "../../x.mp3", "x.php", ""])
def test_file_without_sound_is_refused_clearly(browser, settings, name) -> None:
    before = sound_in_force(settings)
    answer = upload_recording(browser, b"not a sound", name)
    page = browser.refused_page(answer)
    assert 'role="alert"' in page
    assert sound_in_force(settings) == before


@pytest.mark.parametrize("name", ["a.m3u", "a.pls", "a.wav", "a.txt"])
def test_playlist_runs_nothing_and_is_recorded_in_the_audit(
    browser, settings, tmp_path, name
) -> None:
    mark = tmp_path / "ran"
    lines = (
        f'[playlist]\nFile1=http://127.0.0.1/";touch {mark};"\nhttp://127.0.0.1/";touch {mark};"\n'
    )
    assert 'role="alert"' in browser.refused_page(upload_recording(browser, lines.encode(), name))
    assert not mark.exists()
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.who, entry.action, entry.subject) == ("sherzod", "prompt.refuse", "uz/thanks")
    assert entry.detail == {"kind": "studio", "reason": "unreadable"}


def test_phone_that_belongs_to_no_operator_is_not_rung(browser) -> None:
    assert browser.send("/prompts/record/uz/thanks", extension="00998712000000").status_code == 422


def test_unreachable_exchange_is_reported(browser) -> None:
    answer = browser.send("/prompts/record/uz/thanks", extension="1001")
    assert answer.status_code == 302
    assert "Telefon stansiyasi javob bermayapti" in browser.get("/prompts/uz/thanks").text
