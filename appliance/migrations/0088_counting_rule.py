"""What the monthly report counts: every registered request, or form №1 only."""

from peewee import *


def up(migrator, db):
    class CountingRule(Model):
        counted = CharField()
        decided_at = BigIntegerField()
        decided_by = CharField()

        class Meta:
            database = db
            table_name = "counting_rule"

    db.create_tables([CountingRule])


def down(migrator, db):
    db.execute_sql("DROP TABLE counting_rule")
