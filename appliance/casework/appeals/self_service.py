"""What a caller who keys in an appeal's number is told: its state, nothing of its contents."""

from appliance.casework.appeals import handling, states
from appliance.models import Appeal

_WORDS = {state.code: state.spoken for state in states.ALL}


def spoken_state(appeal: Appeal) -> str:
    """Its state, as states.State.spoken."""
    return _WORDS[handling.state_of(appeal)]
