"""The knowledge base: pages to read, write and approve articles, and statistics of their use."""
