"""What can go wrong with a snapshot, in a code for programs and words for people."""


class SnapshotError(RuntimeError):
    """Nothing was made or changed.

    `code`: absent (no repository there) | key (it does not open) | locked | full | denied |
    unreachable | damaged | unknown (no such snapshot) | running (the site runs) | there (the
    target is not empty) | loss (what people entered would be missing) |
    masked (removed at a citizen's request) | setting | failed.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
