"""Asterisk's limits: the modules that it loads, and the rights of the accounts for commands."""

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

UNUSED_MODULES = re.compile(
    r"res_ari|res_phoneprov|app_voicemail|app_sms|res_xmpp|chan_unistim|chan_ooh323|res_config|"
    r"cel_pgsql|cel_tds|codec_codec2|format_ogg_speex|app_system|app_externalivr|func_shell|"
    r"func_curl|res_http_post|app_minivm|res_monitor|pbx_ael|pbx_lua|pbx_dundi|res_smdi"
)


@pytest.fixture
def rendered(settings) -> dict[str, str]:
    """File of Asterisk's configuration → its text."""
    return config.render_files(settings)


def test_modules_are_loaded_by_name_and_only_if_used(rendered) -> None:
    text = rendered["modules.conf"]
    assert re.search(r"^autoload = no$", text, re.MULTILINE)
    loaded = re.findall(r"^load = (\S+)\.so$", text, re.MULTILINE)
    assert len(loaded) > 50
    assert [module for module in loaded if UNUSED_MODULES.match(module)] == []


def test_no_advisory_is_dismissed_for_a_loaded_module(rendered) -> None:
    """An advisory judged harmless because a module is not loaded stays harmless."""
    loaded = set(re.findall(r"^load = (\S+)\.so$", rendered["modules.conf"], re.MULTILINE))
    judged = json.loads(updates.ADVISORIES_FILE.read_text("utf-8"))["judged"]
    absent = [why.partition(":")[0] for why in judged.values() if why.endswith("not loaded")]
    absent_modules = {module for text in absent for module in text.replace(",", "").split()}
    assert {"res_phoneprov", "app_sms"} <= absent_modules
    assert absent_modules & loaded == set()
    assert not any(module.startswith("res_ari") for module in loaded)


def test_the_accounts_for_commands_have_few_rights(settings) -> None:
    parser = configparser.ConfigParser(strict=False, delimiters=("=",), interpolation=None)
    asterisk = dataclasses.replace(settings.asterisk, pages_secret="a", guesses_secret="b")
    text = config.render_files(dataclasses.replace(settings, asterisk=asterisk))["manager.conf"]
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


def test_an_account_without_a_password_does_not_exist(rendered) -> None:
    assert "[appliance]" in rendered["manager.conf"]
    assert "[pages]" not in rendered["manager.conf"]
    assert "[guesses]" not in rendered["manager.conf"]


def test_nobody_is_admitted_without_an_account(rendered) -> None:
    text = rendered["pjsip.conf"]
    assert "[anonymous]" not in text
    order = re.search(r"^endpoint_identifier_order = (.+)$", text, re.MULTILINE)
    assert order
    assert "anonymous" not in order[1]
    assert "res_pjsip_endpoint_identifier_anonymous" not in rendered["modules.conf"]


@pytest.fixture(scope="module")
def synthesised_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No prompts, because nobody calls here."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "music").mkdir()
    return folder


FORBIDDEN_ACTIONS = {"Command", "UpdateConfig", "CreateConfig", "ListCategories", "AGI"}
# Present only with a card, or in the second Asterisk, in which a call is rehearsed.
CONDITIONAL_ACTIONS = {"DAHDIShowChannels", "PRIShowSpans", "PlayDTMF"}


def test_the_account_permits_only_the_actions_in_use(box: Box) -> None:
    """Compared with Asterisk's own list of the actions that this account may use."""
    source = "".join(file.read_text() for file in Path(pbx.__file__).parent.rglob("*.py"))
    used = set(re.findall(r'(?:[.]send_action|[.]list_events)\(\s*"(\w+)"', source))
    assert len(used) > 25
    with ami.Connection(box.settings) as asterisk:
        permitted = set(asterisk.send_action("ListCommands"))
        assert used - CONDITIONAL_ACTIONS - permitted == set()
        assert FORBIDDEN_ACTIONS & permitted == set()
        for action in sorted(FORBIDDEN_ACTIONS):
            with pytest.raises(ami.ActionRefused, match="denied|Invalid"):
                asterisk.send_action(
                    action, Filename="manager.conf", SrcFilename="x", Command="core"
                )
        planted = box.settings.asterisk.var / "planted"
        arguments = {"Channel": "Local/s@rehearsal/n", "Data": f"touch {planted}"}
        with pytest.raises(ami.ActionRefused):
            asterisk.send_action("Originate", **arguments, Application="System", Timeout=2000)
        assert not planted.exists()
    print(f"{len(used)} actions are used, {len(permitted)} are open to the account")


# The pages' requests to Asterisk are made in these files; the others belong to the pbx process.
PAGE_FILE_PATTERNS = ("actions/*.py", "originate.py")
# actions.reload, which the pages leave to the pbx process
PBX_PROCESS_ACTIONS = {
    "Reload",
    "ModuleLoad",
}
PROGRAM_APPLICATIONS = (
    "System",
    "TrySystem",
    "Exec",
    "TryExec",
    "AGI",
    "EAGI",
    "MixMonitor",
    "ExternalIVR",
)


