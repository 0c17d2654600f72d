"""An operator's calls back and his appeals of a day are found by index, whatever his past."""

from peewee import SQL


def up(migrator, db):
    migrator.migrate(
        migrator.add_index(
            "call",
            ("by", "reason", "arrived_at"),
            name="call_of_ours_for",
            where=SQL('"by" IS NOT NULL'),
        ),
        migrator.add_index(
            "appeal", ("operator_id", "registered_at"), name="appeal_operator_id_registered_at"
        ),
        migrator.drop_index("appeal", "appeal_operator_id"),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.add_index("appeal", ("operator_id",), name="appeal_operator_id"),
        migrator.drop_index("appeal", "appeal_operator_id_registered_at"),
        migrator.drop_index("call", "call_of_ours_for"),
    )
