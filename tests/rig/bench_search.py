"""Measure the search at full size: `python -m tests.rig.bench_search FOLDER`.

The site has 2,000 articles, 100,000 appeals and the mahallas of the corpus; each query searches all
kinds. A folder that an earlier run filled is searched at once. `--profile` prints the functions
that took most time.
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
from appliance.core import db, schema
from appliance.core import search as index
from tests.rig import search_corpus

APPEAL_COUNT, ARTICLE_COUNT, QUERY_COUNT = 100_000, 2_000, 200
WORDS_PER_ARTICLE = 300
APPEALS_PER_TRANSACTION = 200
RANDOM_SEED = search_corpus.FIRST_FRESH_SEED + 2


def fill_database() -> dict[str, list[str]]:
    """Fill the open database; returns kind → names."""
    catalogs.seed_lists()
    forms.seed_product_forms()
    chance = random.Random(RANDOM_SEED)  # noqa: S311  no secret
    names = search_corpus.fill_index()
    letters = "aeiou", "bdfghjklmnpqrstvxyz"
    invented_words = [
        "".join(chance.choice(letters[n % 2 == 0]) for n in range(chance.randint(4, 11)))
        for _ in range(40_000)
    ]
    title_words = [word for title in search_corpus.article_titles() for word in title.split()]

    def random_text(count: int) -> str:
        return " ".join(
            chance.choice(title_words if chance.random() < 0.7 else invented_words)
            for _ in range(count)
        )

    def publish_article(n: int) -> None:
        search_corpus.publish_article(f"b-{n}", random_text(4), random_text(WORDS_PER_ARTICLE))

    listed: set[str] = set()

    def index_appeal(n: int) -> None:
        applicant = f"{chance.choice(names['appeal'])} {chance.choice(invented_words)}"
        number, phone = f"2026-{n:06}", f"99893{chance.randrange(10**7):07}"
        gist = f"{random_text(12)} {phone}"
        entry = search.SearchItem(
            "appeal", number, number, gist, (applicant,), row=n, stores_text=False
        )
        search.index_item(entry, listed)

    db.in_short_transactions(partial(publish_article, n) for n in range(ARTICLE_COUNT))
    for begin in range(0, APPEAL_COUNT, APPEALS_PER_TRANSACTION):
        with db.write_transaction():
            for n in range(begin, begin + APPEALS_PER_TRANSACTION):
                index_appeal(n)
    search.merge_index()
    return names


def search_all_kinds(text: str) -> None:
    """Search as `search.search` does, but without the owners of the appeals: these have no rows."""
    query = index.parse_query(text)
    for kind, find in search.KINDS.items():
        if kind == "appeal":
            index.find_entries(query, kind, 5)
        else:
            find(query, None, 5)  # type: ignore[arg-type]  # only appeals look at who asks


def measure_queries(queries: Iterable[search_corpus.SampleQuery]) -> dict[str, list[float]]:
    """The time of each query in milliseconds: elapsed ("waited") and of the processor."""
    durations: dict[str, list[float]] = {"waited": [], "processor": []}
    for sample in queries:
        started_at, cpu_before = time.perf_counter(), time.process_time()
        search_all_kinds(sample.text)
        durations["waited"].append(1000 * (time.perf_counter() - started_at))
        durations["processor"].append(1000 * (time.process_time() - cpu_before))
    return durations


def main(folder: Path, with_profile: bool) -> None:
    """Fill a database in the folder, unless it is filled already, and print the times."""
    db.open_database(folder / "search.db")
    schema.apply_migrations()
    if index.is_kind_empty("appeal"):
        cpu_before = time.process_time()
        fill_database()
        print(f"filled in {time.process_time() - cpu_before:.0f} s of the processor")
    search.fill_empty_kinds()  # what a migration removed
    names = search_corpus.indexed_names()
    index.preload_words()
    search_all_kinds("toshkent")
    profile = cProfile.Profile()
    for errors in (0, 1, 2):
        queries = search_corpus.sample_queries(
            names, errors, QUERY_COUNT // len(names), RANDOM_SEED
        )
        if with_profile:
            profile.runcall(measure_queries, queries)
            continue
        for clock_name, times in measure_queries(queries).items():
            p95 = statistics.quantiles(times, n=20)[-1]
            summary = (
                f"p50 {statistics.median(times):.0f}, p95 {p95:.0f}, longest {max(times):.0f} ms"
            )
            print(f"{errors} errors, {clock_name}: {summary}")
    if with_profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    main(options.folder, options.profile)
