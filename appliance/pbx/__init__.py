"""Asterisk: its event log read into the ledger, its configuration, and the commands sent to it."""
