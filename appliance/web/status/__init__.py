"""Status: the box, links, backups, retention, messages."""
