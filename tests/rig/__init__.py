"""Shared parts of the tests: callers, telephones, fakes of external systems, benchmarks, trials."""
