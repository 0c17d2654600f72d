"""Whether there is a Telegram bot is known from the settings: nobody types it."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.drop_column("quarter_answer", "telegram_bot_note"))
    migrator.migrate(migrator.drop_column("quarter_answer", "telegram_bot"))


def down(migrator, db):
    migrator.migrate(migrator.add_column("quarter_answer", "telegram_bot", BooleanField(null=True)))
    migrator.migrate(
        migrator.add_column("quarter_answer", "telegram_bot_note", TextField(default=""))
    )
