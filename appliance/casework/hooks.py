"""Hooks: functions that are called in the transaction in which an appeal or a call changes.

So casework need not import the packages that send notifications. messaging.casework_hooks connects
their functions with the hooks, once, when a process starts.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from appliance.models import Appeal, CallForm


@dataclass(frozen=True)
class AppealChange:
    """A step that was taken on an appeal.

    Nobody is notified of it before `delay` is over, because the user can undo it until then.
    """

    appeal: Appeal
    action: str  # a move of appeals.states.WORKFLOW
    actor: str  # who took it: a login, or another name of the audit, such as key:NAME
    delay: dt.timedelta = dt.timedelta()


class Hook[Subject]:
    """The functions that are called after one kind of change; `name` is for the error message."""

    def __init__(self, name: str) -> None:
        self.name = name
        # None until functions are connected; () if no function is to be called
        self.functions: tuple[Callable[[Subject], object], ...] | None = None

    def connect(self, *functions: Callable[[Subject], object]) -> None:
        """Call these functions, in this order, for every later change that this process makes.

        They replace functions that were connected before.
        """
        self.functions = functions

    def run(self, subject: Subject) -> None:
        """Call the functions with `subject`, in the transaction of its change.

        Raises RuntimeError in a process that has not connected the hook.
        """
        if self.functions is None:
            raise RuntimeError(f"{self.name}: this process has not connected the hooks of casework")
        for function in self.functions:
            function(subject)


appeal_registered = Hook[Appeal]("appeal_registered")
appeal_changed = Hook[AppealChange]("appeal_changed")
call_registered = Hook[CallForm]("call_registered")  # on the call form (№2), without an appeal
ALL_HOOKS = (appeal_registered, appeal_changed, call_registered)
