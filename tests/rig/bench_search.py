"""How long the search takes at full size: `python -m tests.rig.bench_search FOLDER`.

2,000 articles, 100,000 appeals and the mahallas of the corpus; each query asks all kinds. A folder
that was filled before is asked at once. With `--profile` the functions that took most are printed.
"""

import argparse
import cProfile
import pstats
import random
import statistics
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from appliance.casework import catalogs, forms, search
from appliance.core import db
from appliance.core import search as index
from tests.rig import search_corpus

APPEALS, ARTICLES, QUERIES = 100_000, 2_000, 200
WORDS = 300  # of an article
TURN = 200  # appeals put in one transaction
SEED = search_corpus.TUNED + 2


def fill() -> dict[str, list[str]]:
    """Put everything into the open database; returns kind → names."""
    catalogs.seed()
    forms.seed()
    chance = random.Random(SEED)  # noqa: S311  no secret
    names = search_corpus.fill()
    letters = "aeiou", "bdfghjklmnpqrstvxyz"
    made = [
        "".join(chance.choice(letters[n % 2 == 0]) for n in range(chance.randint(4, 11)))
        for _ in range(40_000)
    ]
    told = [word for title in search_corpus.articles() for word in title.split()]

    def text(count: int) -> str:
        return " ".join(
            chance.choice(told if chance.random() < 0.7 else made) for _ in range(count)
        )

    def article(n: int) -> None:
        search_corpus.publish(f"b-{n}", text(4), text(WORDS))

    listed: set[str] = set()

    def appeal(n: int) -> None:
        who = f"{chance.choice(names['appeal'])} {chance.choice(made)}"
        number, phone = f"2026-{n:06}", f"99893{chance.randrange(10**7):07}"
        gist = f"{text(12)} {phone}"
        entry = search.Entry("appeal", number, number, gist, (who,), row=n, kept=False)
        search.put(entry, listed)

    db.in_turns(partial(article, n) for n in range(ARTICLES))
    for begin in range(0, APPEALS, TURN):
        with db.writing():
            for n in range(begin, begin + TURN):
                appeal(n)
    search.merge()
    return names


def ask(text: str) -> None:
    """What `search.search` does, but for whose appeals they are: these have no rows."""
    asked = index.query(text)
    for kind, find in search.KINDS.items():
        if kind == "appeal":
            index.find(asked, kind, 5)
        else:
            find(asked, None, 5)  # type: ignore[arg-type]  # only appeals look at who asks


def measure(queries: Iterable[search_corpus.Asked]) -> dict[str, list[float]]:
    """What each query took, in milliseconds: waited, and of the processor."""
    took: dict[str, list[float]] = {"waited": [], "processor": []}
    for asked in queries:
        begun, worked = time.perf_counter(), time.process_time()
        ask(asked.text)
        took["waited"].append(1000 * (time.perf_counter() - begun))
        took["processor"].append(1000 * (time.process_time() - worked))
    return took


def main(folder: Path, profiled: bool) -> None:
    """Fill a database in the folder, unless it is filled, and print the times."""
    db.open_database(folder / "search.db")
    db.migrate()
    if index.is_empty("appeal"):
        begun = time.process_time()
        fill()
        print(f"filled in {time.process_time() - begun:.0f} s of the processor")
    search.fill()  # what a migration took out
    names = search_corpus.names()
    index.read_words()
    ask("toshkent")
    profile = cProfile.Profile()
    for errors in (0, 1, 2):
        queries = search_corpus.queries(names, errors, QUERIES // len(names), SEED)
        if profiled:
            profile.runcall(measure, queries)
            continue
        for what, times in measure(queries).items():
            p95 = statistics.quantiles(times, n=20)[-1]
            told = f"p50 {statistics.median(times):.0f}, p95 {p95:.0f}, longest {max(times):.0f} ms"
            print(f"{errors} errors, {what}: {told}")
    if profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    main(given.folder, given.profile)
