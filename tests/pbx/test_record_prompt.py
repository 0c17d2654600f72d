"""A prompt spoken into a phone: recorded by a real Asterisk, confirmed, taken in or refused."""

import subprocess
from pathlib import Path

import pytest

from appliance.models import User
from appliance.pbx import actions, ami
from appliance.telephony import prompts
from tests.pbx import talking
from tests.pbx.box import Box
from tests.pbx.test_self_service import answering
from tests.rig.waiting import until

NAME = "all-busy"


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the speaker says, as Asterisk plays it, without the file's ending."""
    file = tmp_path_factory.mktemp("speech") / "speech.wav"
    words = "Hozir hamma operatorlar band."
    subprocess.run(["espeak-ng", "-v", "uz", "-w", f"{file}.raw.wav", words], check=True)
    subprocess.run(["sox", f"{file}.raw.wav", "-r", "8000", "-b", "16", file], check=True)
    silence = file.with_name("silence.wav")
    subprocess.run(["sox", "-n", "-r", "8000", "-b", "16", silence, "trim", "0", "2"], check=True)
    return file.with_suffix("")


def speak(box: Box, sound: Path) -> None:
    """Take the call as a phone: wait for the tone, speak, end by #, keep by 1."""
    talking.load(box, "app_senddtmf.so")
    steps = [
        ("SendDTMF", "w" * 10),
        ("Playback", str(sound)),
        ("SendDTMF", f"w#{'w' * 4}1{'w' * 8}"),
    ]
    folder = box.settings.paths.prompts
    variables = {
        "PROMPT_FILE": prompts.incoming(folder, "uz", NAME),
        "PROMPT_LANGUAGE": "uz",
        "PROMPT_NAME": NAME,
        "PROMPT_BY": "sherzod",
    }
    context = f"speaker-{sound.name}"
    with ami.Connection(box.settings) as asterisk:
        for number, (application, data) in enumerate(steps, 1):
            asterisk.act(
                "DialplanExtensionAdd",
                Context=context,
                Extension="s",
                Priority=number,
                Application=application,
                ApplicationData=data,
            )
        asterisk.act(
            "Originate",
            Channel="Local/s@record-prompt/n",
            Context=context,
            Exten="s",
            Priority="1",
            Variable=",".join(f"__{name}={value}" for name, value in variables.items()),
            Async="true",
        )


def test_what_is_spoken_and_confirmed_is_in_force(box: Box, speech: Path) -> None:
    folder = box.settings.paths.prompts
    before = (folder / "uz" / f"{NAME}.wav").read_bytes()
    with answering(box):
        speak(box, speech)
        until(lambda: prompts.found(folder, "uz", NAME).kind == "phone", limit=30)
        assert (folder / "uz" / f"{NAME}.wav").read_bytes() != before
        kept = prompts.versions("uz", NAME)[0]
        assert kept.author == "sherzod"
        assert 1.0 < kept.seconds < 4.0

        speak(box, speech.with_name("silence"))
        until(lambda: prompts.found(folder, "uz", NAME).trouble == "silent", limit=30)
        assert prompts.found(folder, "uz", NAME).version == kept.number
        until(lambda: not talking.channels(box), limit=30)
    assert not list((folder / "incoming").iterdir())


def test_a_phone_that_is_not_there_cannot_be_rung(box: Box) -> None:
    user = User.get(User.login == "op01")
    file = prompts.incoming(box.settings.paths.prompts, "uz", NAME)
    actions.record_prompt(
        box.settings, user.extension, file=file, language="uz", name=NAME, login="sherzod"
    )
    until(lambda: not talking.channels(box), limit=30)
    assert not file.with_suffix(".wav").exists()
