"""A December with every edge: midnights, opening hours, a holiday, a swapped Saturday."""

import shutil
from pathlib import Path

import pytest

from appliance.casework import catalogs
from appliance.core import clock, db, settings
from appliance.core.settings import Settings
from provisioning.local.settings_file import scratch_settings
from tests.reports.ledger_world import World, site_time


@pytest.fixture
def site(tmp_path: Path, migrated: Path):
    """The settings of a site with an empty, seeded database that stays open."""
    file = tmp_path / "site.toml"
    file.write_text(scratch_settings())
    site_settings = settings.load_settings(file)
    shutil.copy(migrated, site_settings.paths.database)
    db.open_database(site_settings.paths.database)
    catalogs.seed_lists()
    yield site_settings
    db.database.close()


@pytest.fixture
def world(site: Settings) -> World:
    return World()


@pytest.fixture
def new_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's clock is at 2 January 2027, when December is over."""
    monkeypatch.setattr(clock, "now", lambda: site_time("2027-01-02 00:00:00"))


@pytest.fixture
def december(site: Settings, world: World, new_year: None) -> Settings:
    """Calls and appeals whose figures were counted by hand; returns the site's settings."""
    for moment in (
        *("2026-11-30 23:59:59", "2027-01-01 00:00:00"),  # outside the month
        "1 00:00:00",  # Tue, outside
        "7 08:59:59",  # Mon, outside
        *("7 09:00:00", "7 17:59:59"),  # Mon, inside
        "7 18:00:00",  # Mon, outside
        "8 10:00:00",  # Tue, Constitution Day: outside
        "9 23:59:59",  # Wed, outside
        "10 00:00:00",  # Thu, outside
        "12 10:00:00",  # Sat, a working one: inside
        "12 20:00:00",  # Sat, outside
        "13 10:00:00",  # Sun, outside
        *("31 10:00:00", "31 23:59:59"),  # Thu, free for the Saturday: outside
    ):
        world.add_call(moment)
    world.add_call("15 10:00:00", outcome=None)  # Tue, inside; still in progress
    world.add_call("14 10:00:00", outcome="rejected")
    world.add_call("14 11:00:00", synthetic=True)
    world.add_call("14 12:00:00", direction="outbound")

    world.add_appeal("2026-11-30 23:59:59", "1710", "other")
    world.add_appeal("7 08:59:59", "1710", "subsidies")
    world.add_appeal("7 09:00:00", "1710", "subsidies", gist="Tikuv mashinasi")
    world.add_appeal(
        "12 10:00:00",
        "1726",
        "labour_violation",
        consultation=True,
        consultation_issue="Иш ҳақи уч ой тўланмагани",
        consultation_contact="Меҳнат инспекцияси, Н. Саидова",
    )
    world.add_appeal("13 10:00:00", "1735", "pregnancy_violation", consultation=True, gist="Таътил")
    world.add_appeal("31 23:59:59", None, "", region_text="Olmaota")
    world.add_appeal("2027-01-01 00:00:00", "1714", "other")
    return site
