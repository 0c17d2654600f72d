"""`python -m provisioning.local.trials NAME …`, called by `./run scenarios` and its like."""

import asyncio
import sys

from provisioning.local import site
from provisioning.local.place import Place
from provisioning.local.trials import running, scenario
from provisioning.local.trials.running import Result
from provisioning.local.trials.world import World

TRIALS = site.TOP / ".site-trials"


def main(arguments: list[str]) -> int:
    """Exit status 0 all as written, 1 something was not, 2 wrong use."""
    match arguments:
        case ["scenarios", *names]:
            return _scenarios(names)
    print("usage: ./run scenarios [NAME…]", file=sys.stderr)
    return 2


def _scenarios(names: list[str]) -> int:
    at_once = 12
    if "--at-once" in names:
        position = names.index("--at-once")
        at_once = int(names[position + 1])
        names = names[:position] + names[position + 2 :]
    chosen = scenario.load(*names)
    if not chosen:
        print("no scenario has such a name", file=sys.stderr)
        return 2
    with site.trial(Place(TRIALS / "scenarios")) as place:
        results = asyncio.run(_perform(place, chosen, at_once))
    print(running.table(results))
    wrong = [result for result in results if not result.right]
    for result in wrong:
        print(f"\n{result.scenario.name}: {'; '.join(result.scenario.steps)}")
        for fault in result.faults:
            print(f"  {fault}")
    print(f"\n{len(results)} scenarios, {len(wrong)} not as written")
    return 1 if wrong else 0


async def _perform(place: Place, chosen: list[scenario.Scenario], at_once: int) -> list[Result]:
    def told(result: Result) -> None:
        state = "done" if result.right else "stuck"
        print(f"{result.seconds:5.0f} s  {state:5}  {result.scenario.name}", flush=True)

    async with World(place).open() as world:
        results = await running.run(chosen, world, at_once, told)
        for stray in world.strays:
            print(f"stray: {stray}")
        return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
