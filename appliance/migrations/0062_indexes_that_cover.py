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


def up(migrator, db):
    _replace(migrator, _NEW, _OLD)


def down(migrator, db):
    _replace(migrator, _OLD, _NEW)


def _replace(migrator, made, dropped):
    for table, name, columns in made:
        migrator.migrate(migrator.add_index(table, columns, name=name))
    for table, name, _columns in dropped:
        migrator.migrate(migrator.drop_index(table, name))
