"""Settings pages: telephony, prompts, lists, forms, scripts, people, rights, access keys."""
