"""After a restore, data of the citizen's own number are masked, but not those of another number."""

import pytest

from appliance.box import mask_journal, retention
from appliance.core import clock
from appliance.models import Appeal, Call, NumberNote
from tests.box import retained

OWN_NUMBER, OTHER_NUMBER = "+998935550147", "+998901112233"
RULE = f"{mask_journal.DATA_REQUEST_RULE}=7"


@pytest.fixture
def calls() -> list[str]:
    """Their first call, from another person's phone, and two from their own."""
    now = clock.now()
    for id, caller in (("1.1", OTHER_NUMBER), ("2.1", OWN_NUMBER), ("2.2", OWN_NUMBER)):
        times = {"arrived_at": now, "ended_at": now, "stage": "ended"}
        Call.create(id=id, direction="inbound", caller=caller, **times)
    for number in (OWN_NUMBER, OTHER_NUMBER):
        NumberNote.create(number=number, text="qayta qoʻngʻiroq", by="m", at=now)
    return ["1.1", "2.1", "2.2"]


def replay_masks(settings, calls: list[str], *masks: mask_journal.Mask) -> list[str]:
    """Apply the masks again; returns the numbers that still have a note."""
    own_number_mask = mask_journal.Mask("data_request", "data-request:7", RULE, own_number=True)
    of_calls = (mask_journal.Mask("call_person", id, RULE) for id in calls)
    retention.replay_masks(settings, [own_number_mask, *of_calls, *masks], "rustam")
    return [note.number for note in NumberNote.select() if note.text]


def test_the_number_of_most_calls_is_the_citizens_own(settings, calls) -> None:
    assert replay_masks(settings, calls) == [OTHER_NUMBER]


def test_the_number_given_in_the_appeal_is_the_citizens_own(
    settings, calls, nilufar, bahodir
) -> None:
    appeal = retained.register_appeal(settings, nilufar, "1.1")
    retained.close_appeal(appeal, clock.now())
    Appeal.update(phone=OWN_NUMBER).where(Appeal.id == appeal.id).execute()
    mask = mask_journal.Mask("appeal_person", appeal.number, RULE)
    assert replay_masks(settings, ["1.1", "2.1"], mask) == [OTHER_NUMBER]
