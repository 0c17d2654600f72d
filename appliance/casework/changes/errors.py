"""The error raised when an action on a change request is not possible."""


class ChangeError(ValueError):
    """The action is not possible; the page shows a message for `code`.

    "kind", "what", "why": missing in a new request; "words": the text is missing; "file": one is
    empty or too large; "files": too many; "full": the request would hold too many bytes; "day": one
    user would have sent too many; "changed": another user was faster; "action": not an action of
    this role in this state.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
