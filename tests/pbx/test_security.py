"""What Asterisk is given no means for: its modules, and the account for commands."""

import configparser
import dataclasses
import json
import re
import socket
import threading
from pathlib import Path

import pytest

from appliance import pbx
from appliance.box.health import updates
from appliance.core import db
from appliance.pbx import actions, ami, config, config_sync
from appliance.pbx.actions import config as plan_config
from appliance.telephony import routing
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


def test_the_accounts_for_commands_have_few_rights(settings) -> None:
    parser = configparser.ConfigParser(strict=False, delimiters=("=",), interpolation=None)
    given = dataclasses.replace(settings.asterisk, pages_secret="a", guesses_secret="b")
    text = config.render(dataclasses.replace(settings, asterisk=given))["manager.conf"]
    parser.read_string(text)
    general = parser["general"]
    assert general["webenabled"] == "no"
    assert general["bindaddr"].startswith("127.")
    accounts = parser.sections()[1:]
    assert accounts == ["appliance", "pages", "guesses"]
    assert len({parser[name]["secret"] for name in accounts}) == len(accounts)
    for name in accounts:
        assert (parser[name]["deny"], parser[name]["permit"]) == (
            "0.0.0.0/0.0.0.0",
            "127.0.0.0/255.0.0.0",
        )
        for what in ("read", "write"):
            classes = set(parser[name][what].split(","))
            assert classes.isdisjoint(
                {"all", "command", "config", "dialplan", "dtmf", "verbose", "log"}
            )
            assert name == "appliance" or "system" not in classes


def test_an_account_without_a_password_is_not_there(rendered) -> None:
    assert "[appliance]" in rendered["manager.conf"]
    assert "[pages]" not in rendered["manager.conf"]
    assert "[guesses]" not in rendered["manager.conf"]


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


# What a page asks of Asterisk is asked in these; the others are the pbx process's.
OF_PAGES = ("actions/*.py", "originate.py")
NOT_OF_PAGES = {"Reload", "ModuleLoad"}  # actions.reload, which the pages leave to it
PROGRAMS = ("System", "TrySystem", "Exec", "TryExec", "AGI", "EAGI", "MixMonitor", "ExternalIVR")


def test_the_pages_account_does_what_pages_do_and_nothing_else(box: Box) -> None:
    """What has Asterisk read a file, write one, load a module or start a program is refused."""
    folder = Path(pbx.__file__).parent
    files = [file for pattern in OF_PAGES for file in folder.glob(pattern)]
    source = "".join(file.read_text() for file in files)
    used = set(re.findall(r'(?:[.]act|[.]listed)\(\s*"(\w+)"|steps[.]append\(\("(\w+)"', source))
    used = {name for pair in used for name in pair if name} - NOT_OF_PAGES
    assert {"Originate", "Redirect", "QueuePause", "Hangup", "Setvar"} <= used
    planted = box.settings.asterisk.var / "planted"
    with ami.Connection(box.settings.for_pages()) as pages, ami.Connection(box.settings) as all_of:
        may = set(pages.act("ListCommands"))
        assert used - may == set()
        refused = set(all_of.act("ListCommands")) - may
        assert {"Reload", "ModuleLoad", "MixMonitor", "DBPut", "DialplanExtensionAdd"} <= refused
        assert {"GetConfig", "GetConfigJSON", "DBDelTree", "ModuleCheck"} <= refused
        for action in sorted((refused | CLOSED) - {"ActionID", "Response"}):
            with pytest.raises(ami.Refused, match="denied|Invalid"):
                pages.act(action, Filename="pjsip.conf", Family="registrar/contact")
        for program in PROGRAMS:
            there = {"Channel": "Local/s@rehearsal/n", "Data": f"touch {planted}"}
            with pytest.raises(ami.Refused, match="denied|Forbidden"):
                pages.act("Originate", **there, Application=program, Timeout=2000)
        shell = f"${{SHELL(touch {planted})}}"
        with pytest.raises(ami.Refused, match="denied|Forbidden"):
            pages.act("Originate", Channel="Local/s@x", Application="NoOp", Data=shell)
    assert not planted.exists()
    print(f"{len(used)} actions are used, {len(may)} are open, {len(refused)} more are refused")


def test_who_hears_of_guesses_commands_nothing(box: Box) -> None:
    given = dataclasses.replace(
        box.settings.asterisk, ami_secret="", pages_secret=box.settings.asterisk.guesses_secret
    )
    with pytest.raises(ami.Refused):  # as somebody else
        ami.Connection(dataclasses.replace(box.settings, asterisk=given)).__enter__()
    with socket.create_connection((given.inside, given.ami_port), 3) as line:
        said = line.makefile(newline="\r\n")
        said.readline()

        def ask(**fields: str) -> str:
            lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
            line.sendall("".join([*lines, "\r\n"]).encode())
            while "Response: " not in (answer := "".join(iter(said.readline, "\r\n"))):
                pass  # an event: of its own log-in, too
            return answer

        assert "Success" in ask(Action="Login", Username="guesses", Secret=given.guesses_secret)
        for action in ("Originate", "Hangup", "Reload", "GetConfig", "QueueAdd", "Setvar"):
            assert "Permission denied" in ask(Action=action, Channel="Local/s@x"), action


def test_a_plan_saved_on_a_page_is_put_in_force_by_the_pbx_process(box: Box) -> None:
    """The pages neither write Asterisk's files nor have it read them."""
    etc, stop = box.settings.paths.asterisk, threading.Event()
    before = routing.current(box.settings)
    wanted = dataclasses.replace(before, limits=dataclasses.replace(before.limits, calls=7))
    text = {file: file.read_text() for file in etc.glob("*.conf")}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan_config, "_PATIENCE", 0.0)
        with pytest.raises(ami.Unreachable, match="pbx process"):
            actions.put_plan(box.settings.for_pages(), wanted, "rustam")
    assert {file: file.read_text() for file in etc.glob("*.conf")} == text
    follows = threading.Thread(
        target=db.connected, args=(config_sync.follow, box.settings, stop), daemon=True
    )
    follows.start()
    try:
        again = dataclasses.replace(before, limits=dataclasses.replace(before.limits, calls=8))
        actions.put_plan(box.settings.for_pages(), again, "rustam")
        assert {file: file.read_text() for file in etc.glob("*.conf")} != text
        actions.put_plan(box.settings.for_pages(), before, "rustam")
        assert {file: file.read_text() for file in etc.glob("*.conf")} == text
    finally:
        stop.set()
        follows.join(60)
