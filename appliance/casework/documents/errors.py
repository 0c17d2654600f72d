"""The error for a document that is refused."""


class DocumentError(ValueError):
    """A document is refused; `code` is the reason.

    Codes: file, kind, macro, bomb, empty, steps.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
