"""Asterisk: its log followed into the ledger, its configuration, what may be asked of it."""
