"""What Asterisk's event log has told so far, by call: the conditions that scripts wait for."""

from dataclasses import dataclass, field
from pathlib import Path

from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event

_CLOCKS = 2.0  # seconds from a leg's making to our taking its INVITE, on a busy machine


@dataclass
class Stories:
    """A reader of the event log that is not the appliance's own."""

    log: Path
    events: dict[str, list[Event]] = field(default_factory=dict)  # by linkedid
    _ids: dict[str, str] = field(default_factory=dict)  # SIP Call-ID → linkedid
    _legs: dict[str, tuple[float, str]] = field(default_factory=dict)  # endpoint's newest
    _offset: int = 0
    _inode: int = 0
    _rest: bytes = b""

    def look(self) -> None:
        """Read on, also when the log was rotated since."""
        if not self.log.exists():
            return
        status = self.log.stat()
        if self._inode and status.st_ino != self._inode:
            self._offset, self._rest = 0, b""
        self._inode = status.st_ino
        if status.st_size == self._offset:
            return
        with self.log.open("rb") as file:
            file.seek(self._offset)
            data = self._rest + file.read()
            self._offset = file.tell()
        end = data.rfind(b'"\n') + 2
        if end < 2:
            self._rest = data
            return
        self._rest = data[end:]
        for piece in eventlog.pieces(data[:end]):
            if piece.event:
                self._take(piece.event)

    def _take(self, event: Event) -> None:
        self.events.setdefault(event.linkedid, []).append(event)
        if event.type == "CHAN_START":
            name = event.channel.rpartition("-")[0] + "-"
            self._legs[name] = (event.at.timestamp(), event.linkedid)
        if event.type == "ARRIVED":
            self._ids[event.extra.get("sip", "")] = event.linkedid

    def newest(self, channel: str, since: float) -> str | None:
        """The call whose leg is the newest channel of that name's beginning, made since then."""
        at, linkedid = self._legs.get(channel, (0.0, ""))
        return linkedid if at >= since - _CLOCKS else None

    def linkedid(self, call_id: str) -> str | None:
        """The call that came in with this SIP Call-ID."""
        return self._ids.get(call_id)

    def of(self, call_id: str) -> list[Event]:
        """The records of the call that came in with this SIP Call-ID."""
        return self.events.get(self._ids.get(call_id, ""), [])
