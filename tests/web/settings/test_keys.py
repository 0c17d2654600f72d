"""Who may give a program which right: every role and scope, alone and by a second person."""

import re
from itertools import chain, combinations
from typing import Any

import pytest
from werkzeug.test import TestResponse

from appliance.core import audit
from appliance.models import AccessKey, AuditEntry, User
from appliance.people import keys, staff
from appliance.people.accounts import ROLES
from tests.rig.people import OF_ROLE

# what the people of a role may do themselves, written down anew; shell/test_access.py proves it
OWN = {
    "supervisor": {"appeals:read", "appeals:personal", "reports:read"},
    "manager": {"appeals:read", "appeals:personal", "reports:read"},
    "ministry": set(keys.SCOPES),
}
EVERY_SET = list(chain.from_iterable(combinations(keys.SCOPES, n) for n in range(1, 5)))


def make(browser: Any, *scopes: str, **fields: str) -> TestResponse:
    return browser.send("/keys", **({"name": "Tizim", "scope": list(scopes)} | fields))


def secret_of(answer: TestResponse) -> str:
    found = re.search(r'id="secret">([^<]+)<', answer.text)
    assert found
    return found[1]


def opens(app: Any, secret: str, path: str = "/api/v1/appeals") -> bool:
    headers = {"Authorization": f"Bearer {secret}"}
    return app.test_client().get(path, headers=headers).status_code == 200


@pytest.fixture
def another_manager(sherzod: User) -> User:
    values = {n: v for n, v in sherzod.__data__.items() if n != "id"}
    return User.create(**values | {"login": "jamshid", "name": "Jamshid"})


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"manager"}))
@pytest.mark.parametrize("scope", keys.SCOPES)
def test_nobody_but_the_manager_makes_a_key(login_as, role: str, scope: str) -> None:
    browser = login_as(role)
    headers = {"X-CSRFToken": browser.token("/account")}
    answer = browser.post("/keys", data={"name": "x", "scope": scope}, headers=headers)
    assert answer.status_code == 403
    assert not AccessKey.select().exists()
    who = User.get(User.login == OF_ROLE[role])
    with pytest.raises(keys.KeyRefused):
        keys.make("x", (scope,), department=None, ends_at=None, by=who)


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_the_manager_alone_gives_no_key_to_appeals(app, login_as, scope: str) -> None:
    manager = login_as("manager")
    secret = secret_of(make(manager, scope))
    assert (keys.find(secret) is not None) == (scope == "reports:read")
    if scope != "reports:read":
        number = AccessKey.get().id
        assert manager.send(f"/keys/{number}/confirm").status_code == 403
        assert keys.find(secret) is None
        assert not opens(app, secret)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scopes", EVERY_SET, ids=" ".join)
def test_a_second_person_gives_only_what_he_may_himself(
    role: str, scopes: tuple[str, ...], sherzod: User, another_manager: User
) -> None:
    second = another_manager if role == "manager" else User.get(User.login == OF_ROLE[role])
    key, secret = keys.make("x", scopes, department=None, ends_at=None, by=sherzod)
    if scopes == ("reports:read",):
        assert keys.find(secret)
        return
    if set(scopes) <= OWN.get(role, set()):
        assert keys.waiting_for(second) == [key]
        keys.confirm(key, second)
        assert keys.find(secret) == key
        assert keys.waiting_for(second) == []
    else:
        assert keys.waiting_for(second) == []
        with pytest.raises(keys.KeyRefused):
            keys.confirm(key, second)
        assert keys.find(secret) is None


def test_the_ministry_gives_only_its_own_departments_appeals(
    login_as, labour, law, bahodir: User
) -> None:
    staff.assign(bahodir, labour.id, by="sherzod")
    manager = login_as("manager")
    ministry = login_as("ministry")
    for name, department in (
        ("KEY-ALL", ""),
        ("KEY-LAW", str(law.id)),
        ("KEY-LABOUR", str(labour.id)),
    ):
        make(manager, "appeals:read", "appeals:write", name=name, department=department)
    page = ministry.get("/keys").text
    assert "KEY-LABOUR" in page
    assert "KEY-ALL" not in page
    assert "KEY-LAW" not in page
    answers = [
        ministry.send(f"/keys/{key.id}/confirm").status_code
        for key in list(AccessKey.select().order_by(AccessKey.id))
    ]
    assert answers == [403, 403, 302]


def test_what_was_revoked_or_confirmed_is_not_confirmed_again(login_as) -> None:
    manager, supervisor = login_as("manager"), login_as("supervisor")
    secret = secret_of(make(manager, "appeals:read"))
    number = AccessKey.get().id
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 302
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 403
    assert login_as("technician").send(f"/keys/{number}/revoke").status_code == 302
    assert supervisor.send(f"/keys/{number}/confirm").status_code == 403
    assert keys.find(secret) is None
    assert supervisor.send("/keys/99/confirm").status_code == 404


def test_both_persons_are_in_the_audit(login_as) -> None:
    make(login_as("manager"), "appeals:read", "appeals:personal")
    login_as("supervisor").send(f"/keys/{AccessKey.get().id}/confirm")
    made, confirmed = AuditEntry.select().where(AuditEntry.action.startswith("key."))
    assert (made.who, made.action) == ("sherzod", "key.make")
    assert (confirmed.who, confirmed.action) == ("dilnoza", "key.confirm")
    assert confirmed.detail["made_by"] == "sherzod"
    assert confirmed.detail["scopes"] == "appeals:read appeals:personal"
    assert audit.broken_at() is None


@pytest.mark.parametrize(("role", "path"), [("supervisor", "/people"), ("ministry", "/appeals")])
def test_who_has_nothing_to_confirm_sees_no_tab(login_as, role: str, path: str) -> None:
    browser = login_as(role)
    assert 'href="/keys"' not in browser.get(path).text
    make(login_as("manager"), "appeals:read")
    assert 'href="/keys"' in browser.get(path).text
    browser.send(f"/keys/{AccessKey.get().id}/confirm")
    assert 'href="/keys"' not in browser.get(path).text
