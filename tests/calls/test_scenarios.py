"""Every branch of the hotline as real calls: what people do is what the ledger tells."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.trials import running, scenario
from tests.rig.trials.running import Result
from tests.rig.trials.scenario import Scenario
from tests.rig.trials.world import World

pytestmark = pytest.mark.calls
AT_ONCE = 24
SCENARIOS = scenario.load()


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, spoken: Path, request: pytest.FixtureRequest
) -> Iterator[dict[str, Result]]:
    """What became of every scenario that was chosen; all of them are performed on one site."""
    names = {item.callspec.params["one"] for item in request.session.items if _is_ours(item)}
    chosen = [one for one in SCENARIOS if one.name in names]
    place = Place(tmp_path_factory.mktemp("scenarios"))
    shutil.copytree(spoken, place.folder / "prompts")
    with site.trial(place, fresh=False):
        yield {result.scenario.name: result for result in asyncio.run(_perform(place, chosen))}


@pytest.mark.parametrize("one", [one.name for one in SCENARIOS])
def test_scenario(results: dict[str, Result], one: str) -> None:
    assert results[one].faults == []


def _is_ours(item: pytest.Item) -> bool:
    return item.path == Path(__file__) and hasattr(item, "callspec")


async def _perform(place: Place, chosen: list[Scenario]) -> list[Result]:
    more = running.more_phones(AT_ONCE)
    async with World(place, patience=2, scripted=True, more=more).open() as world:
        return await running.run(chosen, world, AT_ONCE)
