"""The prompts played to callers: texts by language, sounds, and all their versions."""

from appliance.telephony.prompts import numbers
from appliance.telephony.prompts.sound import find_fault
from appliance.telephony.prompts.synthesis import link_for_asterisk, synthesise_prompts
from appliance.telephony.prompts.texts import LANGUAGES, NUMBER_PREFIX, default_texts, texts_of_plan
from appliance.telephony.prompts.versions import (
    PromptInfo,
    choose_version,
    find_prompt,
    import_recording,
    list_prompts,
    list_versions,
    new_recording_path,
    sound_file,
    speak_text,
    update_plan_prompts,
)

__all__ = [
    "LANGUAGES",
    "NUMBER_PREFIX",
    "PromptInfo",
    "choose_version",
    "default_texts",
    "find_fault",
    "update_plan_prompts",
    "find_prompt",
    "new_recording_path",
    "list_prompts",
    "texts_of_plan",
    "link_for_asterisk",
    "sound_file",
    "speak_text",
    "synthesise_prompts",
    "import_recording",
    "list_versions",
    "numbers",
]
