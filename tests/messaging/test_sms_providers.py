"""The SMS services over HTTP: what each answer says of a message, and who else may answer."""

import contextlib
import datetime as dt
import ipaddress
import os
import pkgutil
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.casework.ministry.transport import MinistrySystem
from appliance.core import clock, outbox
from appliance.core.delivery import Declined, Later, NotSent, Receipt, Trouble, Unsure
from appliance.core.settings import SmsKind
from appliance.messaging.sms import accounts, providers
from appliance.messaging.sms.gateway import SmsGateway
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.sender import Senders
from appliance.messaging.telegram.bot_api import Telegram
from appliance.models import Message
from tests.rig.fakes.serving import Answering
from tests.rig.fakes.sms import Service, service

NUMBER = "+998935550147"
KINDS = [Eskiz, PlayMobile]
# what a status says: the trouble's kind and code, for a message and for a log-in
REFUSALS = [
    ("429", Later, "too_many"),
    ("429 page", Later, "too_many"),
    ("402", NotSent, "account"),
    ("403", NotSent, "account"),
    ("403 page", NotSent, "account"),
    ("404", NotSent, "no_sense"),
    ("405 page", NotSent, "no_sense"),
]


@pytest.fixture
def far() -> Iterator[Service]:
    with service() as running:
        yield running


@pytest.fixture
def eskiz(far: Service) -> Eskiz:
    return Eskiz("eskiz", far.url, "user", "secret")


@pytest.fixture
def playmobile(far: Service) -> PlayMobile:
    return PlayMobile("playmobile", far.url, "user", "secret", "3700")


@pytest.fixture(params=KINDS)
def gateway(request: pytest.FixtureRequest, far: Service) -> Eskiz | PlayMobile:
    return request.param("service", far.url, "user", "secret", "3700")


def sent(gateway: Eskiz | PlayMobile) -> Receipt:
    return gateway.send(NUMBER, "Salom", "m1")


def trouble_of(what: Callable[[], object]) -> Trouble:
    with pytest.raises(Trouble) as raised:
        what()
    return raised.value


# Messages


def test_each_kind_of_the_settings_has_its_provider() -> None:
    modules = {module.name for module in pkgutil.iter_modules(providers.__path__)}
    assert modules == set(get_args(SmsKind))
    assert all(SmsGateway in accounts.provider(kind).__mro__ for kind in modules)


def test_a_message_is_taken(gateway, far) -> None:
    assert sent(gateway).id in ("m1", "id-1")
    assert far.took == [("998935550147", "Salom")]


@pytest.mark.parametrize("mood", ["portal", "moved"])
def test_somebody_else_s_page_takes_no_message(gateway, far, mood) -> None:
    far.moods = [mood]
    trouble = trouble_of(lambda: sent(gateway))
    assert (type(trouble), trouble.code) == (Unsure, "no_sense")
    assert not far.took


@pytest.mark.parametrize("mood", ["portal", "moved"])
def test_a_message_that_a_portal_answered_goes_out_once_it_is_gone(
    settings, playmobile, far, mood
) -> None:
    far.moods = [mood]
    message = outbox.put_sms("registered", NUMBER, "Salom", key="1", tz=settings.tz)
    sending = Senders([playmobile], rest=0, pause=lambda _: None)
    sending.send_due()
    waits = Message.get_by_id(message.id)
    assert (waits.state, waits.trouble, waits.perhaps_twice) == ("pending", "no_sense", True)
    Message.update(due_at=clock.now()).execute()
    sending.send_due()
    assert Message.get_by_id(message.id).state == "sent"
    assert len(far.took) == 1


@pytest.mark.parametrize(("mood", "kind", "code"), REFUSALS)
def test_what_is_no_fault_of_the_message_refuses_none(gateway, far, mood, kind, code) -> None:
    far.moods = [mood]
    trouble = trouble_of(lambda: sent(gateway))
    assert (type(trouble), trouble.code) == (kind, code)
    assert ("status" in trouble.said) == ("page" not in mood)
    assert sent(gateway)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [("7", 7), ("0", 1), ("", 30), ("soon", 30), ("-5", 30), ("9" * 400, 3600)],
)
def test_who_asks_to_wait_is_given_a_sensible_time(gateway, far, asked, wait) -> None:
    far.moods, far.wait = ["429"], asked
    trouble = trouble_of(lambda: sent(gateway))
    assert isinstance(trouble, Later)
    assert trouble.wait == wait


