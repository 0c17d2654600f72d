"""SIP that lies, breaks and floods: after each kind of it a clean call must be answered."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.message import Session
from provisioning.local.place import HOTLINE, Place
from tests.rig.trials import forked, oversized
from tests.rig.trials.forked import until
from tests.rig.trials.stage import Stuck
from tests.rig.trials.world import World

CLEAN = ("C calls", "C presses 1", "A answers", "A talks 1", "C hangs up")
MALFORMED = 200
_NAMES = (
    r'"a\"b\\" ',
    '"x\r\n y" ',
    '"nul\0name" ',
    '"' + "n" * 4096 + '" ',
    '"\'; DROP TABLE call; --" ',
    '"1795672440.123456","HANGUP","1","1" ',
    '"%s%n${SHELL(id)}|&;" ',
    '"\u202e\u0000\ud7ff" ',
    "<sip:other@x> ",
    '"unclosed ',
)
_USERS = (
    "+998902000001%00",
    "a" * 4000,
    "${EXTEN}",
    "h",
    "998902000001;user=phone",
    "..%2f..%2f",
    "*69",
    "\u041f\u0440\u0438\u0432\u0435\u0442",
    "-1",
    "",
)


@dataclass
class Attack:
    """One kind, what it sent, what came back, and the clean call after it."""

    name: str
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)  # final responses, or requests
    clean: str = ""
    seconds: float = 0.0
    hidden: list[str] = field(default_factory=list)  # calls that the ledger does not tell as it was

    @property
    def held(self) -> bool:
        """Whether the clean call was answered, and no call is hidden."""
        return self.clean == "answered" and not self.hidden

    def line(self) -> tuple[str, ...]:
        """For the table."""
        answers = ", ".join(f"{n} × {status}" for status, n in sorted(self.answers.items())) or "-"
        clean = f"{self.clean}; hidden: {', '.join(self.hidden)}" if self.hidden else self.clean
        return (self.name, str(self.sent), answers, f"{self.seconds:.1f}", clean)


class Liar(Agent):
    """An agent that counts what it is told."""

    attack: Attack

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Count a final answer, then go on as any agent."""
        said = message.parse(data)
        if said and said.status >= 200:
            self.attack.answers[str(said.status)] += 1
        super().datagram_received(data, addr)

    def throw(self, data: bytes) -> None:
        """Send and forget."""
        self.attack.sent += 1
        self.send(data[:65000])


def invite(liar: Agent, name: str = "", user: str = "+998903000000", body: str = "") -> bytes:
    """A good INVITE but for what is given."""
    body = body or str(Session(liar.host, 40000, (8, 101), events=101))
    headers = [
        liar.via(message.new_branch()),
        ("From", f"{name}<sip:{user}@{liar.host}>;tag={secrets.token_hex(4)}"),
        ("To", f"<sip:{HOTLINE}@{liar.box[0]}>"),
        ("Call-ID", secrets.token_hex(8)),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<sip:x@{liar.here}>"),
        ("Max-Forwards", "70"),
    ]
    return message.text(f"INVITE sip:{HOTLINE}@{liar.box[0]} SIP/2.0", headers, body)


def malformed(liar: Agent, dice: random.Random) -> Iterator[bytes]:
    """Broken INVITEs without end, each in its own way."""
    while True:
        good = invite(liar)
        lines = good.split(b"\r\n")
        cut = dice.randrange(len(good))
        some = dice.randrange(1, 8)
        yield good[:cut]
        yield b"\r\n".join(lines[:some] + lines[some + 1 :])
        yield b"\r\n".join([*lines[:some], lines[some], *lines[some:]])
        yield good[:cut] + dice.randbytes(40) + good[cut:]
        yield good.replace(b"CSeq: 1 INVITE", b"CSeq: 99999999999999999999 INVITE")
        yield good.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE")
        yield good.replace(b"Content-Length: ", b"Content-Length: -")
        yield good.replace(b"Content-Length: ", b"Content-Length: 9999")
        yield good.replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
        yield good.replace(b"SIP/2.0\r\n", b"SIP/9.9\r\n", 1)
        yield good.replace(b"sip:1006@", b"sip:\xff\xfe\0@")
        yield good.replace(
            b"Via: SIP/2.0/UDP", b"Via: " + b"SIP/2.0/UDP x, " * 200 + b"SIP/2.0/UDP"
        )
        yield good.replace(b"Contact: ", b"Contact: <sip:[::1", 1)
        yield good.replace(b"From: ", b"From: <<<>>>", 1)
        yield good.replace(b"\r\n", b"\n")
        yield good.replace(b"Call-ID: ", b"X: " + b"y" * 30_000 + b"\r\nCall-ID: ")
        yield good.replace(b"v=0", b"v=\0\0", 1)
        yield good.replace(b"m=audio 40000", b"m=audio 99999999", 1)
        yield good.replace(b"m=audio", b"m=audio 1 RTP/AVP 8\r\n" * 300 + b"m=audio", 1)
        yield good.replace(b"application/sdp", b'multipart/mixed;boundary=""', 1)


