"""Which page a phone's address belongs to."""

import pytest

from appliance.pbx.actions.resuming import page

FIRST = "sip:h4pfn2qk@127.0.0.1:50412;transport=ws;x-ast-orig-host=a1b2.invalid:0"


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        pytest.param(FIRST, True, id="itself"),
        pytest.param(f"PJSIP/1001/{FIRST}", True, id="as-dialled"),
        pytest.param(FIRST.replace("50412", "50999"), True, id="connection-made-anew"),
        pytest.param(FIRST.replace("h4pfn2qk", "zzz"), False, id="loaded-anew"),
        pytest.param(FIRST.replace("a1b2", "c3d4"), False, id="another-browser"),
        pytest.param("sip:1001@127.251.1.11:5060", False, id="on-a-desk"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_pages_are_told_apart(uri: str, same: bool) -> None:
    assert (page(uri) == page(FIRST)) is same


def test_desk_phones_are_told_apart_by_their_address() -> None:
    assert page("sip:1001@127.251.1.11:5060") == page("sip:1001@127.251.1.11:5060;ob")
    assert page("sip:1001@127.251.1.11:5060") != page("sip:1001@127.251.1.12:5060")
    assert page("") == page("none") == ""
