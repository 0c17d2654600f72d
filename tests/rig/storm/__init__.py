"""Thousands of messages through the real sending process, which is killed at random, to services
that misbehave: what reached them is compared with what the outbox says."""
