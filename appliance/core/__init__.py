"""Foundations that know nothing of the hotline: settings, clock, database, audit and the outbox."""
