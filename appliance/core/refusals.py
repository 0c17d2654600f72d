"""The error that every domain function raises for a request that is not possible."""


class Refused(ValueError):
    """What a user or command requested is not possible; `code` is the reason.

    The pages have a text for each code, shown to the user. `subject` names what the reason
    concerns: a field, a step, an appeal. `message` is the reason in English, for commands and logs,
    which have no such texts.
    """

    def __init__(self, code: str, message: str = "", *, subject: str = "") -> None:
        """The error's text is `message`, or else the subject and the code."""
        super().__init__(message or (f"{subject}: {code}" if subject else code))
        self.code, self.subject = code, subject
