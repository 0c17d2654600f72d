"""The state of an appeal for a caller who keys in its number; its contents are never played."""

from appliance.casework.appeals import handling, states
from appliance.models import Appeal


def state_prompt_word(appeal: Appeal) -> str:
    """Return WORD of the prompt appeal-WORD, which says the appeal's state to the caller."""
    return states.WORKFLOW.states_by_code[handling.current_state(appeal)].prompt_word
