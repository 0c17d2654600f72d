"""Citizens' requests about their own data: permissions, deadlines, records found and chosen."""

import datetime as dt

import pytest

from appliance.casework import catalogs, data_requests
from appliance.casework.appeals import personal
from appliance.casework.appeals.desk import current_desk
from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.messaging.notices import citizens
from appliance.models import Appeal, AuditEntry, DataRequest, User
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

REQUEST_VALUES = {
    "kind": "tell",
    "person": "Karimova Nodira",
    "phone": CITIZEN_NUMBER,
    "proof": "Pasport",
}


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    citizen = Citizen("hotline-1.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, clock.now())
    assert desk
    registered_appeal = create_appeal(
        settings, nilufar, FULL_FORM | {"phone": CITIZEN_NUMBER}, token=desk.token
    )
    citizen.hang_up()
    return registered_appeal


@pytest.mark.parametrize(
    ("received_on", "due"),
    [
        ((2026, 11, 18), (2026, 11, 27)),  # ten days later is a Saturday
        ((2026, 11, 20), (2026, 11, 30)),
        ((2026, 12, 22), (2026, 12, 30)),  # a holiday, and a swapped day off before it
    ],
)
def test_a_request_is_due_within_ten_days_and_never_on_a_day_off(
    settings, received_on, due
) -> None:
    calendar = catalogs.working_calendar(settings)
    moment = dt.datetime(*received_on, 12, tzinfo=settings.tz)
    assert data_requests.due_date(moment, calendar) == dt.date(*due)


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
def test_an_incomplete_request_is_refused(settings, manager, missing, code) -> None:
    with pytest.raises(Refused, match=code):
        data_requests.register_data_request(
            manager, REQUEST_VALUES | missing, catalogs.working_calendar(settings)
        )
    assert not DataRequest.select().exists()


def test_only_a_manager_handles_data_requests(settings, dilnoza, bahodir, nilufar) -> None:
    for user in (dilnoza, bahodir, nilufar):
        with pytest.raises(PermissionError):
            data_requests.register_data_request(
                user, REQUEST_VALUES, catalogs.working_calendar(settings)
            )
        assert data_requests.list_data_requests(user) == []
        assert data_requests.find_data_request(1, user) is None


def test_stored_records_are_found_and_the_citizens_are_chosen(settings, manager, appeal) -> None:
    request = data_requests.register_data_request(
        manager, REQUEST_VALUES, catalogs.working_calendar(settings)
    )
    records = data_requests.stored_records(request, manager)
    assert [row.number for row in records.appeals] == [appeal.number]
    assert [form.appeal_number for form in records.call_forms] == [appeal.number]
    assert [call.id for call in records.calls] == ["hotline-1.1"]
    with pytest.raises(Refused, match="records"):
        data_requests.selected_records(request, manager, [])
    with pytest.raises(Refused, match="records"):
        # not among the found records
        data_requests.selected_records(request, manager, ["appeal:2026-000777"])
    chosen_records = data_requests.selected_records(request, manager, [f"appeal:{appeal.number}"])
    assert ([row.id for row in chosen_records.appeals], len(chosen_records.call_forms)) == (
        [appeal.id],
        1,
    )


def test_a_personal_appeal_must_be_revealed_before_it_is_chosen(settings, manager, appeal) -> None:
    Appeal.update(openness=personal.PERSONAL).execute()
    request = data_requests.register_data_request(
        manager, REQUEST_VALUES, catalogs.working_calendar(settings)
    )
    [veiled] = data_requests.stored_records(request, manager).appeals
    assert veiled.surname == ""
    ticked = [f"appeal:{appeal.number}"]
    with pytest.raises(Refused, match="closed") as error:
        data_requests.selected_records(request, manager, ticked)
    assert error.value.subject == appeal.number
    personal.reveal_appeal(manager, Appeal.get(), "Fuqaroning soʻrovi")
    assert data_requests.selected_records(request, manager, ticked).appeals


def test_a_request_is_answered_only_once(settings, manager, appeal) -> None:
    request = data_requests.register_data_request(
        manager, REQUEST_VALUES, catalogs.working_calendar(settings)
    )
    with pytest.raises(Refused, match="answer"):
        citizens.answer_data_request(settings, request, manager, "refused", " ", [])
    citizens.answer_data_request(
        settings, request, manager, "done", "", [f"appeal:{appeal.number}"]
    )
    with pytest.raises(Refused, match="changed"):
        citizens.answer_data_request(settings, request, manager, "refused", "Yoʻq", [])
    stored = DataRequest.get()
    assert (stored.state, stored.records["appeal"]) == ("done", [appeal.number])
    rows = AuditEntry.select().where(AuditEntry.action.startswith("data_request."))
    assert [row.action for row in rows] == ["data_request.tell", "data_request.done"]
    today = clock.now().date()
    assert data_requests.count_by_urgency(today) == (0, 0, 0)


def test_requests_are_counted_as_urgent_and_overdue_by_their_due_date(
    settings, manager, monkeypatch
) -> None:
    request = data_requests.register_data_request(
        manager, REQUEST_VALUES, catalogs.working_calendar(settings)
    )
    day = dt.timedelta(days=1)
    assert data_requests.count_by_urgency(request.due_on - 4 * day) == (1, 0, 0)
    assert data_requests.count_by_urgency(request.due_on - 3 * day) == (1, 1, 0)
    assert data_requests.count_by_urgency(request.due_on) == (1, 1, 0)
    assert data_requests.count_by_urgency(request.due_on + day) == (1, 0, 1)
