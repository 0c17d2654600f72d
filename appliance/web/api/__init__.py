"""Appeals and reports for other programs."""
