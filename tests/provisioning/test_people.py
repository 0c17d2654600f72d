"""The people of the trials: their voices are distinguished and their messages parsed."""

import wave
from array import array
from pathlib import Path

import pytest

from appliance.sip import listening, message, tones
from appliance.sip.message import Session
from tests.rig.trials import scenario
from tests.rig.trials.scenario import ScriptError


def mixed_sound(*pitches: int, seconds: int = 1) -> list[int]:
    """Return the sound of these people speaking at the same time, as a telephone carries it."""
    voices = [tones.decode_alaw(b"".join(tones.voice_frames(pitch))) for pitch in pitches]
    return [sum(samples) for samples in zip(*voices, strict=True)] * seconds


@pytest.mark.parametrize("who", [tones.CALLERS, tones.OPERATORS, tones.OUTSIDE_PARTIES])
def test_each_voice_is_detected_and_no_other(who: tuple[int, ...]) -> None:
    for pitch in who[::3]:
        assert tones.find_voices(mixed_sound(pitch)[: tones.WINDOW_SAMPLES]) == {pitch}


def test_three_simultaneous_voices_are_detected() -> None:
    three = (tones.CALLERS[3], tones.OPERATORS[4], tones.OUTSIDE_PARTIES[5])
    assert tones.find_voices(mixed_sound(*three)[800 : 800 + tones.WINDOW_SAMPLES]) == set(three)
    assert tones.find_voices([0] * tones.WINDOW_SAMPLES) == {tones.SILENCE}


def test_the_voices_of_a_recording_are_detected(tmp_path: Path) -> None:
    caller, first, second = tones.CALLERS[0], tones.OPERATORS[0], tones.OUTSIDE_PARTIES[0]
    sound = mixed_sound(caller, first, seconds=3) + mixed_sound(caller, second, seconds=2)
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setparams((1, 2, tones.SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(array("h", sound).tobytes())
    stretches = listening.merge_equal_seconds(listening.voices_by_second(tmp_path / "talk.wav"))
    assert stretches == [({caller, first}, 3), ({caller, second}, 2)]


def test_a_composed_message_is_parsed_back() -> None:
    body = str(Session("127.0.0.1", 4000, (8, 101), "sendonly", 101))
    sent = message.encode_message(
        "INVITE sip:1006@x SIP/2.0", [("v", "y;branch=b"), ("f", "<sip:a@y>")], body
    )
    read = message.parse_message(sent)
    assert read
    assert (read.method, read.uri, read.branch) == ("INVITE", "sip:1006@x", "b")
    assert message.header_user(read.get("from")) == "a"
    assert message.parse_session(read.body) == Session("127.0.0.1", 4000, (8, 101), "sendonly", 101)
    assert message.parse_message(b"\r\n\r\n") is None


def test_a_challenge_is_answered_as_in_the_rfc() -> None:
    """The example of RFC 2617 without qop, as RFC 2069 computes it."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    header = message.digest_authorization(
        challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life"
    )
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header


def test_scenarios_are_parsed() -> None:
    assert len(scenario.load_scenarios()) > 100
    [parsed] = scenario.parse_scenarios("name\n  C calls; C hangs up\n  = a | b | - | A | - | 5\n")
    assert parsed.steps == ("C calls", "C hangs up")
    assert parsed.rows == (("a", "b", "-", "A", "-", "5", "A"),)
    with pytest.raises(ScriptError, match="no row"):
        scenario.parse_scenarios("name\n  C calls\n")
