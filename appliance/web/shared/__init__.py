"""Code that the pages of several sections share: labels, parts of pages, access to records."""
