"""A real Asterisk with our configuration and two operators, on an address of its own."""

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
from appliance.pbx import actions, config, projection
from appliance.pbx.follow import Follower
from appliance.people import accounts, presence
from appliance.telephony import prompts
from appliance.telephony.recordings import postprocessing
from provisioning.local import asterisk as tree
from provisioning.local import settings_file
from tests.pbx.box import Box
from tests.rig.waiting import until


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, spoken: Path, migrated: Path
) -> Iterator[Settings]:
    """Settings, a database with two operators, prompts; nothing runs."""
    folder = tmp_path_factory.mktemp("box")
    file = folder / "appliance.toml"
    own = f"{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    text = settings_file.scratch(
        paths={"event_log": "log/cel-custom/events.csv", "asterisk": "etc"},
        asterisk={
            "address": f"127.253.{own}",
            "command": tree.command(),
            "modules": str(tree.MODULES),
            "pages_secret": "secret of the pages",
            "guesses_secret": "secret of who hears of guesses",
        },
        calls={"hotline_number": "1006"},
        trunks=[{"name": "carrier", "address": f"127.252.{own}"}],
    )
    file.write_text(text)
    found = settings.load(file)
    tree.make_data(found.asterisk.data)
    shutil.copytree(spoken, found.paths.prompts)
    prompts.show_to_asterisk(found.paths.prompts, found.asterisk.data)
    shutil.copy(migrated, found.paths.database)
    with db.open_database(found.paths.database).connection_context():
        for number, speaks in ((1, ("uz", "ru")), (2, ("ru",))):
            accounts.add(
                f"op0{number}",
                f"Operator {number}",
                "operator",
                "secret",
                extension=f"100{number}",
                speaks=speaks,
            )
        yield found


@pytest.fixture(scope="module")
def box(site: Settings) -> Iterator[Box]:
    """The Asterisk of that site, running."""
    config.install(site)
    conf = str(site.paths.asterisk / "asterisk.conf")
    running = Box.started(site, [*tree.command(), "-f", "-C", conf])
    try:
        until(running.answers, limit=60)
        actions.put_states_in_force(site)
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="module")
def followed(box: Box) -> Iterator[Box]:
    """The event log is followed, as `appliance pbx` does; an operator is ready."""
    stop = threading.Event()

    def follow() -> None:
        with database.connection_context():
            follower = Follower(box.settings)
            while not stop.wait(0.05):
                follower.step()
                postprocessing.measure(box.settings, projection.projector(box.settings))

    thread = threading.Thread(target=follow)
    thread.start()
    presence.choose_state(User.get(User.login == "op01"), "ready")
    actions.put_states_in_force(box.settings)
    yield box
    stop.set()
    thread.join()
