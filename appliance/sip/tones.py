"""Distinguishable voices: each person is a tone, which Goertzel's algorithm finds in the audio."""

import functools
import math
from collections.abc import Iterable, Sequence

SAMPLE_RATE_HZ = 8000
FRAME_SAMPLES = 160  # samples, and bytes of A-law, in 20 ms
KEYS = "0123456789*#"
KEY_FRAMES = 8  # a key is held for 160 ms
VOICE_LEVEL = 6000  # amplitude of a voice, of 32767
WINDOW_SAMPLES = 5 * FRAME_SAMPLES  # 100 ms, which separates tones 25 Hz apart
MIN_LEVEL_SHARE = 0.25  # from this share of VOICE_LEVEL on, a voice counts as heard
MIN_MEAN_LEVEL = 150  # mean amplitude below which the audio counts as silence

# No pitch is near the music's notes, their first overtones, or another pitch.
CALLERS = (250, 305, 370, 400, 480, 515, 595, 625)
OPERATORS = tuple(range(960, 960 + 45 * 25, 45))
OUTSIDE_PARTIES = tuple(range(2120, 2120 + 60 * 20, 60))
ALL_PITCHES = CALLERS + OPERATORS + OUTSIDE_PARTIES
MUSIC, SILENCE = -1, 0  # results if no voice is found

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477)
_PAD = ("123", "456", "789", "*0#")


@functools.cache
def voice_frames(pitch: int) -> tuple[bytes, ...]:
    """Return one second of a voice as A-law, in pieces of 20 ms; it can be repeated seamlessly."""
    second = encode_alaw(
        VOICE_LEVEL * math.sin(2 * math.pi * pitch * i / SAMPLE_RATE_HZ)
        for i in range(SAMPLE_RATE_HZ)
    )
    return tuple(second[i : i + FRAME_SAMPLES] for i in range(0, SAMPLE_RATE_HZ, FRAME_SAMPLES))


@functools.cache
def key_tones(name: str) -> bytes:
    """Return the two frequencies of a key as A-law, for the duration of a key press."""
    row = next(i for i, keys in enumerate(_PAD) if name in keys)
    angular_steps = [
        2 * math.pi * f / SAMPLE_RATE_HZ for f in (_ROWS[row], _COLUMNS[_PAD[row].index(name)])
    ]
    return encode_alaw(
        9000 * sum(math.sin(step * i) for step in angular_steps)
        for i in range(KEY_FRAMES * FRAME_SAMPLES)
    )


def encode_alaw(samples: Iterable[float]) -> bytes:
    """Encode 16-bit samples as A-law (G.711)."""
    return bytes(_encode_sample(round(sample)) for sample in samples)


def precompute_voices() -> None:
    """Compute every voice in advance, because the computation would delay calls."""
    for pitch in ALL_PITCHES:
        voice_frames(pitch)
        _windowed_waves(pitch, WINDOW_SAMPLES)


def decode_alaw(data: bytes) -> list[int]:
    """Decode A-law into 16-bit samples."""
    return [_DECODED_SAMPLES[byte] for byte in data]


def find_voices(samples: Sequence[int], pitches: Iterable[int] = ALL_PITCHES) -> frozenset[int]:
    """Return the pitches (Hz) in a window of samples.

    Returns {MUSIC} if there is only other sound, {SILENCE} for silence.
    """
    size = len(samples)
    if sum(map(abs, samples)) < MIN_MEAN_LEVEL * size:
        return frozenset((SILENCE,))
    result = []
    for pitch in pitches:
        cosine, sine = _windowed_waves(pitch, size)
        level = 2 * math.hypot(math.sumprod(samples, cosine), math.sumprod(samples, sine)) / size
        if level > MIN_LEVEL_SHARE * VOICE_LEVEL:
            result.append(pitch)
    return frozenset(result or (MUSIC,))


@functools.cache
def _windowed_waves(pitch: int, size: int) -> tuple[list[float], list[float]]:
    """Return a cosine and a sine weighted by Hann's window, whose mean is 1."""
    step = 2 * math.pi * pitch / SAMPLE_RATE_HZ
    hann = [1 - math.cos(2 * math.pi * i / size) for i in range(size)]
    return (
        [h * math.cos(step * i) for i, h in enumerate(hann)],
        [h * math.sin(step * i) for i, h in enumerate(hann)],
    )


@functools.lru_cache(maxsize=65536)
def _encode_sample(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = min(abs(sample), 32635)
    if size < 256:
        return ((size >> 4) | sign) ^ 0x55
    segment = size.bit_length() - 8
    return ((segment << 4) | ((size >> (segment + 3)) & 0x0F) | sign) ^ 0x55


def _decode_byte(byte: int) -> int:
    byte ^= 0x55
    segment, mantissa = (byte & 0x70) >> 4, byte & 0x0F
    size = (mantissa << 4) + 8 if segment == 0 else ((mantissa << 4) + 0x108) << (segment - 1)
    return size if byte & 0x80 else -size


_DECODED_SAMPLES = [_decode_byte(byte) for byte in range(256)]
