"""The handling of appeals: department, state, steps, former wordings, unsent answers."""

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.appeals import Appeal
from appliance.models.departments import Department


class Handling(Table):
    """The current state of an appeal. Only casework.appeals.handling changes a row.

    `version` is increased with each change, so that no two changes are made at the same time.
    """

    appeal = ForeignKeyField(Appeal, primary_key=True, backref="handlings", on_delete="RESTRICT")
    state = CharField()  # of appeals.states.WORKFLOW
    is_open = BooleanField(default=True)  # the state is an open one
    department = ForeignKeyField(
        Department, null=True, backref="handlings", on_delete="RESTRICT", index=False
    )
    holder = CharField(default="")  # login, or key:NAME, of the user who took it over
    registered_on = DateField()
    counts_from = DateField()  # the day on which the term starts
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
    """One step taken on an appeal: who, when, why."""

    appeal = ForeignKeyField(Appeal, backref="steps", on_delete="RESTRICT", index=False)
    at = MomentField()
    who = CharField()  # login, or key:NAME
    action = CharField()  # a move of appeals.states
    text = TextField(default="")  # the reason, the answer
    detail = DocumentField(default=dict)

    class Meta:
        indexes = ((("appeal", "at"), False),)


class Consultation(Table):
    """The progress of the question of an appeal to a specialist, whom the appeal names."""

    appeal = ForeignKeyField(
        Appeal, primary_key=True, backref="consultations", on_delete="RESTRICT"
    )
    asked_at = MomentField()
    contacted_at = MomentField(null=True)  # when the specialist was last contacted
    result = TextField(default="")
    done_at = MomentField(null=True)  # when its outcome was recorded
    done_by = CharField(default="")  # login

    class Meta:
        indexes = ((("done_at", "asked_at"), False),)


class AnswerDraft(Table):
    """An unsent text that a user of the ministry wrote about an appeal."""

    user = ForeignKeyField(User, backref="answer_drafts", on_delete="CASCADE", index=False)
    appeal = ForeignKeyField(Appeal, backref="answer_drafts", on_delete="CASCADE")
    action = CharField()  # a move of appeals.states, as selected
    text = TextField()
    department = CharField(default="")  # id of the one selected for forwarding
    updated_at = MomentField(index=True)

    class Meta:
        indexes = ((("user", "appeal"), True),)


class AppealWording(Table):
    """The former values of form №1 of an appeal, stored when it is corrected."""

    appeal = ForeignKeyField(Appeal, backref="wordings", on_delete="RESTRICT", index=False)
    number = IntegerField()  # 1 is the form as registered
    values = DocumentField()  # by field, as the form has them
    until = MomentField()
    replaced_by = CharField()  # login

    class Meta:
        indexes = ((("appeal", "number"), True),)
