"""Reports that were issued, and the timetable's runs that make them."""

from peewee import CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class IssuedReport(Table):
    """A report as it was given to the ministry; never changed afterwards."""

    name = CharField()  # reports.files.FORMS
    first = DateField()
    last = DateField()
    edition = IntegerField()  # 1, 2, … of the same period
    issued_at = MomentField(index=True)
    by = CharField()  # login, or "jobs"
    formulas = CharField()
    cells = DocumentField()  # what each cell held: issuing.changes
    withdrawn_at = MomentField(null=True)  # its files were removed: somebody in it was masked

    class Meta:
        indexes = ((("name", "first", "last", "edition"), True),)


class IssuedFile(Table):
    """A file of an issued report, as its bytes were."""

    report = ForeignKeyField(IssuedReport, backref="files", on_delete="CASCADE")
    locale = CharField()
    kind = CharField()  # reports.files.KINDS
    file = CharField(unique=True)  # its name in the folder of issued reports
    sha256 = CharField()
    size = IntegerField()  # bytes

    class Meta:
        indexes = ((("report", "locale", "kind"), True),)


class ReportRun(Table):
    """A report that the timetable has to make once."""

    name = CharField()
    period = CharField()  # 2026-10, 2026-Q3, 2026-10-20
    upto = CharField(default="")  # the last date, when it does not go to the period's end
    by = CharField(default="jobs")  # who asked for it
    due_at = MomentField()
    state = CharField(default="due")  # due | running | done | failed
    attempts = IntegerField(default=0)
    next_at = MomentField(index=True)  # not tried before
    claim = CharField(default="")  # of the process that makes it
    error = TextField(default="")
    report = ForeignKeyField(IssuedReport, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = ((("name", "period", "upto"), True),)
