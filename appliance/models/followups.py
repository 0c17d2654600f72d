"""Tasks: missed callers, until an operator has talked to them."""

from peewee import SQL, AutoField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class FollowUp(Table):
    """A task: a number with missed calls that somebody has to reach.

    The rows are computed from the ledger and the marks.
    """

    id = AutoField()  # never reused: outgoing calls refer to it
    number = CharField()  # +998…
    opened_at = MomentField(index=True)  # arrival of the first missed call
    kind = CharField()  # callback (requested) | queue (gave up waiting) | menu
    call_id = CharField()  # the first missed call
    calls = IntegerField()  # how many were missed
    missed_at = MomentField()  # end of the newest missed call
    joined_at = MomentField()  # the place in line: when they first joined a queue, else opened_at
    language = CharField(null=True)
    topic = CharField(null=True)
    attempts = IntegerField(default=0)  # outgoing calls without success
    tried_at = MomentField(null=True)  # the newest of them
    closed_at = MomentField(null=True)
    outcome = CharField(null=True)  # spoken | called_again | done | given_up
    closed_by = CharField(default="")  # login of the user who closed it by hand
    note = TextField(default="")
    claimed_until = MomentField(null=True)  # until then, somebody is calling the number
    claimed_by = CharField(default="")  # login; "" for an automatic call

    class Meta:
        indexes = ((("number", "opened_at"), True),)


# The order of open tasks: callers who asked to be called back, then those who waited in a queue,
# then the others. The index contains the open tasks only, in this order.
KIND_PRIORITY = SQL("CASE kind WHEN 'callback' THEN 0 WHEN 'queue' THEN 1 ELSE 2 END")
FollowUp.add_index(
    FollowUp.index(
        *(KIND_PRIORITY, FollowUp.joined_at, FollowUp.id),
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
    """The closing of a task by a person, or after too many attempts.

    The ledger does not contain it, so tasks are computed from these rows as well.
    """

    id = AutoField()
    number = CharField(index=True)
    at = MomentField()
    outcome = CharField()  # done | given_up
    by = CharField(default="")
    note = TextField(default="")
