"""Splits the bytes of a log into records, fragments (halves of records), and damaged bytes."""

from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.telephony.calls import Damage

# Bytes of a log read at once, a chunk: some hundred calls, few of which are cut by its end.
_CHUNK_BYTES = 2 << 20
_MAX_RECORD_BYTES = 128 << 10  # Asterisk's records have a few hundred


class Fragment(NamedTuple):
    """Half of a record: the end of a file cut it, and the next file starts with its other half."""

    is_at_file_start: bool  # True: the second half of the record; False: the first half
    text: bytes


@dataclass
class LogChunk:
    """What one chunk of a log contains, that is, a part of it that is read at once."""

    events: list[Event] = field(default_factory=list)
    fragments: list[Fragment] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    consumed: int = 0  # number of bytes that were processed


def read_chunk(stream: BinaryIO, offset: int, *, growing: bool) -> tuple[LogChunk, bool]:
    """Return the content of a log's chunk at `offset`, and True if the file ends with it.

    `growing`: the file is still being written.
    """
    stream.seek(offset)
    data = stream.read(_CHUNK_BYTES)
    is_last = len(data) < _CHUNK_BYTES
    chunk = _classify_pieces(data, offset, is_last=is_last, growing=growing)
    if not chunk.consumed and not is_last:  # no record ends in these bytes: they are damaged
        chunk = _skip_garbage(stream, data, offset, growing=growing)
    return chunk, is_last


def _classify_pieces(data: bytes, offset: int, *, is_last: bool, growing: bool) -> LogChunk:
    """Divide bytes of a file into complete records, fragments and damaged bytes.

    `offset` is the position of the bytes in the file. `is_last`: the file ends with them.
    `growing`: the file is still being written, so an incomplete record at its end is read again
    later.
    """
    pieces = list(eventlog.split_log(data))
    chunk = LogChunk()
    for number, (piece_end, text, event) in enumerate(pieces):
        if event and len(text) <= _MAX_RECORD_BYTES:
            _add_event(chunk, event, offset + chunk.consumed, text)
        elif (at_end := number == len(pieces) - 1) and (growing or not is_last):
            break  # its rest arrives later
        # Cut by the end or the start of the file: the other half is in another file.
        elif not growing and ((at_end and is_last) or (offset == 0 and number == 0)):
            chunk.fragments.append(Fragment(offset == 0 and number == 0, text))
        else:
            chunk.damages.append(_describe_damage(offset + chunk.consumed, text))
        chunk.consumed = piece_end
    return chunk


def _add_event(chunk: LogChunk, event: Event, position: int, text: bytes) -> None:
    """Add a complete record to the chunk, unless it is faulty, that is, of no use.

    A faulty record, and one whose facts cannot be read, is noted as damage, so that it is reported.
    `text` is the record's bytes, `position` their offset in the file.
    """
    if not (is_faulty := event.is_faulty):
        chunk.events.append(event)
    if is_faulty or event.has_unreadable_facts:
        chunk.damages.append(Damage("facts", position, text, linkedid=event.linkedid))


def _describe_damage(position: int, text: bytes, size: int = 0) -> Damage:
    """Return the description of bytes that contain no complete record.

    They are "long", "cut" (they begin as a record does) or "garbage". `size` is their number if
    `text` is only the beginning of them.
    """
    linkedid = eventlog.linkedid_of_fragment(text)
    kind = "cut" if eventlog.RECORD_START.match(text) else "garbage"
    kind = "long" if max(size, len(text)) > _MAX_RECORD_BYTES else kind
    return Damage(kind, position, text, size, linkedid)


def _skip_garbage(stream: BinaryIO, data: bytes, offset: int, *, growing: bool) -> LogChunk:
    """Return a chunk that contains only damage: the bytes from `offset` to the next record.

    It is for damage that fills all of `data`, the bytes already read at `offset`, and more.
    """
    # Blocks overlap, so that a record's start which the end of a block cuts is found in the next.
    end, overlap = offset + len(data), eventlog.MAX_RECORD_START_BYTES
    block = data[1:]  # without the first byte: the damage may itself begin as a record does
    while not (start := eventlog.RECORD_START.search(block)):
        stream.seek(end - overlap)
        block = stream.read(_CHUNK_BYTES)
        if len(block) <= overlap:  # the file ends here, perhaps in the middle of a start
            break
        end += len(block) - overlap
    if start:
        end += start.start() - len(block)
    elif growing:
        end -= overlap  # read again later: a record may have begun there
    size = end - offset
    return LogChunk(damages=[_describe_damage(offset, data, size)], consumed=size)
