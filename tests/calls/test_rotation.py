"""Keys and passwords of a site are changed while a citizen talks: nothing of the call is lost."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from provisioning.local import plans, site
from provisioning.local.plans import Times
from tests.calls.conftest import running
from tests.calls.hotline import Hotline
from tests.rig.waiting import until

pytestmark = pytest.mark.calls


@pytest.fixture
def hotline(tmp_path: Path, spoken: Path) -> Iterator[Hotline]:
    """A site of its own: another test's phones would not know their passwords any more."""
    (folder := tmp_path / "site").mkdir()
    with running(folder, spoken) as begun:
        yield begun


def test_each_by_its_command_without_a_lost_call(hotline: Hotline) -> None:
    """As docs/operating.md says, "Changing keys and passwords"."""
    folder, config = hotline.place.folder, hotline.place.config
    calls = hotline.call([plans.rated(plans.number(1), Times(talk=40.0, stays=180.0))])
    until(lambda: calls.reports()[0].operator, limit=60)
    talking = next(
        o for o in hotline.facts["operators"] if o["extension"] == calls.reports()[0].operator
    )
    former = config.read_text("utf-8")
    settings = tomllib.loads(former)
    settings["asterisk"]["ami_secret"] = "another one"
    settings["web"]["secret_key"] = "another one"

    given = hotline.appliance("user", "phone-password", talking["login"]).strip()
    assert given not in ("", talking["sip_password"])
    hotline.appliance("user", "second-factor", talking["login"], "--forget")
    config.write_text(tomli_w.dumps(settings), "utf-8")
    assert "manager.conf" in hotline.appliance("render")
    hotline.appliance("audit", "new-key", str(folder / "audit.key"), str(folder / "audit.pub"))
    for process in ("pbx", "web", "jobs"):
        hotline.kill(process)
    assert "repository.key" in hotline.appliance("backup", "rotate-keys")
    until(lambda: site.pages_answer(hotline.place))

    reports = calls.wait(240)
    row = hotline.settled(reports, limit=60)[reports[0].plan.number]
    assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
    assert [talk["who"] for talk in row["talks"]] == [talking["login"]]
    assert row["talk_seconds"] == pytest.approx(reports[0].talk_seconds, abs=2)
    assert not row["gaps"]
    assert len(row["recordings"]) == 1
    hotline.appliance("operator", "ready", hotline.facts["operators"][1]["login"])  # Asterisk obeys
    hotline.appliance("audit", "verify")
    hotline.appliance("backup", "create")
    assert hotline.appliance("backup", "list")
