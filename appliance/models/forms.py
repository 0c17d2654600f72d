"""Forms: their versions, and the calls registered on form №2."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.catalogs import Region


class FormVersion(Table):
    """A version of a form, in force from `since`; without it, a draft that is tried out."""

    form = CharField()  # casework.forms.FORMS
    number = IntegerField()
    fields = DocumentField()  # casework.forms.definition: title, fields
    since = MomentField(null=True)
    made_at = MomentField()
    by = CharField(default="")  # login; "" for the product's own

    class Meta:
        indexes = ((("form", "number"), True),)


class CallForm(Table):
    """A registered call: form №2 with the values in force."""

    number = CharField(unique=True)  # Q-2026-000001
    call_id = CharField()
    operator = ForeignKeyField(User, backref="call_forms", on_delete="RESTRICT")
    received_at = MomentField(index=True)  # the call's arrival
    registered_at = MomentField(index=True)
    version = IntegerField(default=1)  # of the form
    appeal_number = CharField(default="", index=True)  # the appeal with which it was created
    surname = CharField(default="")
    first_name = CharField(default="")
    region = ForeignKeyField(Region, null=True, on_delete="RESTRICT")
    region_text = CharField(default="")  # as typed, if it is not on the list
    address = TextField(default="")
    call_type = CharField(default="")
    sex = CharField(default="")
    gist = TextField(default="")
    operator_answer = TextField(default="")
    call_direction = CharField(default="")
    direction = CharField(default="")
    phone = CharField(default="", index=True)  # the caller's, from the ledger
    search_key = TextField(default="")  # names, gist and answer, folded for searching
    extra = DocumentField(default=dict)  # {code, text} of each field that the manager added
    warnings = DocumentField(default=list)
    typed = DocumentField(default=dict)
    token = CharField(null=True, unique=True)  # of the submitted form, so that it counts once

    veiled = False  # True: loaded without its contents (casework.appeals.personal)

    class Meta:
        indexes = ((("call_id", "operator"), True), (("call_id", "number"), False))

    def save(self, *args: Any, **options: Any) -> Any:
        """Save the row; raises ValueError if it was loaded without its contents.

        They would be overwritten in the database.
        """
        if self.veiled:
            raise ValueError(f"{self.number} was loaded without what it says")
        return super().save(*args, **options)


class FieldValue(Table):
    """The choice made in a field that the manager added to a form of a call, counted by reports."""

    form = CharField()  # casework.forms.FORMS
    number = CharField()  # of the appeal or the registered call
    call_id = CharField()
    field = CharField()
    code = CharField()  # UNLISTED of casework.catalogs if a text was typed instead of a code

    class Meta:
        indexes = (
            (("number", "field"), True),
            (("call_id", "form", "field", "number"), False),
        )


class CallFormWording(Table):
    """The former values of form №2 of a call, stored when it is corrected."""

    call_form = ForeignKeyField(CallForm, backref="wordings", on_delete="RESTRICT", index=False)
    number = IntegerField()  # 1 is the form as registered
    values = DocumentField()  # by field, as the form has them
    until = MomentField()
    replaced_by = CharField()  # login

    class Meta:
        indexes = ((("call_form", "number"), True),)


class CallNumberSeries(Table):
    """The last number of a form №2 issued in a year, so that numbers have no gaps."""

    year = IntegerField(primary_key=True)
    last = IntegerField()