async def _malformed(world: World, liar: Liar) -> None:
    source = malformed(liar, random.Random(3))  # noqa: S311  no secret
    for _ in range(MALFORMED):
        liar.throw(next(source))
        await asyncio.sleep(0.005)


async def _names(world: World, liar: Liar) -> None:
    for name in _NAMES:
        liar.throw(invite(liar, name=name))
    for user in _USERS:
        liar.throw(invite(liar, user=user))
    await asyncio.sleep(1)


async def _codecs(world: World, liar: Liar) -> None:
    for kinds in ((18,), (4,), (96,), (0, 18), (9,), (3,), ()):
        liar.throw(invite(liar, body=str(Session(liar.host, 40000, kinds))))
    liar.throw(invite(liar, body=str(Session(message.NOWHERE, 0, (8,)))))
    liar.throw(invite(liar, body="v=0\r\n"))
    await asyncio.sleep(1)


async def _no_sound_offered(world: World, liar: Liar) -> None:
    for call in _calls(world, liar, 10, with_sdp=False):
        _vanish(call, 2)
    await asyncio.sleep(2.5)


async def _storm(world: World, liar: Liar) -> None:
    [call] = _calls(world, liar, 1)
    await until(lambda: call.up_at, 10)
    for i in range(100):
        call.held = i % 2 == 0
        liar.attack.sent += 1
        asyncio.ensure_future(call._reinvite("sendonly" if call.held else "sendrecv"))
        await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    call.hang_up()


async def _cancels(world: World, liar: Liar) -> None:
    for number in range(50):
        [call] = _calls(world, liar, 1)
        _vanish(call, number * 0.001)
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)


async def _cancelled_at_once(world: World, liar: Liar) -> None:
    for _ in range(30):
        [call] = _calls(world, liar, 1)
        call._cancelled = True
        call._send_cancel()
    await asyncio.sleep(1.5)


async def _duplicates(world: World, liar: Liar) -> None:
    for call in _calls(world, liar, 10):
        for _ in range(5):
            liar.throw(call.whole_data)
        _vanish(call, 2)
    await asyncio.sleep(2.5)


async def _no_ack(world: World, liar: Liar) -> None:
    """Thirty that never confirm, and are never heard of again."""
    for _ in range(30):
        liar.throw(invite(liar))
    await asyncio.sleep(1)


async def _other_requests(world: World, liar: Liar) -> None:
    for method in ("BYE", "REFER", "NOTIFY", "SUBSCRIBE", "UPDATE", "PRACK", "INFO", "FOO") * 20:
        data = invite(liar).replace(b"INVITE sip", f"{method} sip".encode(), 1)
        liar.throw(data.replace(b"1 INVITE", f"1 {method}".encode()))
    await asyncio.sleep(0.5)


async def _options(world: World, liar: Liar) -> None:
    for _ in range(1000):
        data = invite(liar).replace(b"INVITE sip", b"OPTIONS sip", 1)
        liar.throw(data.replace(b"1 INVITE", b"1 OPTIONS"))
        await asyncio.sleep(0)
    await asyncio.sleep(1)


async def _passwords(world: World, liar: Liar) -> None:
    tries = [liar.register(f"{1001 + i % 30}", "wrong") for i in range(60)]
    liar.attack.sent += 2 * len(tries)
    await asyncio.gather(*tries)


