"""By what parties outside know people: given as a password is, by whoever may do that."""

import pytest

from appliance.models import AuditEntry, Session, User
from appliance.people import identities, sessions
from appliance.people.accounts import StaffError


def test_one_is_found_by_it_while_the_account_is_open(nilufar, sherzod) -> None:
    identities.give(nilufar, "openid", " a-1 ", sherzod)
    assert identities.person("openid", "a-1") == nilufar
    assert identities.person("ldap", "a-1") is None
    assert identities.person("openid", "A-1") is None
    assert identities.of(nilufar) == {"openid": "a-1"}
    User.update(active=False).where(User.id == nilufar.id).execute()
    assert identities.person("openid", "a-1") is None


def test_a_change_ends_every_sign_in_and_is_audited(nilufar, sherzod) -> None:
    for subject in ("a-1", "a-2", ""):
        sessions.begin(nilufar, "192.168.1.20")
        identities.give(nilufar, "openid", subject, sherzod)
        assert not Session.select().exists()
    assert identities.of(nilufar) == {}
    told = [e.detail["named"] for e in AuditEntry.select() if e.action == "user.identity"]
    assert told == ["a-1", "a-2", ""]
    sessions.begin(nilufar, "192.168.1.20")
    identities.give(nilufar, "openid", "", sherzod)
    assert Session.select().count() == 1


@pytest.mark.parametrize(
    ("by", "whose", "subject", "code"),
    [
        ("rustam", "sherzod", "a-1", "rights"),  # he would become a reader of appeals
        ("rustam", "nilufar", "a-1", "rights"),
        ("sherzod", "sherzod", "a-1", "self"),
        ("sherzod", "nilufar", "taken", "subject"),
        ("sherzod", "nilufar", "x" * 256, "subject"),
        ("sherzod", "nilufar", "a\0b", "subject"),
    ],
)
def test_who_may_not_and_what_is_none(settings, by, whose, subject, code) -> None:
    people = {user.login: user for user in User.select()}
    identities.give(people["sardor"], "openid", "taken", None)
    with pytest.raises(StaffError) as told:
        identities.give(people[whose], "openid", subject, people[by])
    assert told.value.code == code


def test_the_technician_gives_it_to_technicians(rustam, oybek) -> None:
    identities.give(oybek, "ldap", "oybek.s", rustam)
    assert identities.person("ldap", "oybek.s") == oybek


def test_the_fallback_is_allowed_by_who_may_give_a_password(nilufar, sherzod, rustam) -> None:
    for by, whose in ((rustam, nilufar), (sherzod, sherzod)):
        with pytest.raises(StaffError):
            identities.allow_fallback(whose, True, by)
    for allowed in (True, True, False):
        identities.allow_fallback(nilufar, allowed, sherzod)
        assert User.get_by_id(nilufar.id).directory_fallback == allowed
    rows = [e.detail["allowed"] for e in AuditEntry.select() if e.action == "user.fallback"]
    assert rows == [True, False]
