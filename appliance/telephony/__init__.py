"""Calls and what carries them: the ledger, routing, trunks, prompts, recordings, follow-ups."""
