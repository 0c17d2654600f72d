"""Spans that the role dahdi is asked for in tests: the usual ones, and the odd ones."""

from typing import Any

USUAL: dict[str, Any] = {"dahdi_spans": [{"number": 1}]}
TWO: dict[str, Any] = {
    "dahdi_spans": [{"number": 1, "crc4": True, "timing": 1}, {"number": 2, "crc4": False}],
    "dahdi_modules": ["wct4xxp"],
}
OWN_CLOCK: dict[str, Any] = {
    "dahdi_spans": [{"number": 1, "crc4": "false", "timing": 0, "lbo": 7}],
    "dahdi_echo_canceller": "",
    "dahdi_zone": "us",
}
EIGHT: dict[str, Any] = {
    "dahdi_spans": [{"number": number} for number in range(1, 9)],
    "dahdi_echo_canceller": "jpah",
}
SETS = (USUAL, TWO, OWN_CLOCK, EIGHT)
