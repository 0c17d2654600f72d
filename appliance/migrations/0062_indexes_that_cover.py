"""What figures ask of a call's talks and of its registrations stands in the index that finds it."""

# table, name, columns
_NEW = (
    ("talk", "talk_call_id_position_party_who", ("call_id", "position", "party", "who")),
    ("call_form", "callform_call_id_number", ("call_id", "number")),
    ("appeal", "appeal_call_id_number", ("call_id", "number")),
)
_OLD = (
    ("talk", "talk_call_id", ("call_id",)),
    ("call_form", "callform_call_id", ("call_id",)),
    ("appeal", "appeal_call_id", ("call_id",)),
)
# the missed callers who wait, in their order; and the others
_IN_LINE = """
CREATE INDEX follow_up_in_line ON follow_up
(CASE kind WHEN 'callback' THEN 0 WHEN 'queue' THEN 1 ELSE 2 END, joined_at, id)
WHERE closed_at IS NULL
"""
_CLOSED = "CREATE INDEX follow_up_closed ON follow_up (closed_at) WHERE closed_at IS NOT NULL"


def up(migrator, db):
    _replace(migrator, _NEW, _OLD)
    for index in (_IN_LINE, _CLOSED):
        db.execute_sql(index)
    migrator.migrate(migrator.drop_index("follow_up", "followup_closed_at"))


def down(migrator, db):
    migrator.migrate(
        migrator.add_index("follow_up", ("closed_at",), name="followup_closed_at"),
        migrator.drop_index("follow_up", "follow_up_closed"),
        migrator.drop_index("follow_up", "follow_up_in_line"),
    )
    _replace(migrator, _OLD, _NEW)


def _replace(migrator, made, dropped):
    for table, name, columns in made:
        migrator.migrate(migrator.add_index(table, columns, name=name))
    for table, name, _columns in dropped:
        migrator.migrate(migrator.drop_index(table, name))
