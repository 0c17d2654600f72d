"""Files of the ministry's that were taken before ours told what became of them need no receipt."""


def up(migrator, db):
    db.execute_sql("UPDATE ministry_package SET receipt_at = at WHERE way = 'in'")


def down(migrator, db):
    db.execute_sql("UPDATE ministry_package SET receipt_at = NULL WHERE way = 'in'")
