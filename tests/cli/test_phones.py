"""`appliance phone`: desk phones from the command line."""

import json

import pytest

from appliance.core.settings import Settings
from appliance.telephony import desk_phones
from tests.cli.conftest import Run

SET_COMMAND = ("phone", "set", "nilufar", "--make", "yealink", "--mac")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site whose settings file names a certificate to present to phones."""
    text = settings.file.read_text("utf-8")
    certificate_section = '[asterisk]\ncertificate = "server.pem"\ncertificate_key = "server.key"\n'
    settings.file.write_text(text.replace("[asterisk]\n", certificate_section), "utf-8")
    return settings


def test_a_phone_is_added_and_receives_an_address(run: Run, nilufar) -> None:
    assert run(*SET_COMMAND, "00:15:65:a1:b2:c3").returncode == 0
    done = run("phone", "address", "nilufar")
    assert done.returncode == 0, done.stderr
    address, password = done.stdout.split()
    assert "/phones/" in address
    assert len(password) == 12
    (row,) = json.loads(run("phone", "list", "--json").stdout)
    assert (row["login"], row["mac"], row["waits"]) == ("nilufar", "001565a1b2c3", True)
    assert run("phone", "remove", "nilufar").returncode == 0
    assert desk_phones.phone_of_user(nilufar) is None


@pytest.mark.parametrize(
    "arguments",
    [
        (*SET_COMMAND, "0015"),
        ("phone", "set", "dilnoza", "--make", "yealink", "--mac", "001565a1b2c3"),
        ("phone", "address", "nilufar"),
        ("phone", "remove", "nobody"),
    ],
)
def test_an_impossible_command_is_reported_in_one_line(
    arguments: tuple[str, ...], run: Run
) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
