"""The services that carry short messages, one module each."""