def test_a_throttled_second_loses_no_message(settings, eskiz, far) -> None:
    far.moods, far.wait = ["429"], "7"
    message = outbox.put_sms("registered", NUMBER, "Salom", key="1", tz=settings.tz)
    Senders([eskiz], rest=0, pause=lambda _: None).send_due()
    waits = Message.get_by_id(message.id)
    assert (waits.state, waits.trouble, waits.perhaps_twice) == ("pending", "too_many", False)
    assert waits.due_at > clock.now()


@pytest.mark.parametrize("mood", ["declined", "422"])
def test_eskiz_refuses_a_text(eskiz, far, mood) -> None:
    far.moods = [mood]
    with pytest.raises(Declined):
        sent(eskiz)


def test_eskiz_s_other_refusals_are_its_own_faults(eskiz, far) -> None:
    far.moods = ["419"]
    trouble = trouble_of(lambda: sent(eskiz))
    assert (type(trouble), trouble.code) == (NotSent, "server_error")


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        (100, Unsure, "server_error"),
        (102, NotSent, "account"),
        (103, NotSent, "account"),
        (202, Declined, "declined"),
        (401, NotSent, "account"),
        (406, Declined, "declined"),
    ],
)
def test_play_mobile_s_codes(playmobile, far, code, kind, name) -> None:
    far.moods, far.error_code = ["declined"], code
    trouble = trouble_of(lambda: sent(playmobile))
    assert (type(trouble), trouble.code) == (kind, name)


def test_play_mobile_refuses_the_account(playmobile, far) -> None:
    far.moods = ["401"]
    assert trouble_of(lambda: sent(playmobile)).code == "log_in"


# Log-ins and questions


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        *REFUSALS,
        ("401", NotSent, "log_in"),
        ("500", NotSent, "server_error"),
        ("502 page", NotSent, "server_error"),
        ("portal", NotSent, "no_sense"),
        ("moved", NotSent, "no_sense"),
    ],
)
def test_a_log_in_sends_nothing_whatever_comes_of_it(eskiz, far, mood, kind, code) -> None:
    far.log_in_moods = [mood]
    trouble = trouble_of(lambda: sent(eskiz))
    assert (type(trouble), trouble.code) == (kind, code)
    assert not far.took
    assert sent(eskiz)


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        ("429", "too_many"),
        ("403", "account"),
        ("500", "server_error"),
        ("502 page", "no_sense"),
        ("portal", "no_sense"),
        ("moved", "no_sense"),
    ],
)
def test_a_question_without_an_answer_is_a_trouble(eskiz, far, mood, code) -> None:
    far.question_moods = [mood, mood]
    assert trouble_of(eskiz.balance).code == code
    assert trouble_of(lambda: eskiz.outcome("id-1")).code == code
    assert eskiz.balance() == 4200


@pytest.mark.parametrize("mood", ["404", "400"])
def test_of_a_message_that_is_not_known_yet_nothing_is_known(eskiz, far, mood) -> None:
    far.question_moods = [mood]
    assert eskiz.outcome("id-1") is None


@pytest.mark.parametrize(
    ("told", "left"),
    [(4200, 4200), ("4200", 4200), (4200.5, 4200), ("4200.50", 4200), (None, None)],
)
def test_a_balance_in_whole_units(eskiz, far, told, left) -> None:
    far.balance = told
    assert eskiz.balance() == left


@pytest.mark.parametrize("told", ["much", [4200], {}, float("inf")])
def test_a_balance_that_makes_no_sense_is_a_trouble(eskiz, far, told) -> None:
    far.balance = told
    assert trouble_of(eskiz.balance).code == "no_sense"


# TLS


