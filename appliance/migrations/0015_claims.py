"""Who claimed a message and when it was last tried; the order per recipient at an index's price."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("message", "claimed_by", CharField(default="")),
        migrator.add_column("message", "tried_at", MomentField(null=True)),
        migrator.add_index("message", ("tried_at",), False),
        migrator.drop_index("message", "message_recipient"),
        migrator.add_index("message", ("recipient", "state"), False),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index("message", "message_recipient_state"),
        migrator.add_index("message", ("recipient",), False),
        migrator.drop_index("message", "message_tried_at"),
        migrator.drop_column("message", "tried_at"),
        migrator.drop_column("message", "claimed_by"),
    )
