"""Voices that can be told apart: each person a tone, found again by Goertzel's sums."""

import functools
import math
from collections.abc import Iterable, Sequence

RATE = 8000
FRAME = 160  # samples, and bytes of A-law, in 20 ms
KEYS = "0123456789*#"
KEY_FRAMES = 8  # a key is held for 160 ms
LEVEL = 6000  # of a voice, of 32767
WINDOW = 5 * FRAME  # samples that are looked at together: 100 ms, so tones 25 Hz apart are parted
HEARD = 0.25  # share of LEVEL from which on a voice counts as heard
QUIET = 150  # mean size of samples below which nothing is heard at all

# None lies near the music's notes and their first overtones, nor near another's.
CALLERS = (250, 305, 370, 400, 480, 515, 595, 625)
OPERATORS = tuple(range(960, 960 + 45 * 25, 45))
OUTSIDE = tuple(range(2120, 2120 + 60 * 20, 60))
EVERYBODY = CALLERS + OPERATORS + OUTSIDE
MUSIC, SILENCE = -1, 0  # what is heard when it is nobody's voice

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477)
_PAD = ("123", "456", "789", "*0#")


@functools.cache
def frames(pitch: int) -> tuple[bytes, ...]:
    """One second of a voice as A-law, in the 20 ms pieces that are sent; it can be repeated."""
    whole = alaw(LEVEL * math.sin(2 * math.pi * pitch * i / RATE) for i in range(RATE))
    return tuple(whole[i : i + FRAME] for i in range(0, RATE, FRAME))


@functools.cache
def key(name: str) -> bytes:
    """The two frequencies of a key as A-law, as long as it is held."""
    row = next(i for i, keys in enumerate(_PAD) if name in keys)
    turns = [2 * math.pi * f / RATE for f in (_ROWS[row], _COLUMNS[_PAD[row].index(name)])]
    return alaw(9000 * sum(math.sin(turn * i) for turn in turns) for i in range(KEY_FRAMES * FRAME))


def alaw(samples: Iterable[float]) -> bytes:
    """Compress 16-bit samples by the A-law of G.711."""
    return bytes(_alaw(round(sample)) for sample in samples)


def prepare() -> None:
    """Work out everybody's voice beforehand: in the midst of calls it would hold them up."""
    for pitch in EVERYBODY:
        frames(pitch)
        _waves(pitch, WINDOW)


def decode(alaw: bytes) -> list[int]:
    """16-bit samples of A-law."""
    return [_LINEAR[byte] for byte in alaw]


def voices(samples: Sequence[int], among: Iterable[int] = EVERYBODY) -> frozenset[int]:
    """Whose tones (Hz) a window of samples holds; {MUSIC} for other sound, {SILENCE} for none."""
    size = len(samples)
    if sum(map(abs, samples)) < QUIET * size:
        return frozenset((SILENCE,))
    found = []
    for pitch in among:
        cosine, sine = _waves(pitch, size)
        level = 2 * math.hypot(math.sumprod(samples, cosine), math.sumprod(samples, sine)) / size
        if level > HEARD * LEVEL:
            found.append(pitch)
    return frozenset(found or (MUSIC,))


@functools.cache
def _waves(pitch: int, size: int) -> tuple[list[float], list[float]]:
    """Cosine and sine under Hann's window, whose mean is 1."""
    turn = 2 * math.pi * pitch / RATE
    hann = [1 - math.cos(2 * math.pi * i / size) for i in range(size)]
    return (
        [h * math.cos(turn * i) for i, h in enumerate(hann)],
        [h * math.sin(turn * i) for i, h in enumerate(hann)],
    )


@functools.lru_cache(maxsize=65536)
def _alaw(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = min(abs(sample), 32635)
    if size < 256:
        return ((size >> 4) | sign) ^ 0x55
    segment = size.bit_length() - 8
    return ((segment << 4) | ((size >> (segment + 3)) & 0x0F) | sign) ^ 0x55


def _linear(byte: int) -> int:
    byte ^= 0x55
    segment, part = (byte & 0x70) >> 4, byte & 0x0F
    size = (part << 4) + 8 if segment == 0 else ((part << 4) + 0x108) << (segment - 1)
    return size if byte & 0x80 else -size


_LINEAR = [_linear(byte) for byte in range(256)]
