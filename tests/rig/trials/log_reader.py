"""The events in Asterisk's log so far, by call: the conditions that scripts wait for."""

from dataclasses import dataclass, field
from pathlib import Path

from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event

_CLOCK_TOLERANCE_SECONDS = (
    2.0  # from the creation of a leg until we receive its INVITE, on a busy machine
)


@dataclass
class EventLogReader:
    """A reader of the event log that is independent of the appliance's own."""

    log: Path
    events: dict[str, list[Event]] = field(default_factory=dict)  # by linkedid
    _linkedids: dict[str, str] = field(default_factory=dict)  # SIP Call-ID → linkedid
    # the newest leg of each endpoint
    _newest_legs: dict[str, tuple[float, str]] = field(default_factory=dict)
    _offset: int = 0
    _inode: int = 0
    _rest: bytes = b""

    def read_new_events(self) -> None:
        """Read the new events, even if the log was rotated in the meantime."""
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
        for piece in eventlog.split_log(data[:end]):
            if piece.event:
                self._store_event(piece.event)

    def _store_event(self, event: Event) -> None:
        self.events.setdefault(event.linkedid, []).append(event)
        if event.type == "CHAN_START":
            name = event.channel.rpartition("-")[0] + "-"
            self._newest_legs[name] = (event.at.timestamp(), event.linkedid)
        if event.type == "ARRIVED":
            self._linkedids[event.extra.get("sip", "")] = event.linkedid

    def newest_linkedid(self, channel: str, since: float) -> str | None:
        """The call of the newest channel whose name begins with `channel`.

        Returns nothing if it was created before `since`.
        """
        created_at, linkedid = self._newest_legs.get(channel, (0.0, ""))
        return linkedid if created_at >= since - _CLOCK_TOLERANCE_SECONDS else None

    def linkedid_by_call_id(self, call_id: str) -> str | None:
        """The call that came in with this SIP Call-ID."""
        return self._linkedids.get(call_id)

    def events_by_call_id(self, call_id: str) -> list[Event]:
        """The records of the call that came in with this SIP Call-ID."""
        return self.events.get(self._linkedids.get(call_id, ""), [])
