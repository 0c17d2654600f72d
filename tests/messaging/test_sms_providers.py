"""The SMS services over HTTP: what each answer means for a message, and answers from strangers."""

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
from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    Receipt,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.settings import SmsKind
from appliance.messaging.sms import accounts, providers
from appliance.messaging.sms.gateway import SmsGateway
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.sender import SmsSender
from appliance.messaging.telegram.bot_api import BotApiClient
from appliance.models import Message
from tests.rig.fakes.serving import FakeHandler
from tests.rig.fakes.sms import SmsService, run_sms_service

NUMBER = "+998935550147"
KINDS = [Eskiz, PlayMobile]
# the expected trouble and code for each status, of a message and of a log-in
REFUSALS = [
    ("429", RetryLaterError, "too_many"),
    ("429 page", RetryLaterError, "too_many"),
    ("402", NotSentError, "account"),
    ("403", NotSentError, "account"),
    ("403 page", NotSentError, "account"),
    ("404", NotSentError, "no_sense"),
    ("405 page", NotSentError, "no_sense"),
]


@pytest.fixture
def fake_service() -> Iterator[SmsService]:
    with run_sms_service() as running:
        yield running


@pytest.fixture
def eskiz(fake_service: SmsService) -> Eskiz:
    return Eskiz("eskiz", fake_service.url, "user", "secret")


@pytest.fixture
def playmobile(fake_service: SmsService) -> PlayMobile:
    return PlayMobile("playmobile", fake_service.url, "user", "secret", "3700")


@pytest.fixture(params=KINDS)
def gateway(request: pytest.FixtureRequest, fake_service: SmsService) -> Eskiz | PlayMobile:
    return request.param("service", fake_service.url, "user", "secret", "3700")


def send_test_message(gateway: Eskiz | PlayMobile) -> Receipt:
    return gateway.send(NUMBER, "Salom", "m1")


def trouble_of(action: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        action()
    return raised.value


# messages


def test_each_kind_in_the_settings_has_a_provider() -> None:
    modules = {module.name for module in pkgutil.iter_modules(providers.__path__)}
    assert modules == set(get_args(SmsKind))
    assert all(SmsGateway in accounts.provider_class(kind).__mro__ for kind in modules)


def test_a_message_is_accepted(gateway, fake_service) -> None:
    assert send_test_message(gateway).id in ("m1", "id-1")
    assert fake_service.messages == [("998935550147", "Salom")]


@pytest.mark.parametrize("mood", ["portal", "moved"])
def test_a_strangers_page_does_not_count_as_acceptance(gateway, fake_service, mood) -> None:
    fake_service.moods = [mood]
    trouble = trouble_of(lambda: send_test_message(gateway))
    assert (type(trouble), trouble.code) == (UncertainDeliveryError, "no_sense")
    assert not fake_service.messages


@pytest.mark.parametrize("mood", ["portal", "moved"])
def test_a_message_answered_by_a_portal_is_sent_once_the_portal_is_gone(
    settings, playmobile, fake_service, mood
) -> None:
    fake_service.moods = [mood]
    message = outbox.queue_sms("registered", NUMBER, "Salom", key="1", tz=settings.tz)
    sending = SmsSender([playmobile], rest_seconds=0, sleep=lambda _: None)
    sending.send_due()
    waits = Message.get_by_id(message.id)
    assert (waits.state, waits.trouble, waits.perhaps_twice) == ("pending", "no_sense", True)
    Message.update(due_at=clock.now()).execute()
    sending.send_due()
    assert Message.get_by_id(message.id).state == "sent"
    assert len(fake_service.messages) == 1


@pytest.mark.parametrize(("mood", "kind", "code"), REFUSALS)
def test_an_answer_unrelated_to_the_message_does_not_refuse_it(
    gateway, fake_service, mood, kind, code
) -> None:
    fake_service.moods = [mood]
    trouble = trouble_of(lambda: send_test_message(gateway))
    assert (type(trouble), trouble.code) == (kind, code)
    assert ("status" in trouble.detail) == ("page" not in mood)
    assert send_test_message(gateway)


@pytest.mark.parametrize(
    ("requested_wait", "wait"),
    [("7", 7), ("0", 1), ("", 30), ("soon", 30), ("-5", 30), ("9" * 400, 3600)],
)
def test_the_requested_wait_is_limited_to_a_sensible_time(
    gateway, fake_service, requested_wait, wait
) -> None:
    fake_service.moods, fake_service.retry_after = ["429"], requested_wait
    trouble = trouble_of(lambda: send_test_message(gateway))
    assert isinstance(trouble, RetryLaterError)
    assert trouble.wait_seconds == wait


def test_a_throttled_message_is_not_lost(settings, eskiz, fake_service) -> None:
    fake_service.moods, fake_service.retry_after = ["429"], "7"
    message = outbox.queue_sms("registered", NUMBER, "Salom", key="1", tz=settings.tz)
    SmsSender([eskiz], rest_seconds=0, sleep=lambda _: None).send_due()
    waits = Message.get_by_id(message.id)
    assert (waits.state, waits.trouble, waits.perhaps_twice) == ("pending", "too_many", False)
    assert waits.due_at > clock.now()


@pytest.mark.parametrize("mood", ["declined", "422"])
def test_eskiz_refuses_a_text(eskiz, fake_service, mood) -> None:
    fake_service.moods = [mood]
    with pytest.raises(DeclinedError):
        send_test_message(eskiz)


def test_other_refusals_of_eskiz_are_server_errors(eskiz, fake_service) -> None:
    fake_service.moods = ["419"]
    trouble = trouble_of(lambda: send_test_message(eskiz))
    assert (type(trouble), trouble.code) == (NotSentError, "server_error")


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        (100, UncertainDeliveryError, "server_error"),
        (102, NotSentError, "account"),
        (103, NotSentError, "account"),
        (202, DeclinedError, "declined"),
        (401, NotSentError, "account"),
        (406, DeclinedError, "declined"),
    ],
)
def test_codes_of_play_mobile_are_mapped(playmobile, fake_service, code, kind, name) -> None:
    fake_service.moods, fake_service.error_code = ["declined"], code
    trouble = trouble_of(lambda: send_test_message(playmobile))
    assert (type(trouble), trouble.code) == (kind, name)


