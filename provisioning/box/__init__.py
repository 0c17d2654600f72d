"""What a box is made of: the bundle for a USB disk, and a plain Debian 13 to try it on."""
