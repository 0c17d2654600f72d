"""What waited when a snapshot was made does not go out twice after a restore of it."""

import pytest

from appliance.box import alarms, health, snapshots
from appliance.core import clock, db, outbox
from appliance.core.outbox.tables import HeldMessage
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.sender import Senders
from appliance.models import Alarm, AuditEntry, Message
from tests.rig.fakes.sms import service

NUMBER = "+998935550147"
MINISTRY = {"ministry:2026-000001:1": {"channel": "ministry", "recipient": "2026-000001"}}
TELEGRAM = {"alert:1": {"channel": "telegram", "recipient": "-77"}}


def put(key: str, **values: str) -> Message:
    values = {"channel": "sms", "recipient": NUMBER, "text": key} | values
    return outbox.put(
        values.pop("channel"), "registered", values.pop("recipient"), key=key, **values
    )


@pytest.mark.parametrize("former", ["there", "damaged"])
def test_what_waited_is_on_hold_and_what_is_new_goes_out(site, former) -> None:
    settings = site.open()
    for key, values in {"sms:1": {}, "sms:2": {}, **TELEGRAM, **MINISTRY}.items():
        put(key, **values)
    ended = put("sms:3")
    outbox.delivered(ended)
    outbox.claim("sms")
    snapshots.create(settings, by="rustam")
    with service() as far:
        sender = Senders([Eskiz("eskiz", far.url, "u", "p")])
        Message.update(state="pending").where(Message.state == "claimed").execute()
        assert sender.send_due() == 2  # after the snapshot both went out
        db.database.close()
        if former == "damaged":
            database = site.folder / "site.db"
            database.write_bytes(database.read_bytes()[: 40 * 4096])
            for end in ("-wal", "-shm"):
                (site.folder / f"site.db{end}").unlink(missing_ok=True)
        restored = site.run("backup", "restore")
        assert restored.returncode == 0, restored.stderr
        assert "held: 4" in restored.stdout
        settings = site.open()
        states = {m.key: m.state for m in Message.select().where(Message.channel != "none")}
        waited = ("sms:1", "sms:2", *TELEGRAM, *MINISTRY)
        assert states == {"sms:3": "delivered"} | dict.fromkeys(waited, "held")
        known = {row.message.key: row.former for row in HeldMessage}
        gone = "sent" if former == "there" else ""
        assert known == {"sms:1": gone, "sms:2": gone} | dict.fromkeys([*TELEGRAM, *MINISTRY], "")
        put("sms:4")
        assert sender.send_due() == 1
        assert [text for _, text in far.took] == ["sms:1", "sms:2", "sms:4"]
    assert outbox.claim("telegram") is None
    assert outbox.claim("ministry") is None
    checks = list(health.messages.review(settings))
    alarms.watch(settings, checks)
    Alarm.update(since=clock.now() - 2 * alarms.PATIENCE).execute()
    assert alarms.watch(settings, checks) == ["outbox.held"]


def test_a_drill_and_a_look_hold_them_too_and_leave_the_site_alone(site) -> None:
    settings = site.open()
    put("sms:1")
    snapshots.create(settings, by="rustam")
    target = site.folder / "look"
    restored = snapshots.restore(settings, snapshots.Wish(target=target))
    assert (restored.held, outbox.review_count()) == (1, 0)
    assert Message.get(Message.key == "sms:1").state == "pending"
    assert AuditEntry.select().where(AuditEntry.action == "outbox.drop").count() == 0
