"""What callers hear: the texts by language, their sounds, and every version of them."""

from appliance.telephony.prompts.sound import SoundError, fault_of
from appliance.telephony.prompts.speaking import show_to_asterisk, synthesise
from appliance.telephony.prompts.texts import LANGUAGES, NUMBERS, defaults, of_plan
from appliance.telephony.prompts.versions import (
    Listed,
    choose,
    follow_plan,
    found,
    incoming,
    listed,
    sound_of,
    speak_text,
    take_in,
    versions,
)

__all__ = [
    "LANGUAGES",
    "NUMBERS",
    "Listed",
    "SoundError",
    "choose",
    "defaults",
    "fault_of",
    "follow_plan",
    "found",
    "incoming",
    "listed",
    "of_plan",
    "show_to_asterisk",
    "sound_of",
    "speak_text",
    "synthesise",
    "take_in",
    "versions",
]
