"""The staff of the hotline: accounts, states, records, keys."""
