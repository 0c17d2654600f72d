"""Who works with the hotline: accounts, states, records, keys."""
