"""The recordings of a call, on its own page and on the page of its appeal."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.telephony import recordings
from appliance.telephony.recordings import sound
from appliance.web.shell import refusals
from appliance.web.shell.context import me, site

if TYPE_CHECKING:
    from appliance.models import Call, Recording


@dataclass(frozen=True)
class RecordingView:
    """One recording as the page shows it.

    `number` counts the recordings of the call from 1. `drawing` is its loudness as an SVG path, 200
    wide and 40 high; `is_there`: the file exists.
    """

    number: int
    recording: "Recording"
    drawing: str
    is_there: bool


def recordings_context(call: "Call") -> dict[str, object]:
    """Return the context of call/recordings.html.

    `parts` are the recordings, numbered from 1; `reason` is why the user listens, or empty if they
    have not given a reason that is still valid; `unreasoned` is True if listening was just refused
    because the reason is missing.
    """
    return {
        "parts": [
            _recording_view(number, call_recording)
            for number, call_recording in enumerate(recordings.files_of_call(call.id), 1)
        ],
        "reason": recordings.current_reason(me(), call.id),
        "unreasoned": refusals.latest_refusal().address.endswith("/listen"),
    }


def _recording_view(number: int, recording: "Recording") -> RecordingView:
    """Return a recording with its drawing: a vertical line per loudness, silence as a short one."""
    drawing = "".join(
        f"M{position + 0.5} {20 - 19 * height:.1f}v{38 * height:.1f}"
        for position, height in enumerate(
            max(sound.peak_level(c), 0.02) for c in recording.peaks or ""
        )
    )
    return RecordingView(number, recording, drawing, recording_file(recording).is_file())


def recording_file(recording: "Recording") -> Path:
    """Return the path of a recording's file: the compressed one, or else the one by Asterisk."""
    path: Path = site().paths.recordings / (recording.kept or recording.file)
    return path
