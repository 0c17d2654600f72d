"""Status pages: the appliance, its links, backups, data retention and messages."""
