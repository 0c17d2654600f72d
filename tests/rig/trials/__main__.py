"""`python -m tests.rig.trials NAME …`, called by `./run scenarios` and the related commands."""

import asyncio
import sys

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.trials import chaos, clocks, fault_trial, hostile, running, scenario, stress
from tests.rig.trials.running import ScriptResult
from tests.rig.trials.world import World

TRIALS_FOLDER = site.SOURCE_ROOT / ".site-trials"


def main(arguments: list[str]) -> int:
    """Exit status 0 all results are as written, 1 one is not, 2 wrong use."""
    match arguments:
        case ["scenarios", *names]:
            return _run_scenarios(names)
        case ["hostile", *names]:
            return _run_hostile(names)
        case ["faults", *names]:
            return asyncio.run(fault_trial.run_faults(TRIALS_FOLDER / "faults", names))
        case ["load", *options]:
            options, calls = _pop_option(options, "--calls", 50)
            options, operators = _pop_option(options, "--operators", 25)
            options, minutes = _pop_option(options, "--minutes", 30)
            if options:
                return _report_unknown_option(options)
            with site.trial_site(Place(TRIALS_FOLDER / "load")) as place:
                return asyncio.run(stress.run_load(place, calls, operators, minutes))
        case ["long", *options]:
            options, minutes = _pop_option(options, "--minutes", 30)
            if options:
                return _report_unknown_option(options)
            with site.trial_site(Place(TRIALS_FOLDER / "long")) as place:
                return asyncio.run(stress.run_long(place, 50, 25, minutes))
        case ["hurry", *options]:
            options, seconds = _pop_option(options, "--seconds", 30)
            if options:
                return _report_unknown_option(options)
            with site.trial_site(Place(TRIALS_FOLDER / "hurry")) as place:
                return asyncio.run(stress.run_hurry(place, 25, seconds))
        case ["day", *options]:
            options, minutes = _pop_option(options, "--minutes", 20)
            if options:
                return _report_unknown_option(options)
            with site.trial_site(Place(TRIALS_FOLDER / "day")) as place:
                return asyncio.run(stress.run_day(place, minutes))
        case ["steps", *options]:
            options, first_count = _pop_option(options, "--from", 50)
            options, increment = _pop_option(options, "--by", 50)
            if options:
                return _report_unknown_option(options)
            with site.trial_site(Place(TRIALS_FOLDER / "steps")) as place:
                return asyncio.run(stress.run_steps(place, first_count, increment, 1.5))
        case ["chaos", *names]:
            names, calls = _pop_option(names, "--calls", 20)
            place = Place(TRIALS_FOLDER / "chaos")
            with (
                chaos.small_disks(place),
                clocks.stepped_clock(place) as clock,
                site.trial_site(place, fresh=False),
            ):
                return asyncio.run(chaos.run_faults(place, calls, names, clock))
    print("usage: ./run scenarios | load | day | steps | chaos | hostile | faults", file=sys.stderr)
    return 2


def _run_scenarios(names: list[str]) -> int:
    names, at_once = _pop_option(names, "--at-once", 12)
    names, times = _pop_option(names, "--times", 1)
    scenarios = scenario.load_scenarios(*names) * times
    if not scenarios:
        print("no scenario has such a name", file=sys.stderr)
        return 2
    with site.trial_site(Place(TRIALS_FOLDER / "scenarios")) as place:
        results = asyncio.run(_perform_scenarios(place, scenarios, at_once))
    print(running.results_table(results))
    failures = [result for result in results if not result.is_right]
    for result in failures:
        print(f"\n{result.scenario.name}: {'; '.join(result.scenario.steps)}")
        for fault in result.faults:
            print(f"  {fault}")
    print(f"\n{len(results)} scenarios, {len(failures)} not as written")
    return 1 if failures else 0


def _pop_option(words: list[str], name: str, default: int) -> tuple[list[str], int]:
    """The words without the option, and the option's value."""
    if name not in words:
        return words, default
    position = words.index(name)
    return words[:position] + words[position + 2 :], int(words[position + 1])


def _report_unknown_option(words: list[str]) -> int:
    print(f"no such option: {' '.join(words)}", file=sys.stderr)
    return 2


def _run_hostile(names: list[str]) -> int:
    with site.trial_site(Place(TRIALS_FOLDER / "hostile")) as place:
        attacks = asyncio.run(
            hostile.run_attacks(place, lambda row: print(row.as_line(), flush=True), names)
        )
        balance = site.run_appliance(
            place, "ledger", "balance", "--from", "2000-01-01", "--to", "2099-01-01"
        )
    head = ("what is sent", "sent", "what came back", "then answered in, s", "the clean call")
    print(running.pipe_table((*head, ""), [(*attack.as_line(), "") for attack in attacks]))
    print(f"\n{balance}")
    return 0 if all(attack.has_passed for attack in attacks) else 1


async def _perform_scenarios(
    place: Place, scenarios: list[scenario.Scenario], at_once: int
) -> list[ScriptResult]:
    def print_result(result: ScriptResult) -> None:
        state = "done" if result.is_right else "stuck"
        print(f"{result.seconds:5.0f} s  {state:5}  {result.scenario.name}", flush=True)

    at_once = min(at_once, len(scenarios))
    more_phones = running.additional_phones(at_once)
    async with World(place, scripted=True, more_operators=more_phones).open_world() as world:
        results = await running.run_scenarios(scenarios, world, at_once, print_result)
        for stray in world.strays:
            print(f"stray: {stray}")
        pump = world.parties.carrier.clock
        hitches = [s for _, s in pump.lags if s > running.HITCH_SECONDS]
        print(
            f"our own sound was late {len(hitches)} times, by {pump.max_lag * 1000:.0f} ms at most"
        )
        return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
