"""The contents of a box: the bundle for a USB disk, and a plain Debian 13 for trials."""
