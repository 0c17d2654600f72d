"""Staff records for report form №1, issued reports, and the runs that make them."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class IssuedReport(Model):
        name = CharField()
        first = DateField()
        last = DateField()
        edition = IntegerField()
        issued_at = MomentField(index=True)
        by = CharField()
        formulas = CharField()
        cells = DocumentField()

        class Meta:
            database = db
            table_name = "issued_report"
            indexes = ((("name", "first", "last", "edition"), True),)

    db.create_tables([IssuedReport])

    class IssuedFile(Model):
        report = ForeignKeyField(IssuedReport, on_delete="CASCADE")
        locale = CharField()
        kind = CharField()
        file = CharField(unique=True)
        sha256 = CharField()
        size = IntegerField()

        class Meta:
            database = db
            table_name = "issued_file"
            indexes = ((("report", "locale", "kind"), True),)

    db.create_tables([IssuedFile])

    class QuarterAnswer(Model):
        quarter = CharField(primary_key=True)
        telegram_bot = BooleanField(null=True)
        telegram_bot_note = TextField(default="")
        published = BooleanField(null=True)
        published_note = TextField(default="")
        numbers = TextField(default="")
        complete = BooleanField(default=False)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = MomentField()

        class Meta:
            database = db
            table_name = "quarter_answer"

    db.create_tables([QuarterAnswer])

    class ReportRun(Model):
        name = CharField()
        period = CharField()
        upto = CharField(default="")
        by = CharField(default="jobs")
        due_at = MomentField()
        state = CharField(default="due")
        attempts = IntegerField(default=0)
        next_at = MomentField(index=True)
        claim = CharField(default="")
        error = TextField(default="")
        report = ForeignKeyField(IssuedReport, null=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "report_run"
            indexes = ((("name", "period", "upto"), True),)

    db.create_tables([ReportRun])

    class Shift(Model):
        opens = CharField()
        closes = CharField()
        since = DateField()
        until = DateField(null=True)

        class Meta:
            database = db
            table_name = "shift"

    db.create_tables([Shift])

    class ShiftPlace(Model):
        shift = ForeignKeyField(Shift, on_delete="CASCADE")
        user = ForeignKeyField(User, on_delete="RESTRICT")
        since = DateField()
        until = DateField(null=True)

        class Meta:
            database = db
            table_name = "shift_place"

    db.create_tables([ShiftPlace])

    class StaffEvent(Model):
        user = ForeignKeyField(User, on_delete="RESTRICT")
        kind = CharField()
        date = DateField(index=True)
        note = TextField(default="")

        class Meta:
            database = db
            table_name = "staff_event"

    db.create_tables([StaffEvent])

    class StaffRecord(Model):
        user = ForeignKeyField(User, unique=True, on_delete="RESTRICT")
        education = CharField(default="")
        hired_on = DateField(null=True)
        left_on = DateField(null=True)

        class Meta:
            database = db
            table_name = "staff_record"

    db.create_tables([StaffRecord])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("staff_record"))
    migrator.migrate(migrator.drop_table("staff_event"))
    migrator.migrate(migrator.drop_table("shift_place"))
    migrator.migrate(migrator.drop_table("shift"))
    migrator.migrate(migrator.drop_table("report_run"))
    migrator.migrate(migrator.drop_table("quarter_answer"))
    migrator.migrate(migrator.drop_table("issued_file"))
    migrator.migrate(migrator.drop_table("issued_report"))
