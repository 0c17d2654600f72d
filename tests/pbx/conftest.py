"""A real Asterisk with our own configuration and two operators, on its own address."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import db, settings
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, config, ledger
from appliance.pbx.log_follower import LogFollower
from appliance.people import accounts, presence
from appliance.telephony import prompts
from appliance.telephony.recordings import postprocessing
from provisioning.local import asterisk as tree
from provisioning.local import settings_file
from tests.pbx.box import Box
from tests.rig.waiting import wait_until


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, synthesised_prompts: Path, migrated: Path
) -> Iterator[Settings]:
    """Settings, a database with two operators, and prompts; nothing is running."""
    folder = tmp_path_factory.mktemp("box")
    file = folder / "appliance.toml"
    host_part = f"{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    text = settings_file.scratch_settings(
        paths={"event_log": "log/cel-custom/events.csv", "asterisk": "etc"},
        asterisk={
            "address": f"127.253.{host_part}",
            "command": tree.start_command(),
            "modules": str(tree.MODULES_FOLDER),
            "pages_secret": "secret of the pages",
            "guesses_secret": "secret of who hears of guesses",
        },
        calls={"hotline_number": "1006"},
        trunks=[{"name": "carrier", "address": f"127.252.{host_part}"}],
    )
    file.write_text(text)
    site_settings = settings.load_settings(file)
    tree.make_data_folder(site_settings.asterisk.data)
    shutil.copytree(synthesised_prompts, site_settings.paths.prompts)
    prompts.link_for_asterisk(site_settings.paths.prompts, site_settings.asterisk.data)
    shutil.copy(migrated, site_settings.paths.database)
    with db.open_database(site_settings.paths.database).connection_context():
        for number, speaks in ((1, ("uz", "ru")), (2, ("ru",))):
            accounts.create_account(
                f"op0{number}",
                f"Operator {number}",
                "operator",
                "secret",
                extension=f"100{number}",
                speaks=speaks,
            )
        yield site_settings


@pytest.fixture(scope="module")
def box(site: Settings) -> Iterator[Box]:
    """The running Asterisk of that site."""
    config.install_files(site)
    conf = str(site.paths.asterisk / "asterisk.conf")
    running = Box.launch(site, [*tree.start_command(), "-f", "-C", conf])
    try:
        wait_until(running.accepts_commands, limit=60)
        actions.apply_states(site)
        yield running
    finally:
        running.kill_process()


@pytest.fixture(scope="module")
def followed(box: Box) -> Iterator[Box]:
    """The event log is followed as `appliance pbx` does it; one operator is ready."""
    stop = threading.Event()

    def follow_log() -> None:
        with database.connection_context():
            follower = LogFollower(box.settings)
            while not stop.wait(0.05):
                follower.read_new_records()
                postprocessing.measure_recordings(box.settings, ledger.call_projector(box.settings))

    thread = threading.Thread(target=follow_log)
    thread.start()
    presence.choose_state(User.get(User.login == "op01"), "ready")
    actions.apply_states(box.settings)
    yield box
    stop.set()
    thread.join()
