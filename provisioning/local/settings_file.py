"""A site's settings file: conversion of tables to TOML, and the file of a scratch site."""

from collections.abc import Mapping, Sequence

import tomli_w

type Table = Mapping[str, object]

EASY_SIGN_IN: Table = {"second_factor": [], "second_factor_outside": [], "lock_minutes": 0}
_SCRATCH_TABLES: Mapping[str, Table | Sequence[Table]] = {
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
        "threads": 1000,  # clients without nginx in between leave answers open
    },
    "asterisk": {
        "address": "127.9.9.2",
        **{name: name for name in ("modules", "data", "run", "log", "spool", "var")},
        "ami_secret": "secret",
    },
    "sign_in": EASY_SIGN_IN,
    "calls": {"hotline_number": "1282"},
    "trunks": [{"name": "carrier", "address": "127.9.9.9"}],
}


def scratch_settings(**changes: Table | Sequence[Table]) -> str:
    """The settings file of a site for a measurement or a test.

    `changes`: table → the keys that differ from the default settings.
    """
    tables = dict(_SCRATCH_TABLES)
    for name, change in changes.items():
        default = tables.get(name)
        if isinstance(default, Mapping) and isinstance(change, Mapping):
            tables[name] = {**default, **change}
        else:
            tables[name] = change
    return toml_text(tables)


def toml_text(tables: Mapping[str, Table | Sequence[Table]]) -> str:
    """Tables, and lists of tables, as TOML."""
    return tomli_w.dumps(tables)
