"""Mutants: whether the tests notice a rule that is changed by one operator, number or statement.

`./run mutants [PACKAGE…]` draws mutations of a package's modules by a seed, runs the tests over
each and prints those that no test noticed.
"""
