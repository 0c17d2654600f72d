"""The people of the trials: their voices are told apart, their words understood."""

import wave
from array import array
from pathlib import Path

import pytest

from appliance.sip import listening, message, tones
from appliance.sip.message import Session
from tests.rig.trials import scenario
from tests.rig.trials.scenario import ScriptError


def mixed(*pitches: int, seconds: int = 1) -> list[int]:
    """The sound of these people speaking at once, as a telephone carries it."""
    voices = [tones.decode(b"".join(tones.frames(pitch))) for pitch in pitches]
    return [sum(samples) for samples in zip(*voices, strict=True)] * seconds


@pytest.mark.parametrize("who", [tones.CALLERS, tones.OPERATORS, tones.OUTSIDE])
def test_every_voice_is_heard_and_no_other(who: tuple[int, ...]) -> None:
    for pitch in who[::3]:
        assert tones.voices(mixed(pitch)[: tones.WINDOW]) == {pitch}


def test_three_at_once() -> None:
    three = (tones.CALLERS[3], tones.OPERATORS[4], tones.OUTSIDE[5])
    assert tones.voices(mixed(*three)[800 : 800 + tones.WINDOW]) == set(three)
    assert tones.voices([0] * tones.WINDOW) == {tones.SILENCE}


def test_who_is_heard_in_a_recording(tmp_path: Path) -> None:
    caller, first, second = tones.CALLERS[0], tones.OPERATORS[0], tones.OUTSIDE[0]
    sound = mixed(caller, first, seconds=3) + mixed(caller, second, seconds=2)
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setparams((1, 2, tones.RATE, 0, "NONE", ""))
        file.writeframes(array("h", sound).tobytes())
    heard = listening.stretches(listening.by_second(tmp_path / "talk.wav"))
    assert heard == [({caller, first}, 3), ({caller, second}, 2)]


def test_a_message_goes_there_and_back() -> None:
    body = str(Session("127.0.0.1", 4000, (8, 101), "sendonly", 101))
    sent = message.text(
        "INVITE sip:1006@x SIP/2.0", [("v", "y;branch=b"), ("f", "<sip:a@y>")], body
    )
    read = message.parse(sent)
    assert read
    assert (read.method, read.uri, read.branch) == ("INVITE", "sip:1006@x", "b")
    assert message.user(read.get("from")) == "a"
    assert message.session(read.body) == Session("127.0.0.1", 4000, (8, 101), "sendonly", 101)
    assert message.parse(b"\r\n\r\n") is None


def test_a_challenge_is_answered_as_the_rfc_does() -> None:
    """The example of RFC 2617 without qop, as RFC 2069 computes it."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = message.authorization(challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in said


def test_scripts() -> None:
    assert len(scenario.load()) > 100
    [one] = scenario.parse("name\n  C calls; C hangs up\n  = a | b | - | A | - | 5\n")
    assert one.steps == ("C calls", "C hangs up")
    assert one.rows == (("a", "b", "-", "A", "-", "5", "A"),)
    with pytest.raises(ScriptError, match="no row"):
        scenario.parse("name\n  C calls\n")
