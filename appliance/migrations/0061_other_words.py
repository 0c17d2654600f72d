"""Other words by which an article is found; articles are put into the index of the search anew.

`appliance migrate` fills it.
"""

from peewee import *

# ids of articles in the index, and of the rows with all their words (search.index)
ARTICLES = (2 << 40, (3 << 40) - 1)
APART = 1 << 50


def up(migrator, db):
    migrator.migrate(migrator.add_column("article", "other_words", CharField(default="")))
    begin, end = ARTICLES
    for rows in (ARTICLES, (begin + APART, end + APART)):
        db.execute_sql("DELETE FROM search_text WHERE rowid BETWEEN ? AND ?", rows)
    db.execute_sql("DELETE FROM search_entry WHERE id BETWEEN ? AND ?", ARTICLES)


def down(migrator, db):
    migrator.migrate(migrator.drop_column("article", "other_words"))
