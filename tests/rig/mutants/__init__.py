"""Mutants: check that the tests notice a rule changed by one operator, number or statement.

`./run mutants [PACKAGE…]` draws mutations of a package's modules by a seed, runs the tests on each
and prints those that no test noticed.
"""