@dataclass
class Secure:
    """A service over TLS: what it was sent, and what is said then instead of an answer."""

    url: str = ""
    took: list[str] = field(default_factory=list)
    instead: bytes = b""


class Certificate:
    """A certificate of 127.0.0.1, signed by itself, in a file with its key."""

    def __init__(self, folder: Path, days: int = 2) -> None:
        self.file = folder / "far.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "far")])
        where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        end = clock.now() + dt.timedelta(days=days)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(end - dt.timedelta(days=30))
            .not_valid_after(end)
            .add_extension(where, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.file.write_bytes(key.private_bytes(pem, kind, plain) + made.public_bytes(pem))


@contextlib.contextmanager
def secure(certificate: Path) -> Iterator[Secure]:
    """The service, listening until the end of the block."""
    here = Secure()

    class Handler(Answering):
        def do_POST(self) -> None:
            here.took.append(self.body())
            if here.instead:
                with socket.socket(fileno=os.dup(self.connection.fileno())) as under:
                    under.sendall(here.instead)
                self.close_connection = True
            else:
                self.say(200, "Request is received")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    here.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SENDERS: dict[str, Callable[[str], object]] = {
    "eskiz": lambda url: sent(Eskiz("eskiz", url, "user", "secret")),
    "playmobile": lambda url: sent(PlayMobile("playmobile", url, "user", "secret", "3700")),
    "ministry": lambda url: MinistrySystem(url, "token").send("2026-000001", {}, "key", False),
    "telegram": lambda url: Telegram(url, "1:secret").send("5", "Salom"),
}


@pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)
def test_to_a_strange_certificate_nothing_is_sent(tmp_path, send) -> None:
    with secure(Certificate(tmp_path).file) as far:
        trouble = trouble_of(lambda: send(far.url))
        assert (type(trouble), trouble.code) == (NotSent, "certificate")
        assert trouble.said.startswith("self-signed certificate")
        assert not far.took


def test_to_a_certificate_that_has_ended_nothing_is_sent(tmp_path, monkeypatch) -> None:
    ended = Certificate(tmp_path, days=-1).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ended))
    with secure(ended) as far:
        trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
        assert (type(trouble), trouble.code) == (NotSent, "certificate")
        assert trouble.said.startswith("certificate has expired")


def test_who_speaks_no_tls_there_is_sent_nothing(far) -> None:
    url = far.url.replace("http:", "https:")
    trouble = trouble_of(lambda: SENDERS["playmobile"](url))
    assert (type(trouble), trouble.code) == (NotSent, "certificate")


def test_over_a_trusted_line_a_message_is_taken(tmp_path, monkeypatch) -> None:
    trusted = Certificate(tmp_path).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with secure(trusted) as far:
        assert SENDERS["playmobile"](far.url) == Receipt("m1")
        assert len(far.took) == 1


def test_a_fault_of_tls_after_the_message_leaves_it_unsure(tmp_path, monkeypatch) -> None:
    trusted = Certificate(tmp_path).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with secure(trusted) as far:
        far.instead = b"HTTP/1.1 400 Bad Request\r\n\r\n"  # not by TLS
        trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
        assert (type(trouble), trouble.code) == (Unsure, "answer_lost")
        assert isinstance(trouble.__cause__.args[0].reason.args[0], ssl.SSLError)
        assert len(far.took) == 1


def test_a_handshake_that_failed_before_says_nothing_of_the_next_message(
    tmp_path, monkeypatch
) -> None:
    trusted = Certificate(tmp_path).file
    with secure(trusted) as far:
        far.instead = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        try:
            SENDERS["playmobile"](far.url)
        except NotSent:  # while this one is handled
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
            trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
    assert (type(trouble), trouble.code) == (Unsure, "answer_lost")


@pytest.mark.parametrize("reset", [False, True])
def test_who_hangs_up_before_tls_stands_is_sent_nothing(reset) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            line, _ = server.accept()
            line.recv(4096, socket.MSG_PEEK if reset else 0)
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        trouble = trouble_of(lambda: SENDERS["playmobile"](url))
        thread.join()
    assert (type(trouble), trouble.code) == (NotSent, "unreachable")
