"""The phone in the page belongs to a session, and has a password that ends with it."""

from peewee import CharField

COLUMNS = ("phone_session", "page_password")


def up(migrator, db):
    for name in COLUMNS:
        migrator.migrate(migrator.add_column("user", name, CharField(null=True)))


def down(migrator, db):
    for name in reversed(COLUMNS):
        migrator.migrate(migrator.drop_column("user", name))
