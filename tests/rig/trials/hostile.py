"""Forged, broken and flooding SIP: after each kind of it a clean call must be answered."""

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
from provisioning.local.place import HOTLINE_NUMBER, Place
from tests.rig.trials import forked, oversized
from tests.rig.trials.stage import Stuck
from tests.rig.trials.world import World
from tests.rig.waiting import wait_within

CLEAN_STEPS = ("C calls", "C presses 1", "A answers", "A talks 1", "C hangs up")
MALFORMED_COUNT = 200
_ANSWER_SECONDS = 1.0  # in which answers are counted; the box need not answer what is invalid
_CRAFTED_NAMES = (
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
_CRAFTED_USERS = (
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
    """One kind, the number of datagrams, the responses, and the clean call after it."""

    name: str
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)  # final responses, or requests
    clean: str = ""
    seconds: float = 0.0
    hidden: list[str] = field(default_factory=list)  # calls whose outcome in the ledger is wrong

    @property
    def has_passed(self) -> bool:
        """Returns True if the clean call was answered, and no call is hidden."""
        return self.clean == "answered" and not self.hidden

    def as_line(self) -> tuple[str, ...]:
        """The cells of the table."""
        answers = ", ".join(f"{n} × {status}" for status, n in sorted(self.answers.items())) or "-"
        clean = f"{self.clean}; hidden: {', '.join(self.hidden)}" if self.hidden else self.clean
        return (self.name, str(self.sent), answers, f"{self.seconds:.1f}", clean)


class HostileAgent(Agent):
    """An agent that counts the responses it receives."""

    attack: Attack

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Count a final response, then continue like any agent."""
        response = message.parse_message(data)
        if response and response.status >= 200:
            self.attack.answers[str(response.status)] += 1
        super().datagram_received(data, addr)

    def throw_datagram(self, data: bytes) -> None:
        """Send a datagram without waiting for a response."""
        self.attack.sent += 1
        self.send_datagram(data[:65000])


def make_invite(agent: Agent, name: str = "", user: str = "+998903000000", body: str = "") -> bytes:
    """A valid INVITE apart from the values in the arguments."""
    body = body or str(Session(agent.host, 40000, (8, 101), events=101))
    headers = [
        agent.via_header(message.new_branch()),
        ("From", f"{name}<sip:{user}@{agent.host}>;tag={secrets.token_hex(4)}"),
        ("To", f"<sip:{HOTLINE_NUMBER}@{agent.box[0]}>"),
        ("Call-ID", secrets.token_hex(8)),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<sip:x@{agent.host_port}>"),
        ("Max-Forwards", "70"),
    ]
    return message.encode_message(
        f"INVITE sip:{HOTLINE_NUMBER}@{agent.box[0]} SIP/2.0", headers, body
    )


def malformed_invites(agent: Agent, dice: random.Random) -> Iterator[bytes]:
    """An endless series of broken INVITEs, each broken in another way."""
    while True:
        good = make_invite(agent)
        lines = good.split(b"\r\n")
        position = dice.randrange(len(good))
        line_number = dice.randrange(1, 8)
        yield good[:position]
        yield b"\r\n".join(lines[:line_number] + lines[line_number + 1 :])
        yield b"\r\n".join([*lines[:line_number], lines[line_number], *lines[line_number:]])
        yield good[:position] + dice.randbytes(40) + good[position:]
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


async def _send_malformed(world: World, agent: HostileAgent) -> None:
    source = malformed_invites(agent, random.Random(3))  # noqa: S311  no secret
    for _ in range(MALFORMED_COUNT):
        agent.throw_datagram(next(source))
        await asyncio.sleep(0.005)


async def _send_crafted_names(world: World, agent: HostileAgent) -> None:
    for name in _CRAFTED_NAMES:
        agent.throw_datagram(make_invite(agent, name=name))
    for user in _CRAFTED_USERS:
        agent.throw_datagram(make_invite(agent, user=user))
    await asyncio.sleep(_ANSWER_SECONDS)


async def _offer_odd_codecs(world: World, agent: HostileAgent) -> None:
    for kinds in ((18,), (4,), (96,), (0, 18), (9,), (3,), ()):
        agent.throw_datagram(make_invite(agent, body=str(Session(agent.host, 40000, kinds))))
    agent.throw_datagram(make_invite(agent, body=str(Session(message.NO_ADDRESS, 0, (8,)))))
    agent.throw_datagram(make_invite(agent, body="v=0\r\n"))
    await asyncio.sleep(_ANSWER_SECONDS)


async def _call_without_offer(world: World, agent: HostileAgent) -> None:
    calls = _start_calls(world, agent, 10, with_sdp=False)
    for call in calls:
        _hang_up_later(call, 2)
    await wait_within(lambda: all(call.over_at for call in calls), limit=10)


async def _send_reinvites(world: World, agent: HostileAgent) -> None:
    [call] = _start_calls(world, agent, 1)
    await wait_within(lambda: call.up_at, 10)
    for i in range(100):
        call.is_on_hold = i % 2 == 0
        agent.attack.sent += 1
        asyncio.ensure_future(call._send_reinvite("sendonly" if call.is_on_hold else "sendrecv"))
        await asyncio.sleep(0.01)
    await asyncio.sleep(_ANSWER_SECONDS)
    call.hang_up()


async def _race_cancels(world: World, agent: HostileAgent) -> None:
    for number in range(50):
        [call] = _start_calls(world, agent, 1)
        _hang_up_later(call, number * 0.001)
        await asyncio.sleep(0.02)
    await asyncio.sleep(_ANSWER_SECONDS)


async def _cancel_at_once(world: World, agent: HostileAgent) -> None:
    for _ in range(30):
        [call] = _start_calls(world, agent, 1)
        call._is_cancelled = True
        call._send_cancel()
    await asyncio.sleep(_ANSWER_SECONDS)


async def _send_duplicates(world: World, agent: HostileAgent) -> None:
    calls = _start_calls(world, agent, 10)
    for call in calls:
        for _ in range(5):
            agent.throw_datagram(call.last_invite)
        _hang_up_later(call, 2)
    await wait_within(lambda: all(call.over_at for call in calls), limit=10)


async def _never_confirm(world: World, agent: HostileAgent) -> None:
    """Send thirty INVITEs, and never confirm the answers or send anything else."""
    for _ in range(30):
        agent.throw_datagram(make_invite(agent))
    await asyncio.sleep(_ANSWER_SECONDS)


async def _send_other_requests(world: World, agent: HostileAgent) -> None:
    for method in ("BYE", "REFER", "NOTIFY", "SUBSCRIBE", "UPDATE", "PRACK", "INFO", "FOO") * 20:
        data = make_invite(agent).replace(b"INVITE sip", f"{method} sip".encode(), 1)
        agent.throw_datagram(data.replace(b"1 INVITE", f"1 {method}".encode()))
    await asyncio.sleep(_ANSWER_SECONDS)


async def _send_options(world: World, agent: HostileAgent) -> None:
    for _ in range(1000):
        data = make_invite(agent).replace(b"INVITE sip", b"OPTIONS sip", 1)
        agent.throw_datagram(data.replace(b"1 INVITE", b"1 OPTIONS"))
        await asyncio.sleep(0)
    await asyncio.sleep(_ANSWER_SECONDS)


async def _try_passwords(world: World, agent: HostileAgent) -> None:
    registrations = [agent.register(f"{1001 + i % 30}", "wrong") for i in range(60)]
    agent.attack.sent += 2 * len(registrations)
    await asyncio.gather(*registrations)


async def _send_noise(world: World, agent: HostileAgent) -> None:
    """Send noise to every port at which sound could be received."""
    for port in range(10_000, 20_000, 7):
        agent.attack.sent += 1
        agent.send_datagram(secrets.token_bytes(180), (agent.box[0], port))
        if port % 50 == 0:
            await asyncio.sleep(0.002)


async def _send_three_byes(world: World, agent: HostileAgent) -> None:
    calls = _start_calls(world, agent, 10)
    await wait_within(lambda: all(call.up_at for call in calls), 10)
    for call in calls:
        for _ in range(3):
            call._send_request("BYE")
            agent.attack.sent += 1
        call._end_call("us")
    await asyncio.sleep(_ANSWER_SECONDS)


async def _send_oversized(world: World, agent: HostileAgent) -> None:
    def make_call() -> Call:
        return agent.create_call(f"+9989031{secrets.randbelow(100_000):05}", HOTLINE_NUMBER, 370)

    agent.attack.sent, agent.attack.hidden = await oversized.place_oversized_calls(world, make_call)


def _forked_attack(kind: str) -> Callable[[World, HostileAgent], Awaitable[None]]:
    async def run_attack(world: World, agent: HostileAgent) -> None:
        agent.attack.sent += await forked.place_forked_calls(world, kind, agent.attack.answers)

    return run_attack


ATTACK_KINDS: dict[str, Callable[[World, HostileAgent], Awaitable[None]]] = {
    f"{MALFORMED_COUNT} malformed INVITEs": _send_malformed,
    "crafted names and numbers": _send_crafted_names,
    "facts too long for the log": _send_oversized,
    "codecs nobody has, no sound": _offer_odd_codecs,
    "INVITE without an offer": _call_without_offer,
    "100 re-INVITEs in a second": _send_reinvites,
    "50 CANCELs racing the answer": _race_cancels,
    "30 CANCELs with the INVITE": _cancel_at_once,
    "every INVITE six times": _send_duplicates,
    "30 answers never confirmed": _never_confirm,
    "requests of no call": _send_other_requests,
    "1000 OPTIONS": _send_options,
    "60 wrong passwords": _try_passwords,
    "noise on the sound's ports": _send_noise,
    "three BYEs each": _send_three_byes,
    **{kind: _forked_attack(kind) for kind in forked.FORK_KINDS},
}


async def run_attacks(
    place: Place, report: Callable[[Attack], None], names: Sequence[str] = ()
) -> list[Attack]:
    """Each kind (whose name contains one of `names`) in turn, a clean call after each."""
    attacks = []
    async with World(place).open_world() as world:
        world.on_stray_call = _answer_stranger
        for name, kind in ATTACK_KINDS.items():
            if names and not any(part in name for part in names):
                continue
            attack = Attack(name)
            host = f"{place.network_prefix}.11" if kind is _try_passwords else place.carrier_address
            async with HostileAgent(host, 0, world.parties.carrier.box) as agent:
                agent.attack = attack
                await kind(world, agent)
            await _make_clean_call(world, attack)
            attacks.append(attack)
            report(attack)
        await _wait_for_ledger(world)
    return attacks


def _answer_stranger(call: Call) -> None:
    """An operator picks up a silent call and hangs up."""
    call.pick_up()
    _hang_up_later(call, 0.5)


async def _wait_for_ledger(world: World) -> None:
    """Wait until the ledger has no open call, for two minutes at most."""
    for _ in range(60):
        balance = await world.run_command(
            "ledger", "balance", "--from", "2000-01-01", "--to", "2099-01-01"
        )
        if "open: 0" in balance:
            return
        await asyncio.sleep(2)


async def _make_clean_call(world: World, attack: Attack) -> None:
    cast = world.new_cast(attack.name)
    started_at = time.monotonic()
    try:
        for step in CLEAN_STEPS:
            await cast.perform_step(step)
            if step == "C calls":
                attack.seconds = time.monotonic() - started_at
        attack.clean = "answered"
    except Stuck as error:
        attack.clean = str(error)
    finally:
        await world.end_script(cast)


def _start_calls(_world: World, agent: HostileAgent, count: int, **options: bool) -> list[Call]:
    calls = []
    for _ in range(count):
        number = f"+9989031{secrets.randbelow(100_000):05}"
        call = agent.create_call(
            number, HOTLINE_NUMBER, 370, with_sdp=options.get("with_sdp", True)
        )
        call.send_invite()
        agent.attack.sent += 1
        calls.append(call)
    return calls


def _hang_up_later(call: Call, seconds: float) -> None:
    """Hang up after `seconds` seconds, whatever happens."""
    asyncio.get_running_loop().call_later(seconds, call.hang_up)
