"""What Asterisk lacks of what it was given to run with."""

from appliance.models import ExchangeLook
from appliance.pbx.ami import Connection
from appliance.pbx.inspection import Inspection
from appliance.telephony import routing
from tests.pbx.box import Box


def missing(box: Box) -> dict[str, list[str]]:
    with Connection(box.settings) as asterisk:
        Inspection().look(box.settings, asterisk)
    return {row.name: row.missing for row in ExchangeLook.select()}


def test_modules_and_queues_are_asked_for_one_by_one(box: Box) -> None:
    assert missing(box) == {"modules": [], "queues": []}
    with Connection(box.settings) as asterisk:
        asterisk.act("ModuleLoad", Module="cel_custom.so", LoadType="unload")
        assert missing(box) == {"modules": ["cel_custom.so"], "queues": []}
        asterisk.act("ModuleLoad", Module="cel_custom.so", LoadType="load")
        asterisk.act("ModuleLoad", Module="app_queue.so", LoadType="unload")
        found = missing(box)
        asterisk.act("ModuleLoad", Module="app_queue.so", LoadType="load")
    assert found["modules"] == ["app_queue.so"]
    assert set(routing.shared(routing.current(box.settings))) < set(found["queues"])
    assert missing(box) == {"modules": [], "queues": []}
