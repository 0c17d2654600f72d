"""Benchmarks of the appliance, run by `./run bench`."""
