"""The command line of every page (Ctrl K): one line that finds whatever has a name or a number."""