def test_play_mobile_refuses_the_account(playmobile, fake_service) -> None:
    fake_service.moods = ["401"]
    assert trouble_of(lambda: send_test_message(playmobile)).code == "log_in"


# log-ins and queries


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        *REFUSALS,
        ("401", NotSentError, "log_in"),
        ("500", NotSentError, "server_error"),
        ("502 page", NotSentError, "server_error"),
        ("portal", NotSentError, "no_sense"),
        ("moved", NotSentError, "no_sense"),
    ],
)
def test_a_failed_log_in_sends_nothing(eskiz, fake_service, mood, kind, code) -> None:
    fake_service.log_in_moods = [mood]
    trouble = trouble_of(lambda: send_test_message(eskiz))
    assert (type(trouble), trouble.code) == (kind, code)
    assert not fake_service.messages
    assert send_test_message(eskiz)


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
def test_a_failed_query_raises_trouble(eskiz, fake_service, mood, code) -> None:
    fake_service.question_moods = [mood, mood]
    assert trouble_of(eskiz.balance).code == code
    assert trouble_of(lambda: eskiz.outcome("id-1")).code == code
    assert eskiz.balance() == 4200


@pytest.mark.parametrize("mood", ["404", "400"])
def test_a_message_not_known_yet_has_no_outcome(eskiz, fake_service, mood) -> None:
    fake_service.question_moods = [mood]
    assert eskiz.outcome("id-1") is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(4200, 4200), ("4200", 4200), (4200.5, 4200), ("4200.50", 4200), (None, None)],
)
def test_a_balance_is_read_in_whole_units(eskiz, fake_service, answer, expected) -> None:
    fake_service.balance = answer
    assert eskiz.balance() == expected


@pytest.mark.parametrize("answer", ["much", [4200], {}, float("inf")])
def test_an_invalid_balance_raises_trouble(eskiz, fake_service, answer) -> None:
    fake_service.balance = answer
    assert trouble_of(eskiz.balance).code == "no_sense"


# TLS


@dataclass
class SecureService:
    """A service over TLS: the bodies it received, and the bytes it sends instead of an answer."""

    url: str = ""
    took: list[str] = field(default_factory=list)
    instead: bytes = b""


