"""The state of an appeal for a caller who keys in its number; its contents are never played."""

from appliance.casework.appeals import handling, states
from appliance.models import Appeal


def state_prompt_word(appeal: Appeal) -> str:
    """Return the word of prompts.numbers that is played to the caller for the appeal's state."""
    return states.WORKFLOW.states_by_code[handling.current_state(appeal)].prompt_word
