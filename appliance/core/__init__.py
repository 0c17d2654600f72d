"""Hotline-independent foundations: settings, clock, database, audit and the outbox."""
