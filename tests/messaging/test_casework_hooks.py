"""What follows a change of an appeal: each process connects it, each change is reported once."""

import dataclasses
import datetime as dt

import pytest
from click.testing import CliRunner

from appliance.casework import call_forms, catalogs, hooks
from appliance.casework.appeals import additions, correcting, handling, registering
from appliance.casework.forms import drafts
from appliance.casework.ministry import queue
from appliance.cli import appliance
from appliance.core import clock, memory
from appliance.core.settings import Ministry, SmsAccount, Telegram
from appliance.jobs import timetable
from appliance.messaging.casework_hooks import connect_hooks
from appliance.messaging.notices import call_alerts, citizens, duty
from appliance.models import Handling, Message
from tests.casework.test_appeals import FULL_FORM
from tests.rig.citizen import form_token_in_talk

SUNDAY = dt.datetime(2026, 11, 22, 7, tzinfo=dt.UTC)
FOLLOWERS = {
    hooks.appeal_registered: [
        citizens.notify_registered,
        duty.alert_appeal,
        queue.queue_appeal,
    ],
    hooks.appeal_changed: [citizens.notify_answered, queue.queue_change],
    hooks.call_registered: [duty.alert_call],
}


class ProcessStopped(Exception):
    """The process is stopped before its work begins."""


@pytest.fixture
def unconnected(settings) -> None:
    """The hooks as in a process that has just started."""
    for hook in hooks.ALL_HOOKS:
        hook.functions = None


@pytest.fixture
def site(settings):
    """A site that is connected to everything, on a Sunday."""
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "user", "secret", "4546", "hush")
    return dataclasses.replace(
        settings,
        sms=(account,),
        telegram=Telegram(token="1:a", chat=-100),
        ministry=Ministry(url="http://127.0.0.1:9", token="secret"),
    )


@pytest.fixture
def appeal(site, nilufar, monkeypatch):
    """An appeal registered on a Sunday, whose messages were sent."""
    monkeypatch.setattr(clock, "now", lambda: SUNDAY)
    connect_hooks(site)
    appeal = registering.register(
        FULL_FORM | {"phone": "+998935550147"},
        operator=nilufar,
        token=drafts.token_for(nilufar, None),
        tz=site.tz,
        calendar=catalogs.working_calendar(site),
    )
    assert take_messages() == [("sms", 0), ("telegram", 0), ("ministry", 0)]
    return appeal


def take_messages() -> list[tuple[str, int]]:
    """Remove the queued messages; return the channel of each and the seconds until it is due."""
    messages = list(Message.select().order_by(Message.id))
    Message.delete().execute()
    return [(m.channel, round((m.due_at - clock.now()).total_seconds())) for m in messages]


def assert_connected(settings) -> None:
    assert set(FOLLOWERS) == set(hooks.ALL_HOOKS)
    for hook, functions in FOLLOWERS.items():
        assert [function.func for function in hook.functions or ()] == functions, hook.name
        sites = [function.args[0].paths.database for function in hook.functions]
        assert sites == [settings.paths.database] * len(functions)


# every process connects them


@pytest.mark.usefixtures("unconnected")
def test_the_pages_connect_the_hooks(settings, request) -> None:
    request.getfixturevalue("app")
    assert_connected(settings)


@pytest.mark.usefixtures("unconnected")
def test_the_jobs_connect_the_hooks(settings, monkeypatch) -> None:
    def stop_process() -> None:
        raise ProcessStopped

    monkeypatch.setattr(memory, "freeze_loaded_objects", stop_process)
    with pytest.raises(ProcessStopped):
        timetable.run_jobs(settings)
    assert_connected(settings)


@pytest.mark.usefixtures("unconnected")
def test_the_command_that_imports_answers_connects_the_hooks(settings, tmp_path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    command = ["--config", str(settings.file), "ministry", "import", str(folder)]
    assert CliRunner().invoke(appliance, command).exit_code == 1  # no [ministry] in the settings
    assert_connected(settings)


def test_a_change_without_connected_hooks_fails_and_is_not_stored(appeal, nilufar) -> None:
    hooks.appeal_changed.functions = None
    with pytest.raises(RuntimeError, match="appeal_changed"):
        handling.take_over(appeal, "bahodir", 1)
    assert Handling.get_by_id(appeal.id).version == 1


# what follows each change


def test_an_answer_is_reported_after_it_can_no_longer_be_withdrawn(appeal) -> None:
    handling.answer_appeal(appeal, "Javob", "bahodir", 1, SUNDAY.date())
    assert take_messages() == [("sms", 15), ("ministry", 15)]


def test_a_withdrawn_answer_leaves_only_the_ministrys_newest_state(appeal) -> None:
    handling.answer_appeal(appeal, "Javob", "bahodir", 1, SUNDAY.date())
    handling.undo_answer(appeal, "bahodir", 2)
    assert take_messages() == [("ministry", 0)]


@pytest.mark.parametrize("action", ["take", "interim", "return", "extend", "dismiss"])
def test_every_other_step_is_reported_to_the_ministrys_system_at_once(appeal, action) -> None:
    handling.perform_step(
        appeal, action, actor="bahodir", expected_version=1, today=SUNDAY.date(), text="Sababi bor"
    )
    assert take_messages() == [("ministry", 0)]


def test_the_systems_own_steps_are_not_reported_back_to_it(appeal) -> None:
    handling.take_over(appeal, queue.MINISTRY_ACTOR, 1)
    assert take_messages() == []
    handling.answer_appeal(appeal, "Javob", queue.MINISTRY_ACTOR, 2, SUNDAY.date())
    assert take_messages() == [("sms", 15)]


def test_consultations_are_not_reported(appeal) -> None:
    handling.record_specialist_contact(appeal, "A. Sobirov", "nilufar", 1)
    handling.record_consultation_outcome(appeal, "Tushuntirildi", "nilufar", 2)
    assert take_messages() == []


def test_a_correction_is_reported_only_if_it_changes_something(appeal, site) -> None:
    calendar = catalogs.working_calendar(site)
    form = FULL_FORM | {"phone": "+998935550147"}
    correcting.correct_appeal(appeal, form, "nilufar", 1, calendar)
    assert take_messages() == []
    correcting.correct_appeal(appeal, form | {"gist": "Boshqa"}, "nilufar", 1, calendar)
    assert take_messages() == [("ministry", 0)]


def test_an_addition_is_reported(appeal, site, nilufar) -> None:
    token = drafts.token_for(nilufar, None)
    additions.add_to_appeal(appeal, {"gist": "Yana"}, operator=nilufar, token=token, tz=site.tz)
    assert take_messages() == [("ministry", 0)]


def test_a_call_of_a_selected_direction_is_alerted(appeal, site, nilufar) -> None:
    call_alerts.set_alert_directions({"subsidies"}, "malika")
    token = form_token_in_talk(nilufar)
    call_forms.register({"direction": "subsidies"}, operator=nilufar, token=token, tz=site.tz)
    assert take_messages() == [("telegram", 0)]
