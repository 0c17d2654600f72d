"""JSON interface to appeals and reports for other programs."""
