"""Settings: routing, directory, prompts, departments, access keys."""
