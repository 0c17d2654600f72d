"""What can go wrong when something is sent to a party outside the box.

A transport raises one of three troubles, and the outbox acts on them: NotSent (nothing left the
box: try again), Unsure (it may have gone out and the answer was lost), Declined (trying again would
change nothing).
"""

from dataclasses import dataclass


class Trouble(RuntimeError):
    """Something kept a message from going out; `code` is for people's lists, the text as said."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(said or code)
        self.code, self.said = code, said


class NotSent(Trouble):
    """The other side did not take it, surely."""


class Later(NotSent):
    """The other side asks to wait for so many seconds."""

    def __init__(self, code: str, said: str, wait: float) -> None:
        super().__init__(code, said)
        self.wait = wait


class Unsure(Trouble):
    """The other side may have taken it: its answer was lost or made no sense."""


class Declined(Trouble):
    """The other side will never take this message."""


@dataclass(frozen=True)
class Receipt:
    """What a gateway said when it took a message: its own name for it, or "" when it has none."""

    id: str
