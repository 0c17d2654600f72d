"""An alarm knows what its check is called, also when the check is no more."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("alarm", "name", CharField(default="")))
    migrator.migrate(migrator.add_column("alarm", "values", TextField(default="{}")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("alarm", "values"))
    migrator.migrate(migrator.drop_column("alarm", "name"))
