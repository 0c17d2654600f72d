"""The operator's workplace: current call, its form, transferring callers."""
