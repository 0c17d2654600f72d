"""What lies outside the box, played for the tests; each behaves as badly as it is told to."""
