"""The fuzzer's corpus, read again: no recorded input breaks a parser."""

import pytest

from tests.rig.fuzz.targets import CORPUS, FUZZ_TARGETS, corpus_files


@pytest.mark.parametrize("name", FUZZ_TARGETS)
def test_no_input_of_the_corpus_breaks_its_parser(name):
    inputs = corpus_files(name)
    assert inputs
    for file in inputs:
        FUZZ_TARGETS[name](file.read_bytes())


def test_each_corpus_has_a_target():
    assert {folder.name for folder in CORPUS.iterdir()} == set(FUZZ_TARGETS)
