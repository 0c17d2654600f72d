"""`/healthz`, and the page of the self-checks."""

import pytest

from appliance import db


def test_healthz(client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_healthz_of_a_database_that_cannot_be_written(client, settings) -> None:
    db.database.execute_sql("PRAGMA query_only = 1")  # the request takes up this connection
    assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize("path", ["/status", "/status/checks"])
def test_each_check_with_what_to_do(login_as, path) -> None:
    page = login_as("technician").get(path).text
    assert 'id="check-asterisk"' in page
    assert "hali biror marta koʻrilmagan" in page
    assert "`appliance pbx` ishlayotganini tekshiring" in page
    assert page.index('id="check-asterisk"') < page.index('id="check-database"')
