"""The check of names and words refuses what its lists name, and nothing else."""

import pytest

from provisioning.local import plain_english
from provisioning.local.plain_english import Figures


def findings(source: str, path: str = "appliance/a.py") -> list[str]:
    """The findings of a Python file, as they are printed."""
    return [str(finding) for finding in plain_english.check_python(path, source, Figures())]


def test_a_vague_function_name_is_refused() -> None:
    [finding] = findings("def _written():\n    pass\n")
    assert finding.startswith("appliance/a.py:1: function `_written`: ")


@pytest.mark.parametrize(
    "source",
    [
        "def send(told):\n    pass\n",
        "def send():\n    kept = 1\n",
        "def send():\n    return [one for one in range(3)]\n",
        "NUMBERS = [one for one in range(3)]\n",
        "KEY = lambda one: one\n",
        "def send():\n    with open('a') as found:\n        pass\n",
    ],
)
def test_a_vague_local_name_is_refused(source: str) -> None:
    [finding] = findings(source)
    assert "local `" in finding


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\ny = 2  # whoever comes\n", 2),
        ('def send():\n    """What is told."""\n', 2),
        ('class Call:\n    """A call in vain."""\n', 2),
        ("def test_a_call_is_taken_anew():\n    pass\n", 1),
    ],
)
def test_a_dialect_word_is_refused_with_its_line(source: str, line: int) -> None:
    [finding] = findings(source)
    assert finding.startswith(f"appliance/a.py:{line}: “")


@pytest.mark.parametrize(
    "source",
    [
        'def send():\n    """Returns None, or `told` where a code says "none"."""\n',
        "told = 1\n",  # a module's constant is no local
        "text = 'whoever reads it anew'\n",
    ],
)
def test_values_code_and_texts_are_accepted(source: str) -> None:
    assert findings(source) == []


def test_code_blocks_of_a_document_are_skipped() -> None:
    text = "Plain.\n\n```\ntold\n```\n\nIt stands `anew` there.\n"
    [finding] = plain_english.check_document("docs/a.md", text, Figures())
    assert str(finding).startswith("docs/a.md:7: “stands”")


@pytest.mark.parametrize("text", ["/* it\n   stands */", "  // stands", "{# stands #}", "# stands"])
def test_comments_of_other_languages_are_checked(text: str) -> None:
    [finding] = plain_english.check_comments("a.css", text)
    assert finding.message.startswith("“stands”")


def test_the_figures_of_a_codebase_are_compared_with_the_goals() -> None:
    figures = Figures()
    source = "def run(call):\n    '''Call it.'''\n\n\ndef run(call):\n    '''Call it.'''\n"
    assert not list(plain_english.check_python("appliance/a.py", source, figures))
    assert not list(plain_english.check_document("README.md", "Plain words.", figures))
    missed_goals = {line.partition(":")[0] for line in figures.missed_goals()}
    assert missed_goals == {
        "single_word_names_percent",
        "distinct_names_ratio",
        "mean_name_length",
    }
