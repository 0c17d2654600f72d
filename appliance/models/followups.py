"""Missed callers until somebody has spoken to them."""

from peewee import SQL, AutoField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class FollowUp(Table):
    """A number whose call was missed, once, until spoken to. Told by the ledger and the marks."""

    id = AutoField()  # never given again: calls out name it
    number = CharField()  # +998…
    opened_at = MomentField(index=True)  # arrival of the first missed call
    kind = CharField()  # callback (asked for) | queue (gave up waiting) | menu
    call_id = CharField()  # the first missed call
    calls = IntegerField()  # how many were missed
    missed_at = MomentField()  # end of the newest missed call
    joined_at = MomentField()  # the place in line: when he first joined a queue, else opened_at
    language = CharField(null=True)
    topic = CharField(null=True)
    attempts = IntegerField(default=0)  # our calls that reached nobody
    tried_at = MomentField(null=True)  # the newest of them
    closed_at = MomentField(null=True)
    outcome = CharField(null=True)  # spoken | called_again | done | given_up
    closed_by = CharField(default="")  # login of who wrote it off
    note = TextField(default="")
    claimed_until = MomentField(null=True)  # somebody is calling the number now
    claimed_by = CharField(default="")  # login; "" the machine

    class Meta:
        indexes = ((("number", "opened_at"), True),)


# The open ones are found in the order in which they stand, however many are closed: who asked to be
# called comes first, then who waited.
IN_LINE = SQL("CASE kind WHEN 'callback' THEN 0 WHEN 'queue' THEN 1 ELSE 2 END")
FollowUp.add_index(
    FollowUp.index(
        *(IN_LINE, FollowUp.joined_at, FollowUp.id),
        name="follow_up_in_line",
        where=FollowUp.closed_at.is_null(),
    )
)
FollowUp.add_index(
    FollowUp.index(
        FollowUp.closed_at, name="follow_up_closed", where=FollowUp.closed_at.is_null(False)
    )
)


class FollowUpMark(Table):
    """What the ledger cannot know: a task written off, by a person or after many attempts."""

    id = AutoField()
    number = CharField(index=True)
    at = MomentField()
    outcome = CharField()  # done | given_up
    by = CharField(default="")
    note = TextField(default="")
