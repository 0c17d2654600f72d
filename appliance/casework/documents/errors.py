"""Why a document is refused."""


class DocumentError(ValueError):
    """A document that is not taken; `code` names why.

    Codes: file, kind, macro, bomb, empty, steps.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
