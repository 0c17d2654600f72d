"""Who is heard in a recording, second by second."""

import wave
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from appliance.sip import tones

_LOOKS = 4  # windows looked at in each second
Heard = frozenset[int]


def by_second(file: Path | BinaryIO, among: Iterable[int] = tones.EVERYBODY) -> list[Heard]:
    """The voices (Hz) of each whole second of a 16-bit mono WAV at 8 kHz.

    A voice counts when half of the looks into that second find it: a hiccup hides nobody. Raises
    wave.Error, EOFError for what is no such file.
    """
    with wave.open(str(file) if isinstance(file, Path) else file) as sound:
        samples = array("h", sound.readframes(sound.getnframes()))
    among = tuple(among)
    found = []
    for start in range(0, len(samples) - tones.RATE + 1, tones.RATE):
        looks = [
            _at(samples, start + look * tones.RATE // _LOOKS + 2 * tones.FRAME, among)
            for look in range(_LOOKS)
        ]
        often = Counter(voice for look in looks for voice in look)
        there = frozenset(v for v, times in often.items() if times >= _LOOKS / 2)
        people = frozenset(voice for voice in there if voice > 0)
        found.append(people or there or frozenset((tones.MUSIC,)))
    return found


def stretches(seconds: Iterable[Heard]) -> list[tuple[Heard, int]]:
    """Runs of seconds in which the same people are heard: who, for how many seconds."""
    runs: list[tuple[Heard, int]] = []
    for who in seconds:
        if runs and runs[-1][0] == who:
            runs[-1] = (who, runs[-1][1] + 1)
        else:
            runs.append((who, 1))
    return runs


def _at(samples: "array[int]", start: int, among: tuple[int, ...]) -> Heard:
    return tones.voices(samples[start : start + tones.WINDOW], among)
