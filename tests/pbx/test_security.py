"""What Asterisk is given no means for: its modules, and the account for commands."""

import configparser
import json
import re
from pathlib import Path

import pytest

from appliance import pbx
from appliance.box.health import updates
from appliance.pbx import ami, config
from tests.pbx.box import Box

UNUSED = re.compile(
    r"res_ari|res_phoneprov|app_voicemail|app_sms|res_xmpp|chan_unistim|chan_ooh323|res_config|"
    r"cel_pgsql|cel_tds|codec_codec2|format_ogg_speex|app_system|app_externalivr|func_shell|"
    r"func_curl|res_http_post|app_minivm|res_monitor|pbx_ael|pbx_lua|pbx_dundi|res_smdi"
)


@pytest.fixture
def rendered(settings) -> dict[str, str]:
    """File of Asterisk's configuration → its text."""
    return config.render(settings)


def test_modules_are_loaded_by_name_and_none_that_is_not_used(rendered) -> None:
    text = rendered["modules.conf"]
    assert re.search(r"^autoload = no$", text, re.MULTILINE)
    loaded = re.findall(r"^load = (\S+)\.so$", text, re.MULTILINE)
    assert len(loaded) > 50
    assert [module for module in loaded if UNUSED.match(module)] == []


def test_advisories_name_no_module_that_is_loaded(rendered) -> None:
    """What is judged to be harmless because a module is not loaded stays so."""
    loaded = set(re.findall(r"^load = (\S+)\.so$", rendered["modules.conf"], re.MULTILINE))
    judged = json.loads(updates.ADVISORIES.read_text("utf-8"))["judged"]
    absent = [why.partition(":")[0] for why in judged.values() if why.endswith("not loaded")]
    named = {module for text in absent for module in text.replace(",", "").split()}
    assert {"res_phoneprov", "app_sms"} <= named
    assert named & loaded == set()
    assert not any(module.startswith("res_ari") for module in loaded)


def test_the_account_for_commands_has_few_rights(rendered) -> None:
    parser = configparser.ConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.read_string(rendered["manager.conf"])
    general, account = parser["general"], parser["appliance"]
    assert general["webenabled"] == "no"
    assert general["bindaddr"].startswith("127.")
    assert (account["deny"], account["permit"]) == (
        "0.0.0.0/0.0.0.0",
        "127.0.0.0/255.0.0.0",
    )
    for what in ("read", "write"):
        classes = set(account[what].split(","))
        assert classes.isdisjoint(
            {"all", "command", "config", "dialplan", "dtmf", "verbose", "log"}
        )


def test_nobody_is_let_in_without_an_account(rendered) -> None:
    text = rendered["pjsip.conf"]
    assert "[anonymous]" not in text
    order = re.search(r"^endpoint_identifier_order = (.+)$", text, re.MULTILINE)
    assert order
    assert "anonymous" not in order[1]
    assert "res_pjsip_endpoint_identifier_anonymous" not in rendered["modules.conf"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody calls here: no prompts."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "music").mkdir()
    return folder


CLOSED = {"Command", "UpdateConfig", "CreateConfig", "ListCategories", "AGI"}
# There with a card alone; and of the second Asterisk, in which a call is rehearsed.
ELSEWHERE = {"DAHDIShowChannels", "PRIShowSpans", "PlayDTMF"}


def test_the_account_does_what_is_used_and_nothing_else(box: Box) -> None:
    """By Asterisk's own list of what this account may do."""
    source = "".join(file.read_text() for file in Path(pbx.__file__).parent.rglob("*.py"))
    used = set(re.findall(r'(?:[.]act|[.]listed)\(\s*"(\w+)"', source))
    assert len(used) > 25
    with ami.Connection(box.settings) as asterisk:
        may = set(asterisk.act("ListCommands"))
        assert used - ELSEWHERE - may == set()
        assert CLOSED & may == set()
        for action in sorted(CLOSED):
            with pytest.raises(ami.Refused, match="denied|Invalid"):
                asterisk.act(action, Filename="manager.conf", SrcFilename="x", Command="core")
        planted = box.settings.asterisk.var / "planted"
        there = {"Channel": "Local/s@rehearsal/n", "Data": f"touch {planted}"}
        with pytest.raises(ami.Refused):
            asterisk.act("Originate", **there, Application="System", Timeout=2000)
        assert not planted.exists()
    print(f"{len(used)} actions are used, {len(may)} are open to the account")
