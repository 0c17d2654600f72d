"""Passwords verified by a real OpenLDAP, and sign-in while it is unavailable."""

import dataclasses
import socket

import pytest

from appliance.core.refusals import Refused
from appliance.core.settings import Ldap
from appliance.models import AuditEntry, Session, User
from appliance.people import accounts, identities, ldap, sessions, sign_ins
from tests.rig.outside.openldap import BIND_PATTERN, DIRECTORY_PASSWORDS, make_directory
from tests.rig.people import PASSWORD
from tests.rig.waiting import wait_until

THERE, OTHERS = DIRECTORY_PASSWORDS.values()
HERE = "192.168.1.20"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The directory and its settings."""
    folder = tmp_path_factory.mktemp("ldap")
    with socket.create_server(("127.9.9.3", 0)) as free:
        address = f"127.9.9.3:{free.getsockname()[1]}"
    party = make_directory(folder, address).start_server()
    yield party, Ldap(f"ldaps://{address}", BIND_PATTERN, str(folder / "ca.pem"))
    party.stop_server()


@pytest.fixture
def party(served):
    """The directory; it is running again after the test."""
    yield served[0]
    served[0].stop_server()
    served[0].start_server()


@pytest.fixture
def rules(served, settings):
    """The settings of the directory, with its record of failures cleared."""
    ldap._retry_times.clear()
    return served[1]


@pytest.fixture
def directory_user(rules, nilufar):
    """Nilufar, whose name in the directory is nilufar.k."""
    identities.set_identity(nilufar, "ldap", "nilufar.k", None)
    return nilufar


def sign_in(rules, login: str, password: str) -> User | None:
    return sign_ins.check_password(login, password, HERE, directory=rules)


def test_only_the_directory_verifies_passwords_of_its_users(rules, directory_user) -> None:
    assert sign_in(rules, "nilufar", PASSWORD) is None
    assert sign_in(rules, "nilufar", OTHERS) is None
    assert sign_in(rules, "nilufar", THERE) == directory_user
    assert sign_in(rules, "sardor", PASSWORD).login == "sardor"
    assert sign_in(rules, "sardor", THERE) is None
    assert sign_in(rules, "nobody", THERE) is None
    assert sign_in(None, "nilufar", THERE) == directory_user  # the hash of the password is stored
    accounts.disable_account(directory_user, by="test")
    assert sign_in(rules, "nilufar", THERE) is None


def test_an_empty_password_is_refused(rules, directory_user) -> None:
    """A directory accepts it, because it treats it as an anonymous bind."""
    assert not ldap.accepts_password(rules, "nilufar.k", "")
    assert sign_in(rules, "nilufar", "") is None


def test_special_characters_in_a_name_have_no_effect(rules, directory_user, sherzod) -> None:
    for subject in ("nilufar.k,ou=people", "*", "nilufar.k\\2cou=people", " ", '"'):
        assert not ldap.accepts_password(rules, subject, THERE)


def test_tls_is_started_before_anything_else(served, rules, directory_user) -> None:
    host, _, port = rules.url.removeprefix("ldaps://").partition(":")
    plain = dataclasses.replace(rules, url=f"ldap://{host}:{int(port) + 1}")
    assert ldap.accepts_password(plain, "nilufar.k", THERE)
    assert "STARTTLS" in served[0].log_file.read_text()


def test_a_directory_with_an_untrusted_certificate_counts_as_unavailable(
    rules, directory_user
) -> None:
    strange = dataclasses.replace(rules, ca="")
    with pytest.raises(ldap.DirectoryUnavailable, match="certificate"):
        ldap.accepts_password(strange, "nilufar.k", THERE)


def fallback_rows() -> list[tuple[str, str]]:
    return [(e.who, e.subject) for e in AuditEntry.select() if e.action == "login.fallback"]


def test_while_the_directory_is_unavailable_only_local_users_sign_in(
    rules, directory_user, party
) -> None:
    assert sign_in(rules, "nilufar", THERE) == directory_user
    party.stop_server()
    assert sign_in(rules, "nilufar", THERE) is None
    assert sign_in(rules, "sardor", PASSWORD)
    assert ldap.is_unavailable(rules)
    assert not fallback_rows()
    party.start_server()
    with pytest.raises(ldap.DirectoryUnavailable):  # it is paused, and not contacted yet
        ldap.accepts_password(rules, "nilufar.k", THERE)

    def is_signed_in_again() -> bool:
        ldap._retry_times.clear()
        return sign_in(rules, "nilufar", THERE) == directory_user

    wait_until(is_signed_in_again, 30)  # a busy directory may exceed a timeout once


def test_the_fallback_is_enabled_per_user_and_each_use_is_audited(
    rules, directory_user, sherzod, party
) -> None:
    identities.set_directory_fallback(directory_user, True, sherzod)
    assert sign_in(rules, "nilufar", THERE) == directory_user
    assert not fallback_rows()
    party.stop_server()
    assert sign_in(rules, "nilufar", OTHERS) is None
    assert not fallback_rows()
    for uses in (1, 2):
        assert sign_in(rules, "nilufar", THERE) == directory_user
        assert fallback_rows() == [("nilufar", "nilufar")] * uses
    identities.set_directory_fallback(directory_user, False, None)
    assert sign_in(rules, "nilufar", THERE) is None
    assert len(fallback_rows()) == 2


@pytest.mark.parametrize("typed", ["\u00ad", "a\0b", "\ue000", "\u202e", "x" * 400_000])
def test_no_password_makes_the_directory_count_as_unavailable(
    rules, directory_user, sherzod, typed
) -> None:
    """Passwords that cannot be sent, and one for which the directory closes the connection."""
    identities.set_directory_fallback(directory_user, True, sherzod)
    accounts.set_password(directory_user, typed if typed.isascii() else OTHERS, by="test")
    for login in ("nilufar", "nobody"):
        assert sign_in(rules, login, typed) is None
    assert not ldap.is_unavailable(rules)
    # the previous password, revoked in the directory
    assert sign_in(rules, "nilufar", OTHERS) is None
    assert sign_in(rules, "nilufar", THERE) == directory_user
    assert not fallback_rows()


@pytest.mark.parametrize(("bind", "text"), [("uid={}", "no such"), ("{}", "no name")])
def test_a_refusal_of_another_kind_is_not_a_fault(served, directory_user, bind, text) -> None:
    rules = dataclasses.replace(served[1], bind=bind)
    ldap._retry_times.clear()
    identities.set_directory_fallback(directory_user, True, None)
    assert sign_in(rules, "nilufar", PASSWORD) is None, text
    assert not ldap.is_unavailable(rules)


def test_a_hanging_directory_counts_as_unavailable_for_everyone(
    served, directory_user, monkeypatch
) -> None:
    """It accepts connections but never answers: only the first user waits for it."""
    monkeypatch.setattr(ldap, "CONNECT_TIMEOUT_SECONDS", 1)
    ldap._retry_times.clear()
    with socket.create_server(("127.9.9.3", 0)) as silent:
        rules = dataclasses.replace(served[1], url=f"ldaps://127.9.9.3:{silent.getsockname()[1]}")
        assert sign_in(rules, "nilufar", PASSWORD) is None
        assert ldap.is_unavailable(rules)
        identities.set_directory_fallback(directory_user, True, None)
        assert sign_in(rules, "nilufar", PASSWORD) == directory_user
    assert fallback_rows() == [("nilufar", "nilufar")]


def test_a_changed_directory_password_ends_earlier_sessions(rules, directory_user) -> None:
    sessions.begin_session(directory_user, HERE)
    assert sign_in(rules, "nilufar", THERE)  # this password is new here
    assert not Session.select().exists()
    entry = AuditEntry.get(AuditEntry.action == "user.password")
    assert (entry.who, entry.subject) == ("ldap", "nilufar")
    sessions.begin_session(directory_user, HERE)
    assert sign_in(rules, "nilufar", THERE)
    assert Session.select().count() == 1


def test_a_directory_password_cannot_be_changed_here(rules, directory_user) -> None:
    with pytest.raises(Refused, match="directory"):
        sign_ins.change_password(
            directory_user, THERE, "uch soʻz va bir raqam", HERE, directory=rules
        )


def test_strangers_cannot_lock_out_a_user_in_the_directory(served, rules, directory_user) -> None:
    """The directory counts attempts per name, so that only a few attempts of strangers reach it."""
    before = served[0].log_file.read_text().count(" BIND dn=")
    for number in range(5):
        assert (
            sign_ins.check_password("nilufar", "wrong", f"10.0.0.{number}", directory=rules) is None
        )
    with pytest.raises(sign_ins.TooManyAttempts):
        sign_ins.check_password("nilufar", THERE, "10.0.0.9", directory=rules)
    assert served[0].log_file.read_text().count(" BIND dn=") == before + 5
    assert sign_ins.check_password("nilufar", THERE, HERE, "desk-1", rules) == directory_user


def test_unknown_logins_are_also_looked_up_in_the_directory(served, rules, settings) -> None:
    """So the response time does not reveal which logins exist in the directory."""
    before = served[0].log_file.read_text().count(" BIND dn=")
    assert sign_in(rules, "nobody", PASSWORD) is None
    assert served[0].log_file.read_text().count(" BIND dn=") == before + 1
    assert sign_in(rules, "sardor", PASSWORD)
    assert served[0].log_file.read_text().count(" BIND dn=") == before + 1
