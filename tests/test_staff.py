"""Accounts and the states of operators."""

import pytest
from people import PASSWORD

from appliance import audit, staff
from appliance.models import AuditEntry, LiveEvent, User
from appliance.settings import Settings

pytestmark = pytest.mark.usefixtures("settings")


def test_only_the_right_password_of_an_active_account_opens(nilufar: User) -> None:
    assert staff.authenticate(nilufar.login, PASSWORD) == nilufar
    assert staff.authenticate(f" {nilufar.login.upper()} ", PASSWORD) == nilufar
    assert staff.authenticate(nilufar.login, PASSWORD + " ") is None
    assert staff.authenticate("nobody", PASSWORD) is None
    staff.disable(nilufar, by="test")
    assert staff.authenticate(nilufar.login, PASSWORD) is None


def test_passwords_are_kept_as_argon2_only(nilufar: User) -> None:
    assert nilufar.password_hash.startswith("$argon2id$")
    staff.set_password(nilufar, "another one", by="test")
    assert staff.authenticate(nilufar.login, PASSWORD) is None
    assert staff.authenticate(nilufar.login, "another one")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"login": "nilufar"}, "login"),
        ({"role": "boss"}, "role"),
        ({"extension": "1001"}, "extension"),
        ({"speaks": ("uz", "en")}, "speaks"),
    ],
)
def test_an_account_that_cannot_be_made_is_named(change: dict[str, object], code: str) -> None:
    wanted = {"login": "new", "name": "N", "role": "operator", "password": "x"} | change
    with pytest.raises(staff.StaffError) as told:
        staff.add(**wanted)  # type: ignore[arg-type]
    assert told.value.code == code
    assert User.get_or_none(User.login == "new") is None


def test_the_newest_state_is_in_force(nilufar: User) -> None:
    assert staff.states()[nilufar.login] == "off"
    for state in ("ready", "pause", "ready"):
        staff.choose_state(nilufar, state)
    assert staff.states()[nilufar.login] == "ready"
    topics = {event.topic for event in LiveEvent.select()}
    assert topics == {f"operator:{nilufar.login}", "operators"}
    with pytest.raises(staff.StaffError):
        staff.choose_state(nilufar, "asleep")


def test_what_is_done_to_accounts_is_audited_and_cannot_be_altered(
    settings: Settings, nilufar: User
) -> None:
    staff.set_password(nilufar, "x", by="texnik")
    staff.disable(nilufar, by="texnik")
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(2)
    assert [(e.who, e.action, e.subject) for e in last] == [
        ("texnik", "user.disable", nilufar.login),
        ("texnik", "user.password", nilufar.login),
    ]
    assert audit.broken_at() is None
    AuditEntry.update(who="somebody").where(AuditEntry.action == "user.password").execute()
    assert audit.broken_at() == last[1].id


def test_an_entry_taken_out_of_the_audit_is_noticed(nilufar: User) -> None:
    for password in ("a", "b", "c"):
        staff.set_password(nilufar, password, by="test")
    middle = AuditEntry.select().order_by(AuditEntry.id.desc()).offset(1).first()
    middle.delete_instance()
    assert audit.broken_at() == middle.id + 1
