"""A site's settings file: written from tables, and the one of a scratch site."""

from collections.abc import Mapping, Sequence

import tomli_w

type Table = Mapping[str, object]

EASY: Table = {"second_factor": [], "second_factor_outside": [], "lock_minutes": 0}  # to sign in
_SCRATCH: Mapping[str, Table | Sequence[Table]] = {
    "paths": {
        "database": "site.db",
        "event_log": "cel.csv",
        "recordings": "recordings",
        "prompts": "prompts",
        "asterisk": "asterisk",
        "backups": "backups",
    },
    "web": {
        "bind": "127.9.9.1:8000",
        "url": "https://localhost",
        "secret_key": "secret",
        "threads": 1000,  # who asks without a front leaves answers open
    },
    "asterisk": {
        "address": "127.9.9.2",
        **{name: name for name in ("modules", "data", "run", "log", "spool", "var")},
        "ami_secret": "secret",
    },
    "sign_in": EASY,
    "calls": {"hotline_number": "1282"},
    "trunks": [{"name": "carrier", "address": "127.9.9.9"}],
}


def scratch(**differs: Table | Sequence[Table]) -> str:
    """The file of a site for a measurement or a test; a table holds only what differs."""
    tables = dict(_SCRATCH)
    for name, given in differs.items():
        usual = tables.get(name)
        if isinstance(usual, Mapping) and isinstance(given, Mapping):
            tables[name] = {**usual, **given}
        else:
            tables[name] = given
    return written(tables)


def written(tables: Mapping[str, Table | Sequence[Table]]) -> str:
    """Tables, and lists of tables, as TOML."""
    return tomli_w.dumps(tables)
