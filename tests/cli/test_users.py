"""`appliance user`: accounts from the command line and from a file."""

import json
from pathlib import Path

from appliance.models import User
from appliance.people import accounts
from tests.cli.conftest import Run

HEAD = "login,name,role,languages,topics,extension\n"


def test_a_new_user_must_change_the_password(run: Run) -> None:
    new = ("--name", "Oʻktam Gʻaniyev", "--role", "operator", "--speaks", "uz,ru")
    first = "birinchi parol 77"
    typed = ("--password-stdin", "--must-change")
    done = run("user", "add", "yangi", *new, *typed, typed=first + "\n")
    assert done.returncode == 0, done.stderr
    user = accounts.authenticate_user("yangi", first)
    assert user
    assert (user.must_change, user.topics, user.name_cyrl) == (True, None, "Ўктам Ғаниев")
    done = run("user", "passwd", "yangi", "--password-stdin", typed=first + "\n")
    assert done.returncode == 0, done.stderr
    assert not User.get(User.login == "yangi").must_change


def test_an_account_is_changed_disabled_and_enabled(run: Run) -> None:
    done = run("user", "set", "nilufar", "--extension", "1500", "--speaks", "ru", "--topics", "-")
    assert done.returncode == 0, done.stderr
    user = accounts.find_account("nilufar")
    assert (user.extension, user.speaks, user.topics) == ("1500", "ru", "")
    assert done.stdout.strip() == user.sip_password
    assert run("user", "set", "nilufar", "--role", "backup").returncode == 0
    assert accounts.find_account("nilufar").role == "backup"
    for wrong in (("--extension", "12"), ("--topics", "pension"), ("--department", "none")):
        done = run("user", "set", "sardor", *wrong)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert run("user", "set", "nobody", "--name", "x").returncode == 1
    for command, active in (("disable", False), ("enable", True)):
        assert run("user", command, "sardor").returncode == 0
        assert accounts.find_account("sardor").active == active
    for option, allowed in (("--directory-fallback", True), ("--no-directory-fallback", False)):
        assert accounts.find_account("nilufar").directory_fallback != allowed
        assert run("user", "set", "nilufar", option).returncode == 0
        assert accounts.find_account("nilufar").directory_fallback == allowed
    listed = {row["login"]: row for row in json.loads(run("user", "list", "--json").stdout)}
    assert listed["nilufar"]["role"] == "backup"
    assert listed["sardor"]["speaks"] == "uz ru"


def test_a_file_with_one_invalid_line_creates_no_account(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    good = HEAD + "op30,Bir,operator,uz,,1030\nop31,Ikki,operator,uz ru,-,1031\n"
    file.write_text(good + "op31,Uch,operator,en,,\n")
    done = run("user", "import", str(file))
    assert done.returncode == 1
    assert "line 4: twice" in done.stderr
    assert accounts.find_account("op30") is None
    file.write_text(good)
    assert run("user", "import", str(file), "--dry-run").returncode == 0
    assert accounts.find_account("op30") is None
    rows = json.loads(run("user", "import", str(file), "--json").stdout)
    assert [row["login"] for row in rows] == ["op30", "op31"]
    user = accounts.authenticate_user("op31", rows[1]["password"])
    assert user
    assert (user.sip_password, user.topics, user.must_change) == (
        rows[1]["phone_password"],
        "",
        True,
    )


def test_an_external_identity_is_set_shown_and_removed(run: Run) -> None:
    assert run("user", "identity", "nilufar", "openid", "n-1").returncode == 0
    assert run("user", "identity", "nilufar").stdout == "openid  n-1\n"
    refused = run("user", "identity", "sardor", "openid", "n-1")
    assert refused.returncode == 1
    assert "somebody else's" in refused.stderr
    assert run("user", "identity", "nilufar", "openid", "").returncode == 0
    assert run("user", "identity", "nilufar").stdout == ""
    assert run("user", "identity", "nilufar", "oneid", "n-1").returncode == 2
