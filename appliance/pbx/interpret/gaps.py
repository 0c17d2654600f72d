"""Gaps in a talk whose operator's phone was lost: when the operator returns, the talk goes on."""

import datetime as dt

from appliance.telephony.calls import TalkFacts


class GapTracker:
    """Tracks the gap in a talk while its operator is away from it; there is at most one."""

    def __init__(self) -> None:
        self.interrupted_talk: TalkFacts | None = None  # waits for its operator

    def open_gap(self, talk: TalkFacts, moment: dt.datetime) -> None:
        """Handle LOST: begin a gap in a talk, which goes on: its caller waits for the operator.

        The gap begins when the talk seemed to end.
        """
        talk.gaps.append((talk.ended_at or moment, None))
        talk.ended_at, self.interrupted_talk = None, talk

    def close_gap(self, extension: str | None, moment: dt.datetime) -> TalkFacts | None:
        """End the gap because the caller is connected again, to the phone `extension` if it is one.

        Returns the interrupted talk only if the caller is connected to the phone of its operator,
        so that the talk goes on.
        """
        talk = self.interrupted_talk
        resumed_talk = talk if talk and extension and talk.extension == extension else None
        self._end_gap(moment, resumed_talk is not None)
        return resumed_talk

    def abandon_gap(self, moment: dt.datetime) -> None:
        """End the gap without the operator: the talk ended when their phone was lost."""
        self._end_gap(moment, False)

    def _end_gap(self, moment: dt.datetime, is_resumed: bool) -> None:
        """Set the end of the gap; a talk that is not resumed ended when the gap began."""
        if talk := self.interrupted_talk:
            since, _ = talk.gaps[-1]
            talk.gaps[-1] = since, moment
            talk.ended_at, self.interrupted_talk = None if is_resumed else since, None
