"""Issued reports, and the scheduled runs that generate them."""

from peewee import CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class IssuedReport(Table):
    """A report as it was submitted to the ministry; its contents never change later."""

    name = CharField()  # reports.files.FORMS
    first = DateField()
    last = DateField()
    edition = IntegerField()  # 1, 2, … of the same period
    issued_at = MomentField(index=True)
    by = CharField()  # login, or "jobs"
    formulas = CharField()
    cells = DocumentField()  # the value of each cell: issuing.changes
    # when its files were removed, because a person in the report was masked
    withdrawn_at = MomentField(null=True)

    class Meta:
        indexes = ((("name", "first", "last", "edition"), True),)


class IssuedFile(Table):
    """A file of an issued report, with the hash of its bytes."""

    report = ForeignKeyField(IssuedReport, backref="files", on_delete="CASCADE")
    locale = CharField()
    kind = CharField()  # reports.files.KINDS
    file = CharField(unique=True)  # its name in the folder of issued reports
    sha256 = CharField()
    size = IntegerField()  # bytes

    class Meta:
        indexes = ((("report", "locale", "kind"), True),)


class CountingRule(Table):
    """A manager's decision about what the monthly report counts; the newest one is in force.

    Its id is the version of the rule. Without a row, `counted` is "requests".
    """

    counted = CharField()  # requests | appeals
    decided_at = MomentField()
    decided_by = CharField()  # login


class ReportRun(Table):
    """A report that the schedule has to generate once."""

    name = CharField()
    period = CharField()  # 2026-10, 2026-Q3, 2026-10-20
    upto = CharField(default="")  # the last date, if that is not the period's end
    by = CharField(default="jobs")  # who requested it
    due_at = MomentField()
    state = CharField(default="due")  # due | running | done | failed
    attempts = IntegerField(default=0)
    next_at = MomentField(index=True)  # the earliest time of the next attempt
    claim = CharField(default="")  # identifies the process that is generating it
    error = TextField(default="")
    report = ForeignKeyField(IssuedReport, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = ((("name", "period", "upto"), True),)
