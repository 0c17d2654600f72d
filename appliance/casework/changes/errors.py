"""Why something cannot be done with a change request."""


class ChangeError(ValueError):
    """It cannot be done; `code` names why for the page to say it.

    "kind", "what", "why": missing in a new request; "words": the text is missing; "file": one is
    empty or too large; "files": too many; "full": the request would hold too many bytes; "day":
    one person would have sent too many; "changed": somebody was faster; "action": no step of this
    role in this state.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
