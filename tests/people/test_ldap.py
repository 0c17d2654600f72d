"""Passwords that a real OpenLDAP looks at, and what holds while it is away."""

import dataclasses
import socket

import pytest

from appliance.core.settings import Ldap
from appliance.models import AuditEntry, Session, User
from appliance.people import accounts, identities, ldap, sessions, sign_ins
from appliance.people.accounts import StaffError
from tests.rig.outside.openldap import BIND, PEOPLE, directory
from tests.rig.people import PASSWORD

THERE, OTHERS = PEOPLE.values()
HERE = "192.168.1.20"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The directory, its rules, its folder."""
    folder = tmp_path_factory.mktemp("ldap")
    with socket.create_server(("127.9.9.3", 0)) as free:
        address = f"127.9.9.3:{free.getsockname()[1]}"
    party = directory(folder, address).start()
    yield party, Ldap(f"ldaps://{address}", BIND, str(folder / "ca.pem"))
    party.stop()


@pytest.fixture
def party(served):
    """The directory; it runs again after the test."""
    yield served[0]
    served[0].stop()
    served[0].start()


@pytest.fixture
def rules(served, settings):
    """The settings of the directory, which nobody has found away yet."""
    ldap._rests_until.clear()
    return served[1]


@pytest.fixture
def known(rules, nilufar):
    """Nilufar, whom the directory calls nilufar.k."""
    identities.give(nilufar, "ldap", "nilufar.k", None)
    return nilufar


def enter(rules, login: str, password: str) -> User | None:
    return sign_ins.check(login, password, HERE, asked=rules)


def test_the_directory_alone_knows_the_password_of_whom_it_knows(rules, known) -> None:
    assert enter(rules, "nilufar", PASSWORD) is None
    assert enter(rules, "nilufar", OTHERS) is None
    assert enter(rules, "nilufar", THERE) == known
    assert enter(rules, "sardor", PASSWORD).login == "sardor"
    assert enter(rules, "sardor", THERE) is None
    assert enter(rules, "nobody", THERE) is None
    assert enter(None, "nilufar", THERE) == known  # its hash is kept
    accounts.disable(known, by="test")
    assert enter(rules, "nilufar", THERE) is None


def test_an_empty_password_is_none(rules, known) -> None:
    """A directory answers yes to it: it takes it for an anonymous one."""
    assert not ldap.proves(rules, "nilufar.k", "")
    assert enter(rules, "nilufar", "") is None


def test_a_name_says_nothing_but_a_name(rules, known, sherzod) -> None:
    for subject in ("nilufar.k,ou=people", "*", "nilufar.k\\2cou=people", " ", '"'):
        assert not ldap.proves(rules, subject, THERE)


def test_it_is_asked_for_tls_before_anything_else(served, rules, known) -> None:
    host, _, port = rules.url.removeprefix("ldaps://").partition(":")
    plain = dataclasses.replace(rules, url=f"ldap://{host}:{int(port) + 1}")
    assert ldap.proves(plain, "nilufar.k", THERE)
    assert "STARTTLS" in served[0].said.read_text()


def test_one_that_nobody_vouches_for_is_away(rules, known) -> None:
    strange = dataclasses.replace(rules, ca="")
    with pytest.raises(ldap.Away, match="certificate"):
        ldap.proves(strange, "nilufar.k", THERE)


def fallback_rows() -> list[tuple[str, str]]:
    return [(e.who, e.subject) for e in AuditEntry.select() if e.action == "login.fallback"]


def test_while_it_is_away_only_the_box_s_own_people_sign_in(rules, known, party) -> None:
    assert enter(rules, "nilufar", THERE) == known
    party.stop()
    assert enter(rules, "nilufar", THERE) is None
    assert enter(rules, "sardor", PASSWORD)
    assert ldap.is_away(rules)
    assert not fallback_rows()
    party.start()
    with pytest.raises(ldap.Away):  # it rests, and is not asked yet
        ldap.proves(rules, "nilufar.k", THERE)
    ldap._rests_until.clear()
    assert enter(rules, "nilufar", THERE) == known


def test_the_fallback_is_enabled_per_person_and_each_use_audited(
    rules, known, sherzod, party
) -> None:
    identities.allow_fallback(known, True, sherzod)
    assert enter(rules, "nilufar", THERE) == known
    assert not fallback_rows()
    party.stop()
    assert enter(rules, "nilufar", OTHERS) is None
    assert not fallback_rows()
    for uses in (1, 2):
        assert enter(rules, "nilufar", THERE) == known
        assert fallback_rows() == [("nilufar", "nilufar")] * uses
    identities.allow_fallback(known, False, None)
    assert enter(rules, "nilufar", THERE) is None
    assert len(fallback_rows()) == 2


@pytest.mark.parametrize("typed", ["\u00ad", "a\0b", "\ue000", "\u202e", "x" * 400_000])
def test_no_password_makes_it_count_as_away(rules, known, sherzod, typed) -> None:
    """Those that cannot be sent, and one for which the directory ends the connection."""
    identities.allow_fallback(known, True, sherzod)
    accounts.set_password(known, typed if typed.isascii() else OTHERS, by="test")
    for login in ("nilufar", "nobody"):
        assert enter(rules, login, typed) is None
    assert not ldap.is_away(rules)
    assert enter(rules, "nilufar", OTHERS) is None  # the former one, revoked there
    assert enter(rules, "nilufar", THERE) == known
    assert not fallback_rows()


@pytest.mark.parametrize(("bind", "text"), [("uid={}", "no such"), ("{}", "no name")])
def test_a_refusal_of_another_kind_is_no_fault(served, known, bind, text) -> None:
    rules = dataclasses.replace(served[1], bind=bind)
    ldap._rests_until.clear()
    identities.allow_fallback(known, True, None)
    assert enter(rules, "nilufar", PASSWORD) is None, text
    assert not ldap.is_away(rules)


def test_one_that_hangs_is_away_for_everybody(served, known, monkeypatch) -> None:
    """It accepts connections and never answers: found once, not waited for by each."""
    monkeypatch.setattr(ldap, "CONNECT", 1)
    ldap._rests_until.clear()
    with socket.create_server(("127.9.9.3", 0)) as silent:
        rules = dataclasses.replace(served[1], url=f"ldaps://127.9.9.3:{silent.getsockname()[1]}")
        assert enter(rules, "nilufar", PASSWORD) is None
        assert ldap.is_away(rules)
        identities.allow_fallback(known, True, None)
        assert enter(rules, "nilufar", PASSWORD) == known
    assert fallback_rows() == [("nilufar", "nilufar")]


def test_another_password_there_ends_what_began_with_the_former(rules, known) -> None:
    sessions.begin(known, HERE)
    assert enter(rules, "nilufar", THERE)  # never seen here before
    assert not Session.select().exists()
    told = AuditEntry.get(AuditEntry.action == "user.password")
    assert (told.who, told.subject) == ("ldap", "nilufar")
    sessions.begin(known, HERE)
    assert enter(rules, "nilufar", THERE)
    assert Session.select().count() == 1


def test_the_password_is_changed_there(rules, known) -> None:
    with pytest.raises(StaffError, match="directory"):
        sign_ins.change_password(known, THERE, "uch soʻz va bir raqam", HERE, asked=rules)


def test_strangers_cannot_have_the_directory_lock_anybody_out(served, rules, known) -> None:
    """It counts what is tried for a name; so few of theirs reach it."""
    before = served[0].said.read_text().count(" BIND dn=")
    for number in range(5):
        assert sign_ins.check("nilufar", "wrong", f"10.0.0.{number}", asked=rules) is None
    with pytest.raises(sign_ins.TooMany):
        sign_ins.check("nilufar", THERE, "10.0.0.9", asked=rules)
    assert served[0].said.read_text().count(" BIND dn=") == before + 5
    assert sign_ins.check("nilufar", THERE, HERE, "desk-1", rules) == known


def test_strangers_are_asked_for_there_too(served, rules, settings) -> None:
    """So the time of an answer does not tell who is known there."""
    before = served[0].said.read_text().count(" BIND dn=")
    assert enter(rules, "nobody", PASSWORD) is None
    assert served[0].said.read_text().count(" BIND dn=") == before + 1
    assert enter(rules, "sardor", PASSWORD)
    assert served[0].said.read_text().count(" BIND dn=") == before + 1
