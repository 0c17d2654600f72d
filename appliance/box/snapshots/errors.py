"""The error of all snapshot functions, with a code for programs and a message for people."""


class SnapshotError(RuntimeError):
    """A snapshot or a restore failed; nothing was made or changed.

    `code`: absent (no repository there) | key (it does not open) | locked | full | denied |
    unreachable | damaged | unknown (no such snapshot) | running (the site runs) | there (the target
    is not empty) | loss (data that people entered would be missing) | masked (removed at a
    citizen's request) | setting | failed.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
