"""Workflows: the states of a record, and the moves that lead from one state to another.

A workflow is declared once, as a table; lists, exports and checks of permission derive from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class State:
    """A state of a record; its `code` is used in the database, in exports and in addresses."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""  # the name of its badge's icon, "" for no icon
    is_open: bool = True  # work on the record is still due


@dataclass(frozen=True)
class Move:
    """An action on a record: from which states, to which state, by which roles.

    Without `to_state`, the state stays the same. Without `roles`, every role may make the move as
    far as the workflow is concerned. `needs_text`: the user must enter a text.
    """

    from_states: tuple[str, ...]
    to_state: str | None
    roles: tuple[str, ...] | None = None
    needs_text: bool = False

    def is_permitted(self, role: str) -> bool:
        """Return True if the role may make the move, from whichever state."""
        return self.roles is None or role in self.roles


@dataclass(frozen=True)
class Workflow[StateType: State, MoveType: Move]:
    """The states of a kind of record, in order, and its moves by the code of their action."""

    states: tuple[StateType, ...]
    moves: Mapping[str, MoveType]

    @cached_property
    def state_codes(self) -> tuple[str, ...]:
        """The codes of all states."""
        return tuple(state.code for state in self.states)

    @cached_property
    def open_state_codes(self) -> tuple[str, ...]:
        """The codes of the states in which work is still due."""
        return tuple(state.code for state in self.states if state.is_open)

    @cached_property
    def states_by_code(self) -> dict[str, StateType]:
        """The states by their code."""
        return {state.code: state for state in self.states}

    def permitted_move(self, action: str, role: str) -> MoveType | None:
        """Return the move of this action, if there is one for the role.

        Whether the record's present state allows the move is not checked: see possible_actions().
        """
        move = self.moves.get(action)
        return move if move and move.is_permitted(role) else None

    def possible_actions(self, state: str, role: str = "") -> tuple[str, ...]:
        """Return the actions that a role can take in a state, in the order of the moves.

        Without a role, only those that are open to every role.
        """
        return tuple(
            action
            for action, move in self.moves.items()
            if state in move.from_states and move.is_permitted(role)
        )
