"""What becomes of an appeal: departments, where it stands, each step, each former wording."""

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.appeals import Appeal
from appliance.models.departments import Department


class Handling(Table):
    """Where an appeal stands now; changed only by appeals.handling, one version at a time."""

    appeal = ForeignKeyField(Appeal, primary_key=True, backref="handlings", on_delete="RESTRICT")
    state = CharField()  # appeals.states.STATES
    is_open = BooleanField(default=True)  # the state is one of states.OPEN
    department = ForeignKeyField(
        Department, null=True, backref="handlings", on_delete="RESTRICT", index=False
    )
    holder = CharField(default="")  # login, or key:NAME, of who has taken it over
    registered_on = DateField()
    counts_from = DateField()  # the day from which the term runs
    term = CharField()  # deadlines.TERMS
    due_on = DateField()
    forward_by = DateField()
    answered_on = DateField(null=True)
    version = IntegerField(default=1)
    changed_at = MomentField()

    class Meta:
        indexes = (
            (("is_open", "due_on"), False),
            (("department", "is_open", "due_on"), False),
            (("holder", "is_open"), False),
            (("changed_at", "appeal"), False),
        )


class AppealStep(Table):
    """One thing that was done with an appeal: who, when, why."""

    appeal = ForeignKeyField(Appeal, backref="steps", on_delete="RESTRICT", index=False)
    at = MomentField()
    who = CharField()  # login, or key:NAME
    action = CharField()  # appeals.states.MOVES
    text = TextField(default="")  # the reason, the answer
    detail = DocumentField(default=dict)

    class Meta:
        indexes = ((("appeal", "at"), False),)


class Consultation(Table):
    """What becomes of an appeal's question to a specialist; whom he was is in the appeal."""

    appeal = ForeignKeyField(
        Appeal, primary_key=True, backref="consultations", on_delete="RESTRICT"
    )
    asked_at = MomentField()
    contacted_at = MomentField(null=True)  # the last time
    result = TextField(default="")
    done_at = MomentField(null=True)  # when its outcome was noted
    done_by = CharField(default="")  # login

    class Meta:
        indexes = ((("done_at", "asked_at"), False),)


class AnswerDraft(Table):
    """What somebody of the ministry has written about an appeal and not sent."""

    user = ForeignKeyField(User, backref="answer_drafts", on_delete="CASCADE", index=False)
    appeal = ForeignKeyField(Appeal, backref="answer_drafts", on_delete="CASCADE")
    action = CharField()  # appeals.states.MOVES, as it was chosen
    text = TextField()
    department = CharField(default="")  # id of the one chosen to forward it to
    updated_at = MomentField(index=True)

    class Meta:
        indexes = ((("user", "appeal"), True),)


class AppealWording(Table):
    """Form №1 of an appeal as it stood before a correction."""

    appeal = ForeignKeyField(Appeal, backref="wordings", on_delete="RESTRICT", index=False)
    number = IntegerField()  # 1 is the form as registered
    values = DocumentField()  # as the form's values
    until = MomentField()
    replaced_by = CharField()  # login

    class Meta:
        indexes = ((("appeal", "number"), True),)
