"""`python -m tests.rig.trials NAME …`, called by `./run scenarios` and its like."""

import asyncio
import sys

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.trials import chaos, clocks, hostile, running, scenario, seeing, stress
from tests.rig.trials.running import Result
from tests.rig.trials.world import World

TRIALS = site.TOP / ".site-trials"


def main(arguments: list[str]) -> int:
    """Exit status 0 all as written, 1 something was not, 2 wrong use."""
    match arguments:
        case ["scenarios", *names]:
            return _scenarios(names)
        case ["hostile", *names]:
            return _hostile(names)
        case ["faults", *names]:
            return asyncio.run(seeing.run(TRIALS / "faults", names))
        case ["load", *options]:
            options, calls = _option(options, "--calls", 50)
            options, operators = _option(options, "--operators", 25)
            options, minutes = _option(options, "--minutes", 30)
            if options:
                return _unknown(options)
            with site.trial(Place(TRIALS / "load")) as place:
                return asyncio.run(stress.run_load(place, calls, operators, minutes))
        case ["long", *options]:
            options, minutes = _option(options, "--minutes", 30)
            if options:
                return _unknown(options)
            with site.trial(Place(TRIALS / "long")) as place:
                return asyncio.run(stress.run_long(place, 50, 25, minutes))
        case ["hurry", *options]:
            options, seconds = _option(options, "--seconds", 30)
            if options:
                return _unknown(options)
            with site.trial(Place(TRIALS / "hurry")) as place:
                return asyncio.run(stress.run_hurry(place, 25, seconds))
        case ["day", *options]:
            options, minutes = _option(options, "--minutes", 20)
            if options:
                return _unknown(options)
            with site.trial(Place(TRIALS / "day")) as place:
                return asyncio.run(stress.run_day(place, minutes))
        case ["steps", *options]:
            options, first = _option(options, "--from", 50)
            options, by = _option(options, "--by", 50)
            if options:
                return _unknown(options)
            with site.trial(Place(TRIALS / "steps")) as place:
                return asyncio.run(stress.run_steps(place, first, by, 1.5))
        case ["chaos", *names]:
            names, calls = _option(names, "--calls", 20)
            place = Place(TRIALS / "chaos")
            with (
                chaos.small_disks(place),
                clocks.stepped(place) as clock,
                site.trial(place, fresh=False),
            ):
                return asyncio.run(chaos.run(place, calls, names, clock))
    print("usage: ./run scenarios | load | day | steps | chaos | hostile | faults", file=sys.stderr)
    return 2


def _scenarios(names: list[str]) -> int:
    names, at_once = _option(names, "--at-once", 12)
    names, times = _option(names, "--times", 1)
    chosen = scenario.load(*names) * times
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


def _option(words: list[str], name: str, otherwise: int) -> tuple[list[str], int]:
    """The words without the option, and its value."""
    if name not in words:
        return words, otherwise
    position = words.index(name)
    return words[:position] + words[position + 2 :], int(words[position + 1])


def _unknown(words: list[str]) -> int:
    print(f"no such option: {' '.join(words)}", file=sys.stderr)
    return 2


def _hostile(names: list[str]) -> int:
    with site.trial(Place(TRIALS / "hostile")) as place:
        done = asyncio.run(hostile.attack(place, lambda one: print(one.line(), flush=True), names))
        balance = site.appliance(
            place, "ledger", "balance", "--from", "2000-01-01", "--to", "2099-01-01"
        )
    head = ("what is sent", "sent", "what came back", "then answered in, s", "the clean call")
    print(running.pipes((*head, ""), [(*one.line(), "") for one in done]))
    print(f"\n{balance}")
    return 0 if all(one.held for one in done) else 1


async def _perform(place: Place, chosen: list[scenario.Scenario], at_once: int) -> list[Result]:
    def told(result: Result) -> None:
        state = "done" if result.right else "stuck"
        print(f"{result.seconds:5.0f} s  {state:5}  {result.scenario.name}", flush=True)

    at_once = min(at_once, len(chosen))
    more = running.more_phones(at_once)
    async with World(place, scripted=True, more=more).open() as world:
        results = await running.run(chosen, world, at_once, told)
        for stray in world.strays:
            print(f"stray: {stray}")
        pump = world.people.carrier.pump
        late = [s for _, s in pump.hitches if s > running.HITCH]
        print(f"our own sound was late {len(late)} times, by {pump.late * 1000:.0f} ms at most")
        return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
