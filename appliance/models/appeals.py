"""Applicants, their appeals on form №1, and drafts that are not registered yet."""

from typing import Any

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.catalogs import District, Mahalla, Region


class Applicant(Table):
    """A person or legal entity who calls, with their latest data."""

    kind = CharField()  # person | entity
    first_name = CharField(default="")
    surname = CharField(default="")
    entity_name = CharField(default="")
    stir = CharField(default="", index=True)
    sex = CharField(default="")  # m | f
    born_on = DateField(null=True)
    passport = CharField(default="")
    pinfl = CharField(default="", index=True)
    phone = CharField(default="", index=True)
    search_key = CharField(default="", index=True)  # i18n.fold of the names
    created_at = MomentField()


class Appeal(Table):
    """A registered appeal: form №1 with the values in force.

    Text is stored as typed, except for the spelling of names and documents. `warnings` has the
    codes of the doubts that were shown to the operator, who registered the appeal nevertheless.
    """

    number = CharField(unique=True)  # 2026-000001
    call_id = CharField(null=True)
    applicant = ForeignKeyField(Applicant, backref="appeals", on_delete="RESTRICT")
    operator = ForeignKeyField(User, backref="appeals", on_delete="RESTRICT", index=False)
    received_at = MomentField(index=True)  # the call's arrival
    registered_at = MomentField(index=True)
    applicant_kind = CharField()
    appeal_type = CharField()  # catalog codes from here …
    call_type = CharField(default="")
    group = CharField(default="")
    employment = CharField(default="")
    direction = CharField(default="")  # … to here
    first_name = CharField(default="")
    surname = CharField(default="")
    entity_name = CharField(default="")
    stir = CharField(default="")
    region = ForeignKeyField(Region, null=True, on_delete="RESTRICT")
    district = ForeignKeyField(District, null=True, on_delete="RESTRICT")
    mahalla = ForeignKeyField(Mahalla, null=True, on_delete="RESTRICT")
    region_text = CharField(default="")  # as typed, if it is not on the list
    district_text = CharField(default="")
    address = TextField(default="")
    passport = CharField(default="")
    pinfl = CharField(default="")
    sex = CharField(default="")
    born_on = DateField(null=True)
    born_text = CharField(default="")  # as typed, if it is not a date
    phone = CharField(default="", index=True)
    phone_at_hand = CharField(default="")
    openness = CharField()  # open | personal
    gist = TextField(default="")
    consultation = BooleanField(default=False)  # a specialist's consultation was requested
    consultation_issue = TextField(default="")
    consultation_contact = TextField(default="")  # who was contacted
    warnings = DocumentField(default=list)  # "field:code", see identity and appeals.form
    # the text as typed, by field, if the appliance changed more than its spelling
    typed = DocumentField(default=dict)
    form_version = IntegerField(default=1)
    extra = DocumentField(default=dict)  # {code, text} of each field that the manager added
    token = CharField(null=True, unique=True)  # of the submitted form, so that it counts once

    veiled = False  # True: loaded without its contents (casework.appeals.personal)

    class Meta:
        indexes = ((("call_id", "number"), False), (("operator", "registered_at"), False))

    def save(self, *args: Any, **options: Any) -> Any:
        """Save the row; raises ValueError if it was loaded without its contents.

        They would be overwritten in the database.
        """
        if self.veiled:
            raise ValueError(f"{self.number} was loaded without what it says")
        return super().save(*args, **options)


class AppealReveal(Table):
    """An opening of a personal appeal, for a stated reason, by a user who may only read it so."""

    login = CharField(index=True)
    appeal = ForeignKeyField(Appeal, backref="reveals", on_delete="CASCADE")
    at = MomentField(index=True)
    reason = CharField()


class AppealReader(Table):
    """A user named as a reader of a personal appeal that their role alone may not read."""

    appeal = ForeignKeyField(Appeal, backref="readers", on_delete="CASCADE")
    login = CharField(index=True)
    at = MomentField()
    by = CharField()
    opened_at = MomentField(null=True)  # null: it is shown above their list of appeals

    class Meta:
        indexes = ((("appeal", "login"), True),)


class NumberSeries(Table):
    """The last appeal number issued in a year, so that numbers have no gaps."""

    year = IntegerField(primary_key=True)
    last = IntegerField()


class Draft(Table):
    """The values that an operator has typed for one call and not registered yet."""

    token = CharField(unique=True)  # becomes the appeal's token
    operator = ForeignKeyField(User, backref="drafts", on_delete="RESTRICT")
    call_id = CharField(null=True)
    aside = BooleanField(default=False)  # set aside by the operator: it is not opened automatically
    form = CharField(default="1")  # the form that is open: casework.forms.FORMS
    values = DocumentField(default=dict)  # of both forms
    updated_at = MomentField()

    class Meta:
        indexes = ((("operator", "call_id"), True),)
