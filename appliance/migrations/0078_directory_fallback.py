"""Who signs in by the stored password while the directory of passwords is away: nobody at first."""

from peewee import BooleanField


def up(migrator, db):
    field = BooleanField(default=False)
    migrator.migrate(migrator.add_column("user", "directory_fallback", field))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("user", "directory_fallback"))
