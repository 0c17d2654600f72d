"""Who may give which right to a program: every role and scope, alone and with a second person."""

import re
from itertools import chain, combinations
from typing import Any

import pytest
from werkzeug.test import TestResponse

from appliance.core import audit
from appliance.core.refusals import Refused
from appliance.models import AccessKey, AuditEntry, User
from appliance.people import keys, staff
from appliance.people.accounts import ROLES
from tests.rig.people import LOGIN_OF_ROLE

# What the users of a role may do themselves, listed here independently of the product's tables;
# shell/test_access.py proves it.
SCOPES_OF_ROLE = {
    "supervisor": {"appeals:read", "appeals:personal", "reports:read"},
    "manager": {"appeals:read", "appeals:personal", "reports:read"},
    "ministry": set(keys.SCOPES),
}
ALL_SCOPE_SETS = list(chain.from_iterable(combinations(keys.SCOPES, n) for n in range(1, 5)))


def create_key(browser: Any, *scopes: str, **fields: str) -> TestResponse:
    return browser.send("/keys", **({"name": "Tizim", "scope": list(scopes)} | fields))


def shown_secret(answer: TestResponse) -> str:
    match = re.search(r'id="secret">([^<]+)<', answer.text)
    assert match
    return match[1]


def can_open(app: Any, secret: str, path: str = "/api/v1/appeals") -> bool:
    headers = {"Authorization": f"Bearer {secret}"}
    return app.test_client().get(path, headers=headers).status_code == 200


@pytest.fixture
def another_manager(sherzod: User) -> User:
    values = {n: v for n, v in sherzod.__data__.items() if n != "id"}
    return User.create(**values | {"login": "jamshid", "name": "Jamshid"})


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"manager"}))
@pytest.mark.parametrize("scope", keys.SCOPES)
def test_only_the_manager_can_create_a_key(login_as, role: str, scope: str) -> None:
    browser = login_as(role)
    headers = {"X-CSRFToken": browser.token("/account")}
    answer = browser.post("/keys", data={"name": "x", "scope": scope}, headers=headers)
    assert answer.status_code == 403
    assert not AccessKey.select().exists()
    user = User.get(User.login == LOGIN_OF_ROLE[role])
    with pytest.raises(Refused):
        keys.create_key("x", (scope,), department=None, ends_at=None, by=user)


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_manager_alone_cannot_put_an_appeals_key_in_force(app, login_as, scope: str) -> None:
    manager = login_as("manager")
    secret = shown_secret(create_key(manager, scope))
    assert (keys.find_valid_key(secret) is not None) == (scope == "reports:read")
    if scope != "reports:read":
        number = AccessKey.get().id
        assert manager.send(f"/keys/{number}/confirm").status_code == 403
        assert keys.find_valid_key(secret) is None
        assert not can_open(app, secret)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scopes", ALL_SCOPE_SETS, ids=" ".join)
def test_second_person_can_only_confirm_their_own_scopes(
    role: str, scopes: tuple[str, ...], sherzod: User, another_manager: User
) -> None:
    confirmer = (
        another_manager if role == "manager" else User.get(User.login == LOGIN_OF_ROLE[role])
    )
    key, secret = keys.create_key("x", scopes, department=None, ends_at=None, by=sherzod)
    if scopes == ("reports:read",):
        assert keys.find_valid_key(secret)
        return
    if set(scopes) <= SCOPES_OF_ROLE.get(role, set()):
        assert keys.keys_to_confirm(confirmer) == [key]
        keys.confirm_key(key, confirmer)
        assert keys.find_valid_key(secret) == key
        assert keys.keys_to_confirm(confirmer) == []
    else:
        assert keys.keys_to_confirm(confirmer) == []
        with pytest.raises(Refused):
            keys.confirm_key(key, confirmer)
        assert keys.find_valid_key(secret) is None


def test_ministry_confirms_only_keys_of_its_own_department(
    login_as, labour, law, bahodir: User
) -> None:
    staff.assign_department(bahodir, labour.id, by="sherzod")
    manager = login_as("manager")
    ministry = login_as("ministry")
    for name, department in (
        ("KEY-ALL", ""),
        ("KEY-LAW", str(law.id)),
        ("KEY-LABOUR", str(labour.id)),
    ):
        create_key(manager, "appeals:read", "appeals:write", name=name, department=department)
    page = ministry.get("/keys").text
    assert "KEY-LABOUR" in page
    assert "KEY-ALL" not in page
    assert "KEY-LAW" not in page
    status_codes = [
        ministry.send(f"/keys/{key.id}/confirm").status_code
        for key in list(AccessKey.select().order_by(AccessKey.id))
    ]
    assert status_codes == [403, 403, 302]


def test_revoked_or_confirmed_key_cannot_be_confirmed_again(login_as) -> None:
    manager, supervisor = login_as("manager"), login_as("supervisor")
    secret = shown_secret(create_key(manager, "appeals:read"))
    number = AccessKey.get().id
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 302
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 403
    assert login_as("technician").send(f"/keys/{number}/revoke").status_code == 302
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 403
    assert keys.find_valid_key(secret) is None
    assert supervisor.send("/keys/99/confirm").status_code == 404


def test_both_persons_are_recorded_in_the_audit(login_as) -> None:
    create_key(login_as("manager"), "appeals:read", "appeals:personal")
    login_as("supervisor").send(f"/keys/{AccessKey.get().id}/confirm")
    created, confirmed = AuditEntry.select().where(AuditEntry.action.startswith("key."))
    assert (created.who, created.action) == ("sherzod", "key.make")
    assert (confirmed.who, confirmed.action) == ("dilnoza", "key.confirm")
    assert confirmed.detail["made_by"] == "sherzod"
    assert confirmed.detail["scopes"] == "appeals:read appeals:personal"
    assert audit.first_broken_id() is None


@pytest.mark.parametrize(("role", "path"), [("supervisor", "/people"), ("ministry", "/appeals")])
def test_tab_is_hidden_while_there_is_nothing_to_confirm(login_as, role: str, path: str) -> None:
    browser = login_as(role)
    assert 'href="/keys"' not in browser.get(path).text
    create_key(login_as("manager"), "appeals:read")
    assert 'href="/keys"' in browser.get(path).text
    browser.send(f"/keys/{AccessKey.get().id}/confirm")
    assert 'href="/keys"' not in browser.get(path).text