class Certificate:
    """A self-signed certificate for 127.0.0.1, in a file with its key."""

    def __init__(self, folder: Path, days: int = 2) -> None:
        self.file = folder / "far.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "far")])
        where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        end = clock.now() + dt.timedelta(days=days)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(end - dt.timedelta(days=30))
            .not_valid_after(end)
            .add_extension(where, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.file.write_bytes(key.private_bytes(pem, kind, plain) + certificate.public_bytes(pem))


@contextlib.contextmanager
def secure_service(certificate: Path) -> Iterator[SecureService]:
    """The service, listening until the end of the block."""
    secure = SecureService()

    class Handler(FakeHandler):
        def do_POST(self) -> None:
            secure.took.append(self.read_body())
            if secure.instead:
                with socket.socket(fileno=os.dup(self.connection.fileno())) as under:
                    under.sendall(secure.instead)
                self.close_connection = True
            else:
                self.send_answer(200, "Request is received")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    secure.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield secure
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SENDERS: dict[str, Callable[[str], object]] = {
    "eskiz": lambda url: send_test_message(Eskiz("eskiz", url, "user", "secret")),
    "playmobile": lambda url: send_test_message(
        PlayMobile("playmobile", url, "user", "secret", "3700")
    ),
    "ministry": lambda url: MinistrySystem(url, "token").send_appeal(
        "2026-000001", {}, "key", False
    ),
    "telegram": lambda url: BotApiClient(url, "1:secret").send_text("5", "Salom"),
}


@pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)
def test_nothing_is_sent_to_an_untrusted_certificate(tmp_path, send) -> None:
    with secure_service(Certificate(tmp_path).file) as far:
        trouble = trouble_of(lambda: send(far.url))
        assert (type(trouble), trouble.code) == (NotSentError, "certificate")
        assert trouble.detail.startswith("self-signed certificate")
        assert not far.took


def test_nothing_is_sent_to_an_expired_certificate(tmp_path, monkeypatch) -> None:
    ended = Certificate(tmp_path, days=-1).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ended))
    with secure_service(ended) as far:
        trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
        assert (type(trouble), trouble.code) == (NotSentError, "certificate")
        assert trouble.detail.startswith("certificate has expired")


def test_nothing_is_sent_to_a_server_without_tls(fake_service) -> None:
    url = fake_service.url.replace("http:", "https:")
    trouble = trouble_of(lambda: SENDERS["playmobile"](url))
    assert (type(trouble), trouble.code) == (NotSentError, "certificate")


def test_a_message_is_accepted_over_a_trusted_connection(tmp_path, monkeypatch) -> None:
    trusted = Certificate(tmp_path).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with secure_service(trusted) as far:
        assert SENDERS["playmobile"](far.url) == Receipt("m1")
        assert len(far.took) == 1


def test_a_tls_fault_after_the_message_leaves_it_unsure(tmp_path, monkeypatch) -> None:
    trusted = Certificate(tmp_path).file
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with secure_service(trusted) as far:
        far.instead = b"HTTP/1.1 400 Bad Request\r\n\r\n"  # without TLS
        trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
        assert (type(trouble), trouble.code) == (UncertainDeliveryError, "answer_lost")
        assert isinstance(trouble.__cause__.args[0].reason.args[0], ssl.SSLError)
        assert len(far.took) == 1


def test_an_earlier_failed_handshake_does_not_affect_the_next_message(
    tmp_path, monkeypatch
) -> None:
    trusted = Certificate(tmp_path).file
    with secure_service(trusted) as far:
        far.instead = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        try:
            SENDERS["playmobile"](far.url)
        except NotSentError:  # while this exception is handled
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
            trouble = trouble_of(lambda: SENDERS["playmobile"](far.url))
    assert (type(trouble), trouble.code) == (UncertainDeliveryError, "answer_lost")


@pytest.mark.parametrize("reset", [False, True])
def test_nothing_is_sent_if_the_server_closes_before_tls_is_established(reset) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def close_connection() -> None:
            line, _ = server.accept()
            line.recv(4096, socket.MSG_PEEK if reset else 0)
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()

        thread = threading.Thread(target=close_connection)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        trouble = trouble_of(lambda: SENDERS["playmobile"](url))
        thread.join()
    assert (type(trouble), trouble.code) == (NotSentError, "unreachable")
