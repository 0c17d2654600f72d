"""Citizens' requests about their own data: who may, by when, what is found, and what is his."""

import datetime as dt

import pytest

from appliance.casework import appeals, catalogs, data_requests
from appliance.casework.appeals import personal
from appliance.casework.data_requests import RequestError
from appliance.core import clock
from appliance.messaging import notices
from appliance.models import Appeal, AuditEntry, DataRequest, User
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen

ASKED = {"kind": "tell", "person": "Karimova Nodira", "phone": PHONE, "proof": "Pasport"}


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, clock.now())
    assert desk
    made = appeals.register(
        FULL | {"phone": PHONE},
        operator=nilufar,
        token=desk.token,
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    citizen.hang_up()
    return made


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ((2026, 11, 18), (2026, 11, 27)),  # ten days on is a Saturday
        ((2026, 11, 20), (2026, 11, 30)),
        ((2026, 12, 22), (2026, 12, 30)),  # a holiday, and a swapped day off before it
    ],
)
def test_ten_days_and_never_a_day_off(settings, asked, due) -> None:
    calendar = catalogs.working_calendar(settings)
    moment = dt.datetime(*asked, 12, tzinfo=settings.tz)
    assert data_requests.due(moment, calendar) == dt.date(*due)


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"kind": "steal"}, "kind"),
        ({"person": " "}, "person"),
        ({"phone": "abc"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"number": "2026-999999"}, "phone"),
        ({"proof": ""}, "proof"),
        ({"kind": "correct"}, "what"),
    ],
)
def test_what_a_request_must_say(settings, manager, missing, code) -> None:
    with pytest.raises(RequestError, match=code):
        data_requests.ask(manager, ASKED | missing, catalogs.working_calendar(settings))
    assert not DataRequest.select().exists()


def test_only_a_manager_sees_to_them(settings, dilnoza, bahodir, nilufar) -> None:
    for user in (dilnoza, bahodir, nilufar):
        with pytest.raises(PermissionError):
            data_requests.ask(user, ASKED, catalogs.working_calendar(settings))
        assert data_requests.listed(user) == []
        assert data_requests.find(1, user) is None


def test_what_is_found_and_what_is_his(settings, manager, appeal) -> None:
    asked = data_requests.ask(manager, ASKED, catalogs.working_calendar(settings))
    found = data_requests.stored(asked, manager)
    assert [one.number for one in found.appeals] == [appeal.number]
    assert [form.appeal_number for form in found.call_forms] == [appeal.number]
    assert [call.id for call in found.calls] == ["hotline-1.1"]
    with pytest.raises(RequestError, match="records"):
        data_requests.chosen(asked, manager, [])
    with pytest.raises(RequestError, match="records"):
        data_requests.chosen(asked, manager, ["appeal:2026-000777"])  # none that was found
    his = data_requests.chosen(asked, manager, [f"appeal:{appeal.number}"])
    assert ([one.id for one in his.appeals], len(his.call_forms)) == ([appeal.id], 1)


def test_a_personal_appeal_is_opened_first(settings, manager, appeal) -> None:
    Appeal.update(openness=personal.PERSONAL).execute()
    asked = data_requests.ask(manager, ASKED, catalogs.working_calendar(settings))
    [veiled] = data_requests.stored(asked, manager).appeals
    assert veiled.surname == ""
    ticked = [f"appeal:{appeal.number}"]
    with pytest.raises(RequestError, match="closed") as refused:
        data_requests.chosen(asked, manager, ticked)
    assert refused.value.number == appeal.number
    personal.reveal(manager, Appeal.get(), "Fuqaroning soʻrovi")
    assert data_requests.chosen(asked, manager, ticked).appeals


def test_it_is_answered_once(settings, manager, appeal) -> None:
    asked = data_requests.ask(manager, ASKED, catalogs.working_calendar(settings))
    with pytest.raises(RequestError, match="answer"):
        notices.answer_own_data(settings, asked, manager, "refused", " ", [])
    notices.answer_own_data(settings, asked, manager, "done", "", [f"appeal:{appeal.number}"])
    with pytest.raises(RequestError, match="changed"):
        notices.answer_own_data(settings, asked, manager, "refused", "Yoʻq", [])
    done = DataRequest.get()
    assert (done.state, done.records["appeal"]) == ("done", [appeal.number])
    rows = AuditEntry.select().where(AuditEntry.action.startswith("data_request."))
    assert [row.action for row in rows] == ["data_request.tell", "data_request.done"]
    today = clock.now().date()
    assert data_requests.pressing(today) == (0, 0, 0)


def test_terms_press(settings, manager, monkeypatch) -> None:
    asked = data_requests.ask(manager, ASKED, catalogs.working_calendar(settings))
    day = dt.timedelta(days=1)
    assert data_requests.pressing(asked.due_on - 4 * day) == (1, 0, 0)
    assert data_requests.pressing(asked.due_on - 3 * day) == (1, 1, 0)
    assert data_requests.pressing(asked.due_on) == (1, 1, 0)
    assert data_requests.pressing(asked.due_on + day) == (1, 0, 1)
