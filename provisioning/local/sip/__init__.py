"""People at telephones, for trials of a site: `parties` has callers, phones and numbers outside."""
