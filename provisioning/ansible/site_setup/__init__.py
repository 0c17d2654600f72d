"""site.ini: its keys, the questions that produce it, the checks before anything changes.

Runs on the Python of a plain Debian 13 without other packages: from the bundle, from a clone, and
inside the playbooks (`roles/validate/lookup_plugins/`).
"""
