"""Span settings with which the tests run the role dahdi: usual and unusual ones."""

from typing import Any

ONE_SPAN: dict[str, Any] = {"dahdi_spans": [{"number": 1}]}
TWO_SPANS: dict[str, Any] = {
    "dahdi_spans": [{"number": 1, "crc4": True, "timing": 1}, {"number": 2, "crc4": False}],
    "dahdi_modules": ["wct4xxp"],
}
OWN_CLOCK: dict[str, Any] = {
    "dahdi_spans": [{"number": 1, "crc4": "false", "timing": 0, "lbo": 7}],
    "dahdi_echo_canceller": "",
    "dahdi_zone": "us",
}
EIGHT_SPANS: dict[str, Any] = {
    "dahdi_spans": [{"number": number} for number in range(1, 9)],
    "dahdi_echo_canceller": "jpah",
}
SPAN_SETS = (ONE_SPAN, TWO_SPANS, OWN_CLOCK, EIGHT_SPANS)
