"""Masking leaves nothing: former applicants go, issued reports can be withdrawn, and a removal says
which of the rules for it was in force."""

from peewee import IntegerField

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("issued_report", "withdrawn_at", MomentField(null=True)),
        migrator.add_column("removal", "extent", IntegerField(default=0)),
    )
    # A correction of a name or phone left the applicant of before it: of no appeal, yet shown.
    db.execute_sql(
        'DELETE FROM "applicant" WHERE "id" NOT IN (SELECT "applicant_id" FROM "appeal")'
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("removal", "extent"),
        migrator.drop_column("issued_report", "withdrawn_at"),
    )
