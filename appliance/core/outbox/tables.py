"""The tables of the outbox: messages, recent attempts, early reports, and messages on hold."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class Message(Table):
    """One notification to a recipient outside the appliance: by SMS, Telegram or to the ministry.

    `state` is one of outbox.STATES.
    """

    channel = CharField()  # sms | telegram | ministry
    purpose = CharField()  # a code of PURPOSES: registered, answered, missed, callback, …
    recipient = CharField()  # a phone +998…, a chat, a system
    text = TextField(default="")
    payload = DocumentField(default=dict)  # further data for the channel's sender
    cause = CharField(default="", index=True)  # what it is about: an appeal's number, a call's id
    key = CharField(unique=True)  # the same notification is never queued twice
    state = CharField(default="pending")
    created_at = MomentField()
    wanted_at = MomentField()  # the originally planned time, from which its waiting time counts
    due_at = MomentField()  # not before this time; each failed attempt postpones it
    expires_at = MomentField()  # useless after this time
    attempts = IntegerField(default=0)  # how often it was claimed
    claimed_until = MomentField(null=True)  # then another sender may claim it
    claimed_by = CharField(default="")  # process_id.this_process_name of the sender
    tried_at = MomentField(null=True, index=True)  # when it was last claimed
    sent_at = MomentField(null=True)
    ended_at = MomentField(null=True)  # delivered, refused or expired
    gateway = CharField(default="")  # the gateway that accepted it, or may have
    foreign_id = CharField(default="", index=True)  # its id at the gateway
    trouble = CharField(default="")  # code of the last failure
    trouble_text = TextField(default="")  # the other side's error text
    perhaps_twice = BooleanField(default=False)  # an answer was lost, and it was sent again

    class Meta:
        indexes = (
            (("state", "channel", "due_at"), False),
            (("recipient", "state"), False),
        )


class SendAttempt(Table):
    """An attempt to send something to a recipient, with its time; sending limits count these rows.

    Messages sent together have one row. Rows are removed after a few minutes.
    """

    channel = CharField()
    recipient = CharField()
    at = MomentField(index=True)  # when the sender claimed the message


class EarlyReport(Table):
    """A gateway's report of an outcome that arrived before its answer to the request to send.

    Until that answer it is not known which message has the gateway's id, so the report waits here.
    """

    gateway = CharField()  # name of the account that reported
    foreign_id = CharField()  # the message's id at the gateway
    outcome = CharField()  # delivered | refused
    at = MomentField(index=True)  # when it arrived

    class Meta:
        indexes = ((("gateway", "foreign_id"), True),)


class HeldMessage(Table):
    """A message on hold after a restore of the database: a person decides whether it is sent.

    The restored database would send it, but the replaced one may have sent it already.
    """

    message = ForeignKeyField(Message, unique=True, on_delete="CASCADE")
    held_at = MomentField()
    former = CharField(default="")  # its state in the replaced database; "": pending, or unknown
    account = CharField(default="")  # the account that reported the status `word`
    word = CharField(default="")  # one of review.SERVICE_STATUSES; "": no service was queried yet
    asked_at = MomentField(null=True)  # when the services were last queried about it