async def _wild_sound(world: World, liar: Liar) -> None:
    """Noise to every port that sound could come in on."""
    for port in range(10_000, 20_000, 7):
        liar.attack.sent += 1
        liar.send(secrets.token_bytes(180), (liar.box[0], port))
        if port % 50 == 0:
            await asyncio.sleep(0.002)


async def _hang_up_twice(world: World, liar: Liar) -> None:
    calls = _calls(world, liar, 10)
    await until(lambda: all(call.up_at for call in calls), 10)
    for call in calls:
        for _ in range(3):
            call._ask("BYE")
            liar.attack.sent += 1
        call._over("us")
    await asyncio.sleep(0.5)


async def _oversized(world: World, liar: Liar) -> None:
    def begin() -> Call:
        return liar.call(f"+9989031{secrets.randbelow(100_000):05}", HOTLINE, 370)

    liar.attack.sent, liar.attack.hidden = await oversized.play(world, begin)


def _forked(kind: str) -> Callable[[World, Liar], Awaitable[None]]:
    async def attack(world: World, liar: Liar) -> None:
        liar.attack.sent += await forked.play(world, kind, liar.attack.answers)

    return attack


KINDS: dict[str, Callable[[World, Liar], Awaitable[None]]] = {
    f"{MALFORMED} malformed INVITEs": _malformed,
    "crafted names and numbers": _names,
    "facts too long for the log": _oversized,
    "codecs nobody has, no sound": _codecs,
    "INVITE without an offer": _no_sound_offered,
    "100 re-INVITEs in a second": _storm,
    "50 CANCELs racing the answer": _cancels,
    "30 CANCELs with the INVITE": _cancelled_at_once,
    "every INVITE six times": _duplicates,
    "30 answers never confirmed": _no_ack,
    "requests of no call": _other_requests,
    "1000 OPTIONS": _options,
    "60 wrong passwords": _passwords,
    "noise on the sound's ports": _wild_sound,
    "three BYEs each": _hang_up_twice,
    **{kind: _forked(kind) for kind in forked.KINDS},
}


async def attack(
    place: Place, told: Callable[[Attack], None], names: Sequence[str] = ()
) -> list[Attack]:
    """Every kind (whose name contains one of `names`) in turn, a clean call after each."""
    done = []
    async with World(place).open() as world:
        world.stranger = _brush_off
        for name, kind in KINDS.items():
            if names and not any(part in name for part in names):
                continue
            one = Attack(name)
            host = f"{place.network}.11" if kind is _passwords else place.carrier
            async with Liar(host, 0, world.people.carrier.box) as liar:
                liar.attack = one
                await kind(world, liar)
            await _clean(world, one)
            done.append(one)
            told(one)
        await _until_over(world)
    return done


def _brush_off(call: Call) -> None:
    """An operator hears nobody and hangs up."""
    call.pick_up()
    _vanish(call, 0.5)


async def _until_over(world: World) -> None:
    """Wait until the ledger knows no open call, for two minutes at most."""
    for _ in range(60):
        told = await world.appliance(
            "ledger", "balance", "--from", "2000-01-01", "--to", "2099-01-01"
        )
        if "open: 0" in told:
            return
        await asyncio.sleep(2)


async def _clean(world: World, one: Attack) -> None:
    cast = world.cast(one.name)
    began = time.monotonic()
    try:
        for step in CLEAN:
            await cast.perform(step)
            if step == "C calls":
                one.seconds = time.monotonic() - began
        one.clean = "answered"
    except Stuck as error:
        one.clean = str(error)
    finally:
        await world.leave(cast)


def _calls(_world: World, liar: Liar, count: int, **how: bool) -> list[Call]:
    made = []
    for _ in range(count):
        number = f"+9989031{secrets.randbelow(100_000):05}"
        call = liar.call(number, HOTLINE, 370, with_sdp=how.get("with_sdp", True))
        call.start()
        liar.attack.sent += 1
        made.append(call)
    return made


def _vanish(call: Call, after: float) -> None:
    """It hangs up after so many seconds, whatever happens."""
    asyncio.get_running_loop().call_later(after, call.hang_up)
