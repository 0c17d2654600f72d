"""Recordings of calls: their files, and who listens to them for what reason."""

from appliance.telephony.recordings import folder_mark, marking, postprocessing, reserve, sound
from appliance.telephony.recordings.listening import (
    ListeningNotAllowed,
    MissingReason,
    begin_listening,
    can_have_personal_right,
    can_listen,
    current_reason,
    has_personal_right,
    record_download,
    set_personal_right,
)
from appliance.telephony.recordings.sound_files import (
    compressed_recordings,
    files_of_call,
    has_sound,
    oldest_uncompressed,
    set_file_name,
    store_measurement,
    unmeasured_recordings,
)

__all__ = [
    "MissingReason",
    "ListeningNotAllowed",
    "set_personal_right",
    "begin_listening",
    "compressed_recordings",
    "has_personal_right",
    "can_have_personal_right",
    "can_listen",
    "files_of_call",
    "current_reason",
    "set_file_name",
    "record_download",
    "has_sound",
    "oldest_uncompressed",
    "unmeasured_recordings",
    "store_measurement",
    "folder_mark",
    "marking",
    "postprocessing",
    "reserve",
    "sound",
]
