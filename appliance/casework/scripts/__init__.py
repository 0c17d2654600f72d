"""Conversation scripts: what operators say, step by step, in the version that is in force (A8)."""
