"""The fuzzer's corpus, read again: no input that was once found breaks a parser."""

import pytest

from tests.rig.fuzz.targets import CORPUS, TARGETS, corpus


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_of_the_corpus_breaks_its_parser(name):
    inputs = corpus(name)
    assert inputs
    for file in inputs:
        TARGETS[name](file.read_bytes())


def test_each_corpus_has_a_target():
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
