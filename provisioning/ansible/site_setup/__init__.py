"""site.ini: its keys, the questions that lead to it, the checks before anything changes.

Runs on the Python of a plain Debian 13 and needs no other package: from the bundle, from a clone,
and inside the playbooks (`roles/validate/lookup_plugins/`).
"""
