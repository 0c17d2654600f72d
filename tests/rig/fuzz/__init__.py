"""Coverage-guided fuzzing of every parser that reads foreign bytes.

`./run fuzz [SECONDS] [NAME…]` mutates the inputs of `corpus/NAME/`, guided by the branches that
they reach, and ends with status 1 at an error that no caller expects. Inputs that it finds go into
the corpus, which `tests/core/test_fuzz_corpus.py` reads in each run of the tests.
"""
