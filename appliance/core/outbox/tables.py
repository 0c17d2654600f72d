"""What must leave the box, until it is known what became of it; when it was tried of late."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class Message(Table):
    """One thing to be told to somebody outside; `state` as in outbox.STATES."""

    channel = CharField()  # sms | telegram | ministry
    purpose = CharField()  # what it is about: registered, answer, missed, callback, …
    recipient = CharField()  # a phone +998…, a chat, a system
    text = TextField(default="")
    payload = DocumentField(default=dict)
    cause = CharField(default="", index=True)  # number of the appeal, id of the call
    key = CharField(unique=True)  # the same thing is never put twice
    state = CharField(default="pending")
    created_at = MomentField()
    wanted_at = MomentField()  # when it was first to go: how long it waits counts from here
    due_at = MomentField()  # not before this; each attempt that fails puts it off
    expires_at = MomentField()  # of no use after this
    attempts = IntegerField(default=0)
    claimed_until = MomentField(null=True)
    claimed_by = CharField(default="")  # process_id.this_process of the sender
    tried_at = MomentField(null=True, index=True)  # when it was last claimed
    sent_at = MomentField(null=True)
    ended_at = MomentField(null=True)  # delivered, refused or expired
    gateway = CharField(default="")  # that took it
    foreign_id = CharField(default="", index=True)  # its name there
    trouble = CharField(default="")  # code of what went wrong last
    trouble_text = TextField(default="")  # what the other side said
    perhaps_twice = BooleanField(default=False)  # an answer was lost, and it was sent again

    class Meta:
        indexes = (
            (("state", "channel", "due_at"), False),
            (("recipient", "state"), False),
        )


class SendAttempt(Table):
    """When something was sent to a recipient, for limits; what went together counts once."""

    channel = CharField()
    recipient = CharField()
    at = MomentField(index=True)


class EarlyReport(Table):
    """What a gateway told of a message that it had not yet said to have taken."""

    gateway = CharField()
    foreign_id = CharField()
    outcome = CharField()  # delivered | refused
    at = MomentField(index=True)

    class Meta:
        indexes = ((("gateway", "foreign_id"), True),)


class HeldMessage(Table):
    """A message that a restore put on hold: it waited in the saved data and may have been sent."""

    message = ForeignKeyField(Message, unique=True, on_delete="CASCADE")
    held_at = MomentField()
    former = CharField(default="")  # its state in the database that was replaced; "": not known
    account = CharField(default="")  # that gave the answer `word`
    word = CharField(default="")  # one of review.WORDS; "": nobody was asked yet
    asked_at = MomentField(null=True)
