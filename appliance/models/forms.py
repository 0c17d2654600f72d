"""Forms: their versions, and what is registered on form №2."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.catalogs import Region


class FormVersion(Table):
    """A form as it was in force from `since`; None while it is a draft that is tried."""

    form = CharField()  # casework.forms.FORMS
    number = IntegerField()
    fields = DocumentField()  # casework.forms.definition: title, fields
    since = MomentField(null=True)
    made_at = MomentField()
    by = CharField(default="")  # login; "" for the product's own

    class Meta:
        indexes = ((("form", "number"), True),)


class CallForm(Table):
    """A registered call: form №2 as it stood when it was registered."""

    number = CharField(unique=True)  # Q-2026-000001
    call_id = CharField()
    operator = ForeignKeyField(User, backref="call_forms", on_delete="RESTRICT")
    received_at = MomentField(index=True)  # the call's arrival
    registered_at = MomentField(index=True)
    version = IntegerField(default=1)  # of the form
    appeal_number = CharField(default="", index=True)  # the appeal of whose form it was made
    surname = CharField(default="")
    first_name = CharField(default="")
    region = ForeignKeyField(Region, null=True, on_delete="RESTRICT")
    region_text = CharField(default="")  # as typed, when it is not on the list
    address = TextField(default="")
    call_type = CharField(default="")
    sex = CharField(default="")
    gist = TextField(default="")
    operator_answer = TextField(default="")
    call_direction = CharField(default="")
    direction = CharField(default="")
    phone = CharField(default="", index=True)  # the caller's, from the ledger
    search_key = TextField(default="")  # i18n.fold of names, gist and answer
    extra = DocumentField(default=dict)  # the manager's fields: name → {code, text}
    warnings = DocumentField(default=list)
    typed = DocumentField(default=dict)
    token = CharField(null=True, unique=True)  # of the form that was sent, so that it counts once

    veiled = False  # loaded without what it says (casework.appeals.personal)

    class Meta:
        indexes = ((("call_id", "operator"), True), (("call_id", "number"), False))

    def save(self, *args: Any, **options: Any) -> Any:
        """What was left out on loading is never written back."""
        if self.veiled:
            raise ValueError(f"{self.number} was loaded without what it says")
        return super().save(*args, **options)


class FieldValue(Table):
    """What was chosen in an added field of a form of a call: reports count it."""

    form = CharField()  # casework.forms.FORMS
    number = CharField()  # of the appeal or the registered call
    call_id = CharField()
    field = CharField()
    code = CharField()  # casework.forms.UNLISTED for a text that is no code

    class Meta:
        indexes = (
            (("number", "field"), True),
            (("call_id", "form", "field", "number"), False),
        )


class CallFormWording(Table):
    """Form №2 of a call as it stood before a correction."""

    call_form = ForeignKeyField(CallForm, backref="wordings", on_delete="RESTRICT", index=False)
    number = IntegerField()  # 1 is the form as registered
    values = DocumentField()  # as the form's values
    until = MomentField()
    replaced_by = CharField()  # login

    class Meta:
        indexes = ((("call_form", "number"), True),)


class CallNumberSeries(Table):
    """The last number of a form №2 given in a year, so that numbers have no gaps."""

    year = IntegerField(primary_key=True)
    last = IntegerField()
