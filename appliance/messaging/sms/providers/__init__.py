"""The services that deliver short messages, one module each."""
