"""The knowledge base: articles to read, to write and approve, and how they are used."""
