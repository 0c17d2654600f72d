"""Recognising the page that a phone's address belongs to."""

import pytest

from appliance.pbx.actions.resuming import page_address

FIRST_URI = "sip:h4pfn2qk@127.0.0.1:50412;transport=ws;x-ast-orig-host=a1b2.invalid:0"


@pytest.mark.parametrize(
    ("uri", "is_same_page"),
    [
        pytest.param(FIRST_URI, True, id="itself"),
        pytest.param(f"PJSIP/1001/{FIRST_URI}", True, id="as-dialled"),
        pytest.param(FIRST_URI.replace("50412", "50999"), True, id="connection-made-anew"),
        pytest.param(FIRST_URI.replace("h4pfn2qk", "zzz"), False, id="loaded-anew"),
        pytest.param(FIRST_URI.replace("a1b2", "c3d4"), False, id="another-browser"),
        pytest.param("sip:1001@127.251.1.11:5060", False, id="on-a-desk"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_pages_are_distinguished(uri: str, is_same_page: bool) -> None:
    assert (page_address(uri) == page_address(FIRST_URI)) is is_same_page


def test_desk_phones_are_distinguished_by_their_address() -> None:
    assert page_address("sip:1001@127.251.1.11:5060") == page_address(
        "sip:1001@127.251.1.11:5060;ob"
    )
    assert page_address("sip:1001@127.251.1.11:5060") != page_address("sip:1001@127.251.1.12:5060")
    assert page_address("") == page_address("none") == ""
