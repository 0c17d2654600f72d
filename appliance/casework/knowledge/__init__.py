"""The knowledge base: articles, their files, and the record of their use and searches (A8, B12)."""
