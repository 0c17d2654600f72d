"""The project manager's records about operators, for report form №1."""

from peewee import BooleanField, CharField, DateField, ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class StaffRecord(Table):
    """An operator's education and the period of their employment."""

    user = ForeignKeyField(User, backref="records", unique=True, on_delete="RESTRICT")
    education = CharField(default="")  # staff_records.EDUCATION; "" if not entered
    hired_on = DateField(null=True)  # null: before the records begin
    left_on = DateField(null=True)  # the last day


class StaffEvent(Table):
    """A training course or a disciplinary measure of an operator."""

    user = ForeignKeyField(User, backref="staff_events", on_delete="RESTRICT")
    kind = CharField()  # staff_records.EVENTS: training | measure
    date = DateField(index=True)
    note = TextField(default="")


class Shift(Table):
    """An interval of the working day, in force between two dates."""

    opens = CharField()  # 08:00
    closes = CharField()  # 14:00; at or before `opens`: on the next day
    since = DateField()
    until = DateField(null=True)  # the last day


class ShiftPlace(Table):
    """The assignment of an operator to a shift, between two dates."""

    shift = ForeignKeyField(Shift, backref="places", on_delete="CASCADE")
    user = ForeignKeyField(User, backref="shift_places", on_delete="RESTRICT")
    since = DateField()
    until = DateField(null=True)


class QuarterAnswer(Table):
    """The data for a quarter's report form №1 that only a person can enter."""

    quarter = CharField(primary_key=True)  # 2026-Q3
    published = BooleanField(null=True)
    published_note = TextField(default="")
    numbers = TextField(default="")  # further numbers that lead to the hotline
    complete = BooleanField(default=False)  # the records of the quarter are complete
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = MomentField()
