"""Every branch of the hotline as real calls: the ledger records what the people did."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.trials import running, scenario
from tests.rig.trials.running import ScriptResult
from tests.rig.trials.scenario import Scenario
from tests.rig.trials.world import World

pytestmark = pytest.mark.calls
CONCURRENT_SCENARIOS = 24
SCENARIOS = scenario.load_scenarios()


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory,
    synthesised_prompts: Path,
    request: pytest.FixtureRequest,
) -> Iterator[dict[str, ScriptResult]]:
    """The result of each selected scenario, by name; all of them run on one site."""
    names = {
        item.callspec.params["scenario_name"]
        for item in request.session.items
        if _is_scenario_item(item)
    }
    scenarios = [candidate for candidate in SCENARIOS if candidate.name in names]
    place = Place(tmp_path_factory.mktemp("scenarios"))
    shutil.copytree(synthesised_prompts, place.folder / "prompts")
    with site.trial_site(place, fresh=False):
        yield {
            result.scenario.name: result
            for result in asyncio.run(_perform_scenarios(place, scenarios))
        }


@pytest.mark.parametrize("scenario_name", [scenario.name for scenario in SCENARIOS])
def test_scenario_has_no_faults(results: dict[str, ScriptResult], scenario_name: str) -> None:
    assert results[scenario_name].faults == []


def _is_scenario_item(item: pytest.Item) -> bool:
    return item.path == Path(__file__) and hasattr(item, "callspec")


async def _perform_scenarios(place: Place, scenarios: list[Scenario]) -> list[ScriptResult]:
    extra_phones = running.additional_phones(CONCURRENT_SCENARIOS)
    async with World(
        place, limit_factor=2, scripted=True, more_operators=extra_phones
    ).open_world() as world:
        return await running.run_scenarios(scenarios, world, CONCURRENT_SCENARIOS)
