"""The audit: where from, signed heads, rows that are added only; who opened what."""

from peewee import *

from appliance.core.tables import MomentField

GUARDED = ("audit_entry", "audit_anchor")
FORBIDDEN = ("update", "delete")
INDEXED = ("action", "subject")


def up(migrator, db):
    class AuditAnchor(Model):
        id = AutoField()
        at = MomentField()
        entry = IntegerField()
        hash = CharField()
        signature = CharField()

        class Meta:
            database = db
            table_name = "audit_anchor"

    class Appeal(Model):
        class Meta:
            database = db
            table_name = "appeal"

    class AppealReveal(Model):
        login = CharField(index=True)
        appeal = ForeignKeyField(Appeal, on_delete="CASCADE")
        at = MomentField(index=True)
        reason = CharField()

        class Meta:
            database = db
            table_name = "appeal_reveal"

    db.create_tables([AuditAnchor, AppealReveal])
    migrator.migrate(migrator.add_column("audit_entry", "address", CharField(default="")))
    for column in INDEXED:
        migrator.migrate(migrator.add_index("audit_entry", (column,), False))
    for table in GUARDED:
        for what in FORBIDDEN:
            db.execute_sql(
                f"CREATE TRIGGER {table}_{what} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table}: rows are added only'); END"
            )


def down(migrator, db):
    for table in GUARDED:
        for what in FORBIDDEN:
            db.execute_sql(f"DROP TRIGGER {table}_{what}")
    for column in INDEXED:
        migrator.migrate(migrator.drop_index("audit_entry", f"audit_entry_{column}"))
    migrator.migrate(migrator.drop_column("audit_entry", "address"))
    for table in ("audit_anchor", "appeal_reveal"):
        migrator.migrate(migrator.drop_table(table))
