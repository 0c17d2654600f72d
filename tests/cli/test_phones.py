"""`appliance phone`: desk phones from the command line."""

import json

import pytest

from appliance.core.settings import Settings
from appliance.telephony import desk_phones
from tests.cli.conftest import Run

SET = ("phone", "set", "nilufar", "--make", "yealink", "--mac")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A box that has a certificate to show to phones, in its settings file."""
    text = settings.file.read_text("utf-8")
    shown = '[asterisk]\ncertificate = "server.pem"\ncertificate_key = "server.key"\n'
    settings.file.write_text(text.replace("[asterisk]\n", shown), "utf-8")
    return settings


def test_a_phone_is_written_down_and_given_an_address(run: Run, nilufar) -> None:
    assert run(*SET, "00:15:65:a1:b2:c3").returncode == 0
    done = run("phone", "address", "nilufar")
    assert done.returncode == 0, done.stderr
    address, password = done.stdout.split()
    assert "/phones/" in address
    assert len(password) == 12
    (row,) = json.loads(run("phone", "list", "--json").stdout)
    assert (row["login"], row["mac"], row["waits"]) == ("nilufar", "001565a1b2c3", True)
    assert run("phone", "remove", "nilufar").returncode == 0
    assert desk_phones.of(nilufar) is None


@pytest.mark.parametrize(
    "words",
    [
        (*SET, "0015"),
        ("phone", "set", "dilnoza", "--make", "yealink", "--mac", "001565a1b2c3"),
        ("phone", "address", "nilufar"),
        ("phone", "remove", "nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: tuple[str, ...], run: Run) -> None:
    done = run(*words)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
