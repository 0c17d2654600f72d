"""Callers handed over: announced by the dialplan, or made with a phone's second call."""

from dataclasses import dataclass, field

from appliance.pbx.eventlog import Event
from appliance.telephony.calls import TransferFacts
from appliance.telephony.calls.dialling import OUTCOME_OF


@dataclass
class Consultation:
    """A phone's second call, while the caller waits."""

    transfer: TransferFacts
    uniqueid: str  # of the phone's second channel
    phone: str
    over: bool = False
    handed_over: bool = False


@dataclass
class TransferLog:
    """The transfers of one call, in order."""

    transfers: list[TransferFacts] = field(default_factory=list)
    consultations: dict[str, Consultation] = field(default_factory=dict)  # by linkedid
    _open: list[TransferFacts] = field(default_factory=list)  # announced, without an end so far
    _announced: TransferFacts | None = None  # the last one
    _rung: str = ""  # the number that is rung for it: the employee's, or his substitute's

    @property
    def open(self) -> TransferFacts | None:
        """The announced transfer that waits for its end."""
        return self._open[-1] if self._open else None

    def announced(self, event: Event) -> TransferFacts:
        """TRANSFER: the dialplan begins to look for somebody."""
        facts = event.extra
        transfer = TransferFacts(
            facts.get("kind", "blind"), facts.get("to", ""), facts.get("by") or None, event.at
        )
        self.transfers.append(transfer)
        self._open.append(transfer)
        self._announced, self._rung = transfer, transfer.to
        return transfer

    def rings(self, number: str) -> None:
        """RINGS: whom the dialplan rings now for what was announced."""
        self._rung = number or self._rung

    @property
    def rung(self) -> str | None:
        """The number that is rung for the transfer that waits for its end."""
        return self._rung if self._open else None

    def ended(self, event: Event) -> None:
        """TRANSFER_END: what became of it; a second one tells that an answered one came back."""
        transfer = self._open.pop() if self._open else self._announced
        if transfer:
            transfer.result = event.extra.get("result") or transfer.result or "failed"
            transfer.returned = event.extra.get("returned") == "yes"

    def second_call(self, event: Event) -> None:
        """A phone that speaks with the caller places another call."""
        transfer = TransferFacts(
            "attended", event.fields["Exten"], event.fields["AccountCode"] or None, event.at
        )
        self.transfers.append(transfer)
        self.consultations[event.linkedid] = Consultation(transfer, event.uniqueid, event.endpoint)

    def second_call_of(self, uniqueid: str) -> Consultation | None:
        """The consultation in which this channel is the phone's."""
        found = (c for c in self.consultations.values() if c.uniqueid == uniqueid)
        return next(found, None)

    def dialled(self, linkedid: str, number: str) -> None:
        """OUTGOING in a second call: whom the phone dialled."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.to = number

    def tried(self, linkedid: str, status: str) -> None:
        """DIALLED in a second call: how it went."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.result = OUTCOME_OF.get(status, "failed")

    def reached(self, linkedid: str) -> None:
        """ANSWER of the far end of a second call."""
        if consultation := self.consultations.get(linkedid):
            consultation.transfer.result = "answered"

    def handed_over(self, event: Event) -> None:
        """ATTENDEDTRANSFER: the phone joins its two calls and leaves."""
        named = {event.uniqueid, event.extra.get("channel2_uniqueid")}
        for consultation in self.consultations.values():
            if consultation.uniqueid in named:
                consultation.handed_over = True

    def second_call_over(self, consultation: Consultation) -> None:
        """The phone's second channel is gone: the caller was handed over, or he is back."""
        consultation.over = True
        if not consultation.handed_over:
            consultation.transfer.returned = True
            consultation.transfer.result = consultation.transfer.result or "no_answer"

    def met(self, who: str) -> None:
        """The caller speaks with somebody: the transfer is answered, or he is back."""
        if transfer := self.open:
            if who == transfer.by:
                transfer.returned = transfer.result is None
            else:
                transfer.result = "answered"
        for consultation in self.consultations.values():
            if consultation.handed_over and consultation.transfer.result is None:
                consultation.transfer.result = "answered"

    def close(self, fault: bool) -> None:
        """The call is over: nobody answered what is open still; `fault`: Asterisk died."""
        for transfer in self.transfers:
            transfer.result = transfer.result or ("failed" if fault else "no_answer")
