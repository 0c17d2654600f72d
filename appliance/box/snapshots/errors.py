"""The error of all snapshot functions, with a machine-readable code and a message."""


class SnapshotError(RuntimeError):
    """A snapshot or a restore failed; nothing was made or changed.

    `code`: absent (there is no repository) | key (it does not open the repository) | locked (by
    another process) | full (the disk) | denied | unreachable | damaged | unknown (no such snapshot
    or record) | running (the site runs) | there (what is to be restored exists) | loss (data that
    people entered would be missing) | masked (removed at a citizen's request) | setting (missing or
    wrong) | failed.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
