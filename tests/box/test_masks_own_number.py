"""After a restore, what hangs on a citizen's own number goes, and nothing of another's number."""

import pytest

from appliance.box import mask_journal, retention
from appliance.core import clock
from appliance.models import Appeal, Call, NumberNote
from tests.box import retained

OWN, OTHERS = "+998935550147", "+998901112233"
RULE = f"{mask_journal.RULE}=7"


@pytest.fixture
def calls() -> list[str]:
    """His first call, from the phone of another, and two of his own."""
    now = clock.now()
    for id, caller in (("1.1", OTHERS), ("2.1", OWN), ("2.2", OWN)):
        times = {"arrived_at": now, "ended_at": now, "stage": "ended"}
        Call.create(id=id, direction="inbound", caller=caller, **times)
    for number in (OWN, OTHERS):
        NumberNote.create(number=number, text="qayta qoʻngʻiroq", by="m", at=now)
    return ["1.1", "2.1", "2.2"]


def replay(settings, calls: list[str], *masks: mask_journal.Mask) -> list[str]:
    """The numbers that have a note after masking again."""
    own = mask_journal.Mask("data_request", "data-request:7", RULE, own_number=True)
    of_calls = (mask_journal.Mask("call_person", id, RULE) for id in calls)
    retention.replay(settings, [own, *of_calls, *masks], "rustam")
    return [note.number for note in NumberNote.select() if note.text]


def test_the_number_of_most_calls_is_his(settings, calls) -> None:
    assert replay(settings, calls) == [OTHERS]


def test_the_number_that_he_named_is_his(settings, calls, nilufar, bahodir) -> None:
    appeal = retained.register(settings, nilufar, "1.1")
    retained.close(appeal, clock.now())
    Appeal.update(phone=OWN).where(Appeal.id == appeal.id).execute()
    mask = mask_journal.Mask("appeal_person", appeal.number, RULE)
    assert replay(settings, ["1.1", "2.1"], mask) == [OTHERS]
