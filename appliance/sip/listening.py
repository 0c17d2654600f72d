"""Which voices are heard in a recording, second by second."""

import wave
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from appliance.sip import tones

_WINDOWS_PER_SECOND = 4  # windows analysed in each second
VoiceSet = frozenset[int]


def voices_by_second(
    file: Path | BinaryIO, pitches: Iterable[int] = tones.ALL_PITCHES
) -> list[VoiceSet]:
    """Return the voices (Hz) in each complete second of a 16-bit mono WAV file at 8 kHz.

    A voice counts if half of the windows in that second contain it, so that a short dropout hides
    no voice. Raises wave.Error or EOFError for a file in another format.
    """
    with wave.open(str(file) if isinstance(file, Path) else file) as sound:
        samples = array("h", sound.readframes(sound.getnframes()))
    pitches = tuple(pitches)
    voices = []
    for start in range(0, len(samples) - tones.SAMPLE_RATE_HZ + 1, tones.SAMPLE_RATE_HZ):
        window_voices = [
            _voices_at(
                samples,
                start
                + window * tones.SAMPLE_RATE_HZ // _WINDOWS_PER_SECOND
                + 2 * tones.FRAME_SAMPLES,
                pitches,
            )
            for window in range(_WINDOWS_PER_SECOND)
        ]
        counts = Counter(voice for window in window_voices for voice in window)
        present = frozenset(v for v, times in counts.items() if times >= _WINDOWS_PER_SECOND / 2)
        people = frozenset(voice for voice in present if voice > 0)
        voices.append(people or present or frozenset((tones.MUSIC,)))
    return voices


def merge_equal_seconds(seconds: Iterable[VoiceSet]) -> list[tuple[VoiceSet, int]]:
    """Return (voices, number of seconds) for each run of seconds with the same voices."""
    runs: list[tuple[VoiceSet, int]] = []
    for voices in seconds:
        if runs and runs[-1][0] == voices:
            runs[-1] = (voices, runs[-1][1] + 1)
        else:
            runs.append((voices, 1))
    return runs


def _voices_at(samples: "array[int]", start: int, pitches: tuple[int, ...]) -> VoiceSet:
    return tones.find_voices(samples[start : start + tones.WINDOW_SAMPLES], pitches)
