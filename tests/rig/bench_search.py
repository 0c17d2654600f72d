"""How long the search takes at full size: `python -m tests.rig.bench_search FOLDER`.

2,000 articles, 100,000 appeals and the mahallas of the corpus; each query asks all kinds.
"""

import random
import statistics
import sys
import time
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


def main(folder: Path) -> None:
    """Fill a database in the folder and print the times."""
    db.open_database(folder / "search.db")
    db.migrate()
    begun = time.process_time()
    names = fill()
    print(f"filled in {time.process_time() - begun:.0f} s of the processor")
    ask("toshkent")
    for errors in (0, 1, 2):
        took, used = [], []
        for asked in search_corpus.queries(names, errors, QUERIES // len(names), SEED):
            begun, worked = time.perf_counter(), time.process_time()
            ask(asked.text)
            took.append(1000 * (time.perf_counter() - begun))
            used.append(1000 * (time.process_time() - worked))
        for what, times in (("waited", took), ("processor", used)):
            p95 = statistics.quantiles(times, n=20)[-1]
            told = f"p50 {statistics.median(times):.0f}, p95 {p95:.0f}, longest {max(times):.0f} ms"
            print(f"{errors} errors, {what}: {told}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
