"""Identities of users at outside parties: they are assigned like passwords, by the same roles."""

import pytest

from appliance.core.refusals import Refused
from appliance.models import AuditEntry, Session, User
from appliance.people import identities, sessions


def test_a_user_is_found_by_identity_while_the_account_is_active(nilufar, sherzod) -> None:
    identities.set_identity(nilufar, "openid", " a-1 ", sherzod)
    assert identities.find_user("openid", "a-1") == nilufar
    assert identities.find_user("ldap", "a-1") is None
    assert identities.find_user("openid", "A-1") is None
    assert identities.identity_subjects(nilufar) == {"openid": "a-1"}
    User.update(active=False).where(User.id == nilufar.id).execute()
    assert identities.find_user("openid", "a-1") is None


def test_a_change_ends_every_sign_in_and_is_audited(nilufar, sherzod) -> None:
    for subject in ("a-1", "a-2", ""):
        sessions.begin_session(nilufar, "192.168.1.20")
        identities.set_identity(nilufar, "openid", subject, sherzod)
        assert not Session.select().exists()
    assert identities.identity_subjects(nilufar) == {}
    subjects = [e.detail["named"] for e in AuditEntry.select() if e.action == "user.identity"]
    assert subjects == ["a-1", "a-2", ""]
    sessions.begin_session(nilufar, "192.168.1.20")
    identities.set_identity(nilufar, "openid", "", sherzod)
    assert Session.select().count() == 1


@pytest.mark.parametrize(
    ("by", "whose", "subject", "code"),
    [
        ("rustam", "sherzod", "a-1", "rights"),  # they would gain access to appeals
        ("rustam", "nilufar", "a-1", "rights"),
        ("sherzod", "sherzod", "a-1", "self"),
        ("sherzod", "nilufar", "taken", "subject"),
        ("sherzod", "nilufar", "x" * 256, "subject"),
        ("sherzod", "nilufar", "a\0b", "subject"),
    ],
)
def test_unauthorised_or_invalid_identities_are_refused(settings, by, whose, subject, code) -> None:
    people = {user.login: user for user in User.select()}
    identities.set_identity(people["sardor"], "openid", "taken", None)
    with pytest.raises(Refused) as error:
        identities.set_identity(people[whose], "openid", subject, people[by])
    assert error.value.code == code


def test_a_technician_assigns_identities_to_technicians(rustam, oybek) -> None:
    identities.set_identity(oybek, "ldap", "oybek.s", rustam)
    assert identities.find_user("ldap", "oybek.s") == oybek


def test_the_fallback_is_permitted_by_those_who_may_assign_a_password(
    nilufar, sherzod, rustam
) -> None:
    for by, whose in ((rustam, nilufar), (sherzod, sherzod)):
        with pytest.raises(Refused):
            identities.set_directory_fallback(whose, True, by)
    for allowed in (True, True, False):
        identities.set_directory_fallback(nilufar, allowed, sherzod)
        assert User.get_by_id(nilufar.id).directory_fallback == allowed
    rows = [e.detail["allowed"] for e in AuditEntry.select() if e.action == "user.fallback"]
    assert rows == [True, False]
