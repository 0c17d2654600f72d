"""Handovers of callers: announced by the dialplan, or made with a phone's second call.

The dialplan announces a transfer by a record TRANSFER; the transfer is open until TRANSFER_END. A
second call is also called a consultation.
"""

from dataclasses import dataclass, field

from appliance.pbx.eventlog import Event
from appliance.telephony.calls import TransferFacts
from appliance.telephony.calls.dialling import OUTCOME_BY_STATUS


@dataclass
class Consultation:
    """A phone's second call, during which the caller waits."""

    transfer: TransferFacts
    uniqueid: str  # of the phone's second channel
    phone: str  # its extension
    is_over: bool = False  # the second channel ended
    was_handed_over: bool = False  # the phone joined its two calls and left


@dataclass
class TransferLog:
    """The transfers of one call, in order."""

    transfers: list[TransferFacts] = field(default_factory=list)
    consultations: dict[str, Consultation] = field(default_factory=dict)  # by linkedid
    _open_transfers: list[TransferFacts] = field(default_factory=list)  # without a TRANSFER_END yet
    _last_announced: TransferFacts | None = None  # open or not
    _rung_number: str = ""  # the number rung for it: of the employee or of their substitute

    @property
    def open_transfer(self) -> TransferFacts | None:
        """The last announced transfer that has no TRANSFER_END yet, if there is one."""
        return self._open_transfers[-1] if self._open_transfers else None

    def add_announced(self, event: Event) -> TransferFacts:
        """Handle TRANSFER: the dialplan begins to search for a party; returns the new transfer."""
        facts = event.extra
        transfer = TransferFacts(
            facts.get("kind", "blind"), facts.get("to", ""), facts.get("by") or None, event.at
        )
        self.transfers.append(transfer)
        self._open_transfers.append(transfer)
        self._last_announced, self._rung_number = transfer, transfer.to
        return transfer

    def set_rung_number(self, number: str) -> None:
        """Handle RINGS: the dialplan now rings this number for the announced transfer.

        "" means that RINGS named no number: the former one remains.
        """
        self._rung_number = number or self._rung_number

    @property
    def rung_number(self) -> str | None:
        """The number that is rung for the announced transfer, if one is open."""
        return self._rung_number if self._open_transfers else None

    def end_announced(self, event: Event) -> None:
        """Handle TRANSFER_END: record the result of the announced transfer.

        A second TRANSFER_END means that the caller returned from a transfer that was answered.
        """
        transfer = self._open_transfers.pop() if self._open_transfers else self._last_announced
        if transfer:
            transfer.result = event.extra.get("result") or transfer.result or "failed"
            transfer.returned = event.extra.get("returned") == "yes"

    def add_second_call(self, event: Event) -> None:
        """Record that a phone in a talk with the caller places another call."""
        transfer = TransferFacts(
            "attended", event.fields["Exten"], event.fields["AccountCode"] or None, event.at
        )
        self.transfers.append(transfer)
        self.consultations[event.linkedid] = Consultation(transfer, event.uniqueid, event.endpoint)

    def consultation_on_channel(self, uniqueid: str) -> Consultation | None:
        """Return the consultation whose second call is on this channel of a phone, if any."""
        matches = (c for c in self.consultations.values() if c.uniqueid == uniqueid)
        return next(matches, None)

    def set_dialled_number(self, linkedid: str, number: str) -> None:
        """Handle OUTGOING: if it is of a second call, store the number that the phone dialled."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.to = number

    def set_dial_result(self, linkedid: str, status: str) -> None:
        """Handle DIALLED: if it is of a second call, store the result of dialling (DIALSTATUS)."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.result = OUTCOME_BY_STATUS.get(status, "failed")

    def mark_answered(self, linkedid: str) -> None:
        """Handle ANSWER of the party that a phone rang by its second call."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.result = "answered"

    def mark_handed_over(self, event: Event) -> None:
        """Handle ATTENDEDTRANSFER: the phone joins its two calls and leaves."""
        channel_ids = {event.uniqueid, event.extra.get("channel2_uniqueid")}
        for consultation in self.consultations.values():
            if consultation.uniqueid in channel_ids:
                consultation.was_handed_over = True

    def end_second_call(self, consultation: Consultation) -> None:
        """Record that the phone's second channel ended.

        The caller was handed over, or returns to the phone.
        """
        consultation.is_over = True
        if not consultation.was_handed_over:
            consultation.transfer.returned = True
            consultation.transfer.result = consultation.transfer.result or "no_answer"

    def record_talk(self, party: str) -> None:
        """Record that the caller now talks with `party`, an operator's login or a number.

        If `party` made the open transfer, the caller has returned from it, unless somebody had
        answered it before: a transfer stays open until its TRANSFER_END. Any other party has
        answered it by this. A second call by which the caller was handed over is answered, too.
        """
        if transfer := self.open_transfer:
            if party == transfer.by:
                transfer.returned = transfer.result is None
            else:
                transfer.result = "answered"
        # After a handover only the party that the phone had called is left: it is `party`.
        for consultation in self.consultations.values():
            if consultation.was_handed_over and consultation.transfer.result is None:
                consultation.transfer.result = "answered"

    def close_transfers(self, asterisk_died: bool) -> None:
        """Set the result of transfers that have no result at the end of the call: "no_answer".

        If Asterisk died, it is "failed".
        """
        for transfer in self.transfers:
            transfer.result = transfer.result or ("failed" if asterisk_died else "no_answer")
