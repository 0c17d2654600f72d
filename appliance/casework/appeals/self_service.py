"""The state of an appeal for a caller who keys in its number; its contents are never played."""

from appliance.casework.appeals import handling, states
from appliance.models import Appeal

_PROMPT_WORDS = {state.code: state.prompt_word for state in states.APPEAL_STATES}


def state_prompt_word(appeal: Appeal) -> str:
    """Return the prompt word of the appeal's state (states.State.prompt_word)."""
    return _PROMPT_WORDS[handling.current_state(appeal)]
