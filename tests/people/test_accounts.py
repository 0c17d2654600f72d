"""Accounts and the states of operators."""

import subprocess
import sys
import time

import pytest
from argon2 import PasswordHasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from appliance.core import audit
from appliance.core.settings import Settings
from appliance.models import AuditEntry, LiveEvent, User
from appliance.people import accounts, presence
from tests.rig.forging import forging
from tests.rig.people import PASSWORD

pytestmark = pytest.mark.usefixtures("settings")


def test_only_the_right_password_of_an_active_account_opens(nilufar: User) -> None:
    assert accounts.authenticate(nilufar.login, PASSWORD) == nilufar
    assert accounts.authenticate(f" {nilufar.login.upper()} ", PASSWORD) == nilufar
    assert accounts.authenticate(nilufar.login, PASSWORD + " ") is None
    assert accounts.authenticate("nobody", PASSWORD) is None
    accounts.disable(nilufar, by="test")
    assert accounts.authenticate(nilufar.login, PASSWORD) is None


def test_a_hash_takes_the_memory_that_guessing_must_not_have() -> None:
    """Asked of a process of its own: these tests hash with next to none."""
    ask = "from appliance.people import accounts; print(accounts._hasher.hash('x'))"
    made = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    memory, rounds, _ = made.stdout.split("$")[3].split(",")
    assert (memory, rounds) == ("m=65536", "t=3")


def test_passwords_are_kept_as_argon2_only(nilufar: User) -> None:
    assert nilufar.password_hash.startswith("$argon2id$")
    accounts.set_password(nilufar, "another one", by="test")
    assert accounts.authenticate(nilufar.login, PASSWORD) is None
    assert accounts.authenticate(nilufar.login, "another one")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        *((word, "short") for word in ("", "qisqa", "x" * 9)),
        *((word, "weak") for word in ("aaaaaaaaaa", "1234567890", "qwertyuiop", "password12")),
        *((word, "weak") for word in ("nilufar2026", "KarimovaNilufar", "x" * 5000)),
    ],
)
def test_a_password_that_is_guessed_soon_is_refused(password: str, code: str) -> None:
    with pytest.raises(accounts.StaffError) as told:
        accounts.prove_strong(password, "nilufar", "Nilufar Karimova")
    assert told.value.code == code


def test_a_leaked_password_is_refused_however_it_is_dressed() -> None:
    """All that are long enough, of the 30,000 most used ones that zxcvbn brings along."""
    leaked = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 10]
    assert len(leaked) > 500
    for number, word in enumerate(leaked):
        dressed = (word, word.upper(), word.capitalize(), word[::-1])[number % 4]
        with pytest.raises(accounts.StaffError) as told:
            accounts.prove_strong(dressed, "nilufar", "Nilufar Karimova")
        assert told.value.code == "weak", dressed


def test_a_strangers_name_takes_as_long_as_a_wrong_password(nilufar: User, monkeypatch) -> None:
    """By the processor's time, with the hashes of a box: the fastest of five of each."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher())
    accounts.set_password(nilufar, PASSWORD, by="test")
    accounts._nobody.cache_clear()
    accounts.authenticate("nobody", PASSWORD)  # what is made once

    def seconds(login: str) -> float:
        begun = time.process_time()
        assert accounts.authenticate(login, "wrong") is None
        return time.process_time() - begun

    known, strange = (min(seconds(login) for _ in range(5)) for login in ("nilufar", "nobody"))
    accounts._nobody.cache_clear()
    assert 0.5 < strange / known < 2


def test_other_passwords_are_taken() -> None:
    for password in (PASSWORD, "uch soʻz va bir raqam 7", "k3dF-9xQz-m2Lp"):
        accounts.prove_strong(password, "nilufar", "Nilufar Karimova")


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
def test_an_account_that_cannot_be_made_is_named(change: dict[str, object], code: str) -> None:
    wanted = {"login": "new", "name": "N", "role": "operator", "password": "x"} | change
    with pytest.raises(accounts.StaffError) as told:
        accounts.add(**wanted)  # type: ignore[arg-type]
    assert told.value.code == code
    assert User.get_or_none(User.login == "new") is None


def test_the_newest_state_is_in_force(nilufar: User) -> None:
    assert presence.states()[nilufar.login] == "off"
    for state in ("ready", "pause", "ready"):
        presence.choose_state(nilufar, state)
    assert presence.states()[nilufar.login] == "ready"
    topics = {event.topic for event in LiveEvent.select()}
    assert topics - {accounts.TOPIC} == {f"operator:{nilufar.login}", "operators"}
    with pytest.raises(accounts.StaffError):
        presence.choose_state(nilufar, "asleep")


def test_what_is_done_to_accounts_is_audited_and_cannot_be_altered(
    settings: Settings, nilufar: User
) -> None:
    accounts.set_password(nilufar, "x", by="texnik")
    accounts.disable(nilufar, by="texnik")
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(2)
    assert [(e.who, e.action, e.subject) for e in last] == [
        ("texnik", "user.disable", nilufar.login),
        ("texnik", "user.password", nilufar.login),
    ]
    assert audit.broken_at() is None
    with forging():
        AuditEntry.update(who="somebody").where(AuditEntry.action == "user.password").execute()
    assert audit.broken_at() == last[1].id


def test_an_entry_taken_out_of_the_audit_is_noticed(nilufar: User) -> None:
    for password in ("a", "b", "c"):
        accounts.set_password(nilufar, password, by="test")
    middle = AuditEntry.select().order_by(AuditEntry.id.desc()).offset(1).first()
    with forging():
        middle.delete_instance()
    assert audit.broken_at() == middle.id + 1
