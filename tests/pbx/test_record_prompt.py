"""A prompt spoken into a phone: recorded by a real Asterisk, confirmed, imported or refused."""

import subprocess
from pathlib import Path

import pytest

from appliance.models import User
from appliance.pbx import actions, ami
from appliance.telephony import prompts
from tests.pbx import local_calls
from tests.pbx.box import Box
from tests.pbx.test_self_service import answer_look_ups
from tests.rig.waiting import wait_until

PROMPT_NAME = "all-busy"


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The speech that Asterisk plays for the speaker, without the file's suffix."""
    file = tmp_path_factory.mktemp("speech") / "speech.wav"
    words = "Hozir hamma operatorlar band."
    subprocess.run(["espeak-ng", "-v", "uz", "-w", f"{file}.raw.wav", words], check=True)
    subprocess.run(["sox", f"{file}.raw.wav", "-r", "8000", "-b", "16", file], check=True)
    silence = file.with_name("silence.wav")
    subprocess.run(["sox", "-n", "-r", "8000", "-b", "16", silence, "trim", "0", "2"], check=True)
    return file.with_suffix("")


def speak_prompt(box: Box, sound: Path) -> None:
    """Answer the call as a phone: wait for the tone, speak, end with #, confirm with 1."""
    local_calls.load_modules(box, "app_senddtmf.so")
    steps = [
        ("SendDTMF", "w" * 10),
        ("Playback", str(sound)),
        ("SendDTMF", f"w#{'w' * 4}1{'w' * 8}"),
    ]
    folder = box.settings.paths.prompts
    variables = {
        "PROMPT_FILE": prompts.new_recording_path(folder, "uz", PROMPT_NAME),
        "PROMPT_LANGUAGE": "uz",
        "PROMPT_NAME": PROMPT_NAME,
        "PROMPT_BY": "sherzod",
    }
    context = f"speaker-{sound.name}"
    with ami.Connection(box.settings) as asterisk:
        for number, (application, data) in enumerate(steps, 1):
            asterisk.send_action(
                "DialplanExtensionAdd",
                Context=context,
                Extension="s",
                Priority=number,
                Application=application,
                ApplicationData=data,
            )
        asterisk.send_action(
            "Originate",
            Channel="Local/s@record-prompt/n",
            Context=context,
            Exten="s",
            Priority="1",
            Variable=",".join(f"__{name}={value}" for name, value in variables.items()),
            Async="true",
        )


def test_a_spoken_and_confirmed_prompt_is_in_force(box: Box, speech: Path) -> None:
    folder = box.settings.paths.prompts
    before = (folder / "uz" / f"{PROMPT_NAME}.wav").read_bytes()
    with answer_look_ups(box):
        speak_prompt(box, speech)
        wait_until(lambda: prompts.find_prompt(folder, "uz", PROMPT_NAME).kind == "phone", limit=30)
        assert (folder / "uz" / f"{PROMPT_NAME}.wav").read_bytes() != before
        version = prompts.list_versions("uz", PROMPT_NAME)[0]
        assert version.author == "sherzod"
        assert 1.0 < version.seconds < 4.0

        speak_prompt(box, speech.with_name("silence"))
        wait_until(
            lambda: prompts.find_prompt(folder, "uz", PROMPT_NAME).trouble == "silent", limit=30
        )
        assert prompts.find_prompt(folder, "uz", PROMPT_NAME).version == version.number
        wait_until(lambda: not local_calls.active_channels(box), limit=30)
    assert not list((folder / "incoming").iterdir())


def test_an_unregistered_phone_cannot_record_a_prompt(box: Box) -> None:
    user = User.get(User.login == "op01")
    file = prompts.new_recording_path(box.settings.paths.prompts, "uz", PROMPT_NAME)
    actions.record_prompt(
        box.settings, user.extension, file=file, language="uz", name=PROMPT_NAME, login="sherzod"
    )
    wait_until(lambda: not local_calls.active_channels(box), limit=30)
    assert not file.with_suffix(".wav").exists()
