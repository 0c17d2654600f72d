"""The error that every domain function raises for a request that is not possible."""


class Refused(ValueError):
    """A request is not possible; `code` is the reason, for which the user's page has a text.

    `subject` names what the reason concerns: a field, a step, an appeal. `message` is the reason in
    English, for commands and logs, which have no such texts.
    """

    def __init__(self, code: str, message: str = "", *, subject: str = "") -> None:
        super().__init__(message or (f"{subject}: {code}" if subject else code))
        self.code, self.subject = code, subject
