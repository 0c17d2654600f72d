"""The table `folded` is `merged_call`, as the code calls it."""


def up(migrator, db):
    migrator.migrate(migrator.rename_table("folded", "merged_call"))


def down(migrator, db):
    migrator.migrate(migrator.rename_table("merged_call", "folded"))
