"""A talk whose operator's phone was lost: with him back it goes on, and has a gap."""

import datetime as dt

from appliance.telephony.calls import TalkFacts


class GapLog:
    """Whether an operator is away from his talk at this moment."""

    def __init__(self) -> None:
        self.talk: TalkFacts | None = None  # the one that waits for its operator

    def opened(self, talk: TalkFacts, moment: dt.datetime) -> None:
        """LOST: the talk that has just ended is not over, the caller is kept for its operator."""
        talk.gaps.append((talk.ended_at or moment, None))
        talk.ended_at, self.talk = None, talk

    def ended_by(self, extension: str | None, moment: dt.datetime) -> TalkFacts | None:
        """Somebody has the caller: the talk that goes on, when it is its operator, at his phone."""
        talk = self.talk
        back = talk if talk and extension and talk.extension == extension else None
        self._close(moment, back is not None)
        return back

    def given_up(self, moment: dt.datetime) -> None:
        """He did not come back: the talk was over when he was lost."""
        self._close(moment, False)

    def _close(self, moment: dt.datetime, back: bool) -> None:
        if talk := self.talk:
            since, _ = talk.gaps[-1]
            talk.gaps[-1] = since, moment
            talk.ended_at, self.talk = None if back else since, None
