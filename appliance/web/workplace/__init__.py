"""The operator's workplace: the call at hand, its form, passing callers on."""
