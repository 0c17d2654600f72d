"""Messages waiting when a snapshot was made are not sent twice after restoring it."""

import pytest

from appliance.box import alarms, health
from appliance.box.snapshots import creating, requests, restoring
from appliance.core import clock, db, outbox
from appliance.core.outbox.tables import HeldMessage
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.sender import SmsSender
from appliance.models import Alarm, AuditEntry, Message
from tests.rig.fakes.sms import run_sms_service

NUMBER = "+998935550147"
MINISTRY = {"ministry:2026-000001:1": {"channel": "ministry", "recipient": "2026-000001"}}
TELEGRAM = {"alert:1": {"channel": "telegram", "recipient": "-77"}}


def queue_message(key: str, **values: str) -> Message:
    values = {"channel": "sms", "recipient": NUMBER, "text": key} | values
    return outbox.queue_message(
        values.pop("channel"), "registered", values.pop("recipient"), key=key, **values
    )


@pytest.mark.parametrize("former", ["there", "damaged"])
def test_waiting_messages_are_put_on_hold_and_new_ones_are_sent(site, former) -> None:
    settings = site.open()
    for key, values in {"sms:1": {}, "sms:2": {}, **TELEGRAM, **MINISTRY}.items():
        queue_message(key, **values)
    delivered_message = queue_message("sms:3")
    outbox.mark_delivered(delivered_message)
    outbox.claim_next("sms")
    creating.create_snapshots(settings, by="rustam")
    with run_sms_service() as far:
        sender = SmsSender([Eskiz("eskiz", far.url, "u", "p")])
        Message.update(state="pending").where(Message.state == "claimed").execute()
        assert sender.send_due() == 2  # both were sent after the snapshot
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
        waiting_keys = ("sms:1", "sms:2", *TELEGRAM, *MINISTRY)
        assert states == {"sms:3": "delivered"} | dict.fromkeys(waiting_keys, "held")
        former_states = {row.message.key: row.former for row in HeldMessage}
        former_state = "sent" if former == "there" else ""
        assert former_states == {"sms:1": former_state, "sms:2": former_state} | dict.fromkeys(
            [*TELEGRAM, *MINISTRY], ""
        )
        queue_message("sms:4")
        assert sender.send_due() == 1
        assert [text for _, text in far.messages] == ["sms:1", "sms:2", "sms:4"]
    assert outbox.claim_next("telegram") is None
    assert outbox.claim_next("ministry") is None
    checks = list(health.messages.check_message_review(settings))
    alarms.update_alarms(settings, checks)
    Alarm.update(since=clock.now() - 2 * alarms.FAULT_GRACE_PERIOD).execute()
    assert alarms.update_alarms(settings, checks) == ["outbox.held"]


def test_a_drill_and_a_restore_into_a_folder_hold_messages_without_changing_the_site(site) -> None:
    settings = site.open()
    queue_message("sms:1")
    creating.create_snapshots(settings, by="rustam")
    target = site.folder / "look"
    restored = restoring.restore_site(settings, requests.RestoreRequest(target=target))
    assert (restored.held, outbox.held_message_count()) == (1, 0)
    assert Message.get(Message.key == "sms:1").state == "pending"
    assert AuditEntry.select().where(AuditEntry.action == "outbox.drop").count() == 0
