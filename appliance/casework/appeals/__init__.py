"""Appeals: form №1, its drafts, registering, visibility and handling."""