def test_the_account_of_the_pages_permits_only_the_actions_of_pages(box: Box) -> None:
    """Actions that read or write a file, load a module or start a program are refused."""
    folder = Path(pbx.__file__).parent
    files = [file for pattern in PAGE_FILE_PATTERNS for file in folder.glob(pattern)]
    source = "".join(file.read_text() for file in files)
    used = set(
        re.findall(
            r'(?:[.]send_action|[.]list_events)\(\s*"(\w+)"|actions[.]append\(\("(\w+)"', source
        )
    )
    used = {name for pair in used for name in pair if name} - PBX_PROCESS_ACTIONS
    assert {"Originate", "Redirect", "QueuePause", "Hangup", "Setvar"} <= used
    planted = box.settings.asterisk.var / "planted"
    with (
        ami.Connection(box.settings.without_ami_secret()) as pages,
        ami.Connection(box.settings) as full_account,
    ):
        permitted = set(pages.send_action("ListCommands"))
        assert used - permitted == set()
        refused = set(full_account.send_action("ListCommands")) - permitted
        assert {"Reload", "ModuleLoad", "MixMonitor", "DBPut", "DialplanExtensionAdd"} <= refused
        assert {"GetConfig", "GetConfigJSON", "DBDelTree", "ModuleCheck"} <= refused
        for action in sorted((refused | FORBIDDEN_ACTIONS) - {"ActionID", "Response"}):
            with pytest.raises(ami.ActionRefused, match="denied|Invalid"):
                pages.send_action(action, Filename="pjsip.conf", Family="registrar/contact")
        for program in PROGRAM_APPLICATIONS:
            arguments = {"Channel": "Local/s@rehearsal/n", "Data": f"touch {planted}"}
            with pytest.raises(ami.ActionRefused, match="denied|Forbidden"):
                pages.send_action("Originate", **arguments, Application=program, Timeout=2000)
        shell = f"${{SHELL(touch {planted})}}"
        with pytest.raises(ami.ActionRefused, match="denied|Forbidden"):
            pages.send_action("Originate", Channel="Local/s@x", Application="NoOp", Data=shell)
    assert not planted.exists()
    print(
        f"{len(used)} actions are used, {len(permitted)} are open, {len(refused)} more are refused"
    )


def test_the_account_for_guesses_permits_no_commands(box: Box) -> None:
    asterisk = dataclasses.replace(
        box.settings.asterisk, ami_secret="", pages_secret=box.settings.asterisk.guesses_secret
    )
    with pytest.raises(ami.ActionRefused):  # as another account
        ami.Connection(dataclasses.replace(box.settings, asterisk=asterisk)).__enter__()
    with socket.create_connection((asterisk.inside, asterisk.ami_port), 3) as line:
        replies = line.makefile(newline="\r\n")
        replies.readline()

        def send_action(**fields: str) -> str:
            lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
            line.sendall("".join([*lines, "\r\n"]).encode())
            while "Response: " not in (answer := "".join(iter(replies.readline, "\r\n"))):
                pass  # skip an event, including that of its own login
            return answer

        assert "Success" in send_action(
            Action="Login", Username="guesses", Secret=asterisk.guesses_secret
        )
        for action in ("Originate", "Hangup", "Reload", "GetConfig", "QueueAdd", "Setvar"):
            assert "Permission denied" in send_action(Action=action, Channel="Local/s@x"), action


def test_a_plan_saved_on_a_page_is_installed_by_the_pbx_process(box: Box) -> None:
    """The pages neither write Asterisk's files nor make it read them."""
    etc, stop = box.settings.paths.asterisk, threading.Event()
    before = routing.current_plan(box.settings)
    plan = dataclasses.replace(before, limits=dataclasses.replace(before.limits, calls=7))
    text = {file: file.read_text() for file in etc.glob("*.conf")}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan_config, "_APPLY_TIMEOUT_SECONDS", 0.0)
        with pytest.raises(ami.Unreachable, match="pbx process"):
            actions.apply_plan(box.settings.without_ami_secret(), plan, "rustam")
    assert {file: file.read_text() for file in etc.glob("*.conf")} == text
    follower = threading.Thread(
        target=db.run_with_connection,
        args=(config_sync.follow_changes, box.settings, stop),
        daemon=True,
    )
    follower.start()
    try:
        second_plan = dataclasses.replace(
            before, limits=dataclasses.replace(before.limits, calls=8)
        )
        actions.apply_plan(box.settings.without_ami_secret(), second_plan, "rustam")
        assert {file: file.read_text() for file in etc.glob("*.conf")} != text
        actions.apply_plan(box.settings.without_ami_secret(), before, "rustam")
        assert {file: file.read_text() for file in etc.glob("*.conf")} == text
    finally:
        stop.set()
        follower.join(60)
