"""What knows no hotline: settings, clock, database, audit, what leaves the box."""
