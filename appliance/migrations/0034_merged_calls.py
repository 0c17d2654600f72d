"""The tables of release 0.2.0.

This migration replaces REPLACED and itself, the thirty migrations up to 0.2.0. It keeps the name of
their last one, so that a database which has them is complete. A new database records their names
too: its history is that of an upgraded database, and release 0.3.0 accepts it.
"""

import re
from pathlib import Path

REPLACED = (
    "0001_initial",
    "0002_plan",
    "0003_whole_calls",
    "0004_directory",
    "0005_prompts",
    "0006_papers_and_staff_records",
    "0007_tariffs",
    "0008_handling",
    "0009_outbox",
    "0010_followups",
    "0011_notices",
    "0012_keeping",
    "0013_ministry",
    "0014_sms",
    "0015_claims",
    "0016_links_and_self_tests",
    "0017_snapshots",
    "0018_technics",
    "0019_waiting",
    "0020_receipts",
    "0021_attempts",
    "0022_second_word",
    "0023_sign_ins",
    "0025_quarantine",
    "0027_witness",
    "0028_bot_by_settings",
    "0030_refused_forms",
    "0031_answer_drafts",
    "0033_alarm_names",
)


def up(migrator, db):
    for statement in _statements():
        db.execute_sql(statement)
    for name in REPLACED:
        db.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES (?, datetime('now', 'localtime'))",
            (name,),
        )


def down(migrator, db):
    for statement in reversed(_statements()):
        if table := re.match(r'CREATE (?:VIRTUAL )?TABLE "(\w+)"', statement):
            migrator.migrate(migrator.drop_table(table[1]))
    for name in REPLACED:
        db.execute_sql("DELETE FROM schema_migration WHERE name = ?", (name,))


def _statements():
    """Return the statements, each on one line as older releases executed it.

    SQLite stores the text of a statement, so that a new database has the text of an upgraded one.
    """
    text = Path(__file__).with_suffix(".sql").read_text("utf-8")
    for lines, line in {"(\n    ": "(", ",\n    ": ", ", "\n)": ")"}.items():
        text = text.replace(lines, line)
    return text.splitlines()
