"""Accounts and the states of operators."""

import subprocess
import sys
import time

import pytest
from argon2 import PasswordHasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from appliance.core import audit
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import AuditEntry, LiveEvent, User
from appliance.people import accounts, presence
from tests.rig.forging import without_triggers
from tests.rig.people import PASSWORD

pytestmark = pytest.mark.usefixtures("settings")


def test_only_the_right_password_of_an_active_account_signs_in(nilufar: User) -> None:
    assert accounts.authenticate_user(nilufar.login, PASSWORD) == nilufar
    assert accounts.authenticate_user(f" {nilufar.login.upper()} ", PASSWORD) == nilufar
    assert accounts.authenticate_user(nilufar.login, PASSWORD + " ") is None
    assert accounts.authenticate_user("nobody", PASSWORD) is None
    accounts.disable_account(nilufar, by="test")
    assert accounts.authenticate_user(nilufar.login, PASSWORD) is None


def test_a_password_hash_uses_the_required_memory() -> None:
    """Measured in a separate process: these tests hash with minimal memory."""
    script = "from appliance.people import accounts; print(accounts._hasher.hash('x'))"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    memory, rounds, _ = process.stdout.split("$")[3].split(",")
    assert (memory, rounds) == ("m=65536", "t=3")


def test_passwords_are_stored_only_as_argon2_hashes(nilufar: User) -> None:
    assert nilufar.password_hash.startswith("$argon2id$")
    accounts.set_password(nilufar, "another one", by="test")
    assert accounts.authenticate_user(nilufar.login, PASSWORD) is None
    assert accounts.authenticate_user(nilufar.login, "another one")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        *((word, "short") for word in ("", "qisqa", "x" * 9)),
        *((word, "weak") for word in ("aaaaaaaaaa", "1234567890", "qwertyuiop", "password12")),
        *((word, "weak") for word in ("nilufar2026", "KarimovaNilufar", "x" * 5000)),
    ],
)
def test_an_easily_guessed_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(Refused) as error:
        accounts.require_strong_password(password, "nilufar", "Nilufar Karimova")
    assert error.value.code == code


def test_a_leaked_password_is_refused_in_any_disguise() -> None:
    """All passwords of 10 characters or more, of zxcvbn's list of the 30,000 most used ones."""
    leaked = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 10]
    assert len(leaked) > 500
    for number, word in enumerate(leaked):
        dressed = (word, word.upper(), word.capitalize(), word[::-1])[number % 4]
        with pytest.raises(Refused) as error:
            accounts.require_strong_password(dressed, "nilufar", "Nilufar Karimova")
        assert error.value.code == "weak", dressed


def test_an_unknown_login_takes_as_long_as_a_wrong_password(nilufar: User, monkeypatch) -> None:
    """Measured in processor time, with the production hash: the fastest of five of each."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher())
    accounts.set_password(nilufar, PASSWORD, by="test")
    accounts._dummy_hash.cache_clear()
    accounts.authenticate_user("nobody", PASSWORD)  # fills the cache

    def seconds_of(login: str) -> float:
        begun = time.process_time()
        assert accounts.authenticate_user(login, "wrong") is None
        return time.process_time() - begun

    known_seconds, unknown_seconds = (
        min(seconds_of(login) for _ in range(5)) for login in ("nilufar", "nobody")
    )
    accounts._dummy_hash.cache_clear()
    assert 0.5 < unknown_seconds / known_seconds < 2


def test_strong_passwords_are_accepted() -> None:
    for password in (PASSWORD, "uch soʻz va bir raqam 7", "k3dF-9xQz-m2Lp"):
        accounts.require_strong_password(password, "nilufar", "Nilufar Karimova")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"login": "nilufar"}, "login"),
        ({"login": "n" * 49}, "login"),
        ({"role": "boss"}, "role"),
        ({"extension": "1001"}, "extension"),
        ({"speaks": ("uz", "en")}, "speaks"),
    ],
)
def test_an_invalid_account_is_refused_with_a_code(change: dict[str, object], code: str) -> None:
    properties = {"login": "new", "name": "N", "role": "operator", "password": "x"} | change
    with pytest.raises(Refused) as error:
        accounts.create_account(**properties)  # type: ignore[arg-type]
    assert error.value.code == code
    assert User.get_or_none(User.login == "new") is None


def test_the_latest_state_applies(nilufar: User) -> None:
    assert presence.states_by_login()[nilufar.login] == "off"
    for state in ("ready", "pause", "ready"):
        presence.choose_state(nilufar, state)
    assert presence.states_by_login()[nilufar.login] == "ready"
    topics = {event.topic for event in LiveEvent.select()}
    assert topics - {accounts.TOPIC} == {f"operator:{nilufar.login}", "operators"}
    with pytest.raises(Refused):
        presence.choose_state(nilufar, "asleep")


def test_changes_to_accounts_are_audited_and_forging_the_audit_is_detected(
    settings: Settings, nilufar: User
) -> None:
    accounts.set_password(nilufar, "x", by="texnik")
    accounts.disable_account(nilufar, by="texnik")
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(2)
    assert [(e.who, e.action, e.subject) for e in last] == [
        ("texnik", "user.disable", nilufar.login),
        ("texnik", "user.password", nilufar.login),
    ]
    assert audit.first_broken_id() is None
    with without_triggers():
        AuditEntry.update(who="somebody").where(AuditEntry.action == "user.password").execute()
    assert audit.first_broken_id() == last[1].id


def test_an_entry_deleted_from_the_audit_is_detected(nilufar: User) -> None:
    for password in ("a", "b", "c"):
        accounts.set_password(nilufar, password, by="test")
    middle = AuditEntry.select().order_by(AuditEntry.id.desc()).offset(1).first()
    with without_triggers():
        middle.delete_instance()
    assert audit.first_broken_id() == middle.id + 1
