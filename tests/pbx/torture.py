"""The messages of RFC 4475, which torture a SIP parser: its sections in our own words.

Each contains what makes the message of its section difficult; the addresses are those of the test.
`TORTURE` maps each section to a request or response in its wire form.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

SDP_TEMPLATE = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 49217 RTP/AVP 8\r\n"
)
HOTLINE_NUMBER = "1006"


@dataclass(frozen=True)
class End:
    """Source and destination of a message: addresses, and the transport (UDP, TCP, TLS)."""

    box: str
    here: str
    transport: str
    once: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def via(self) -> str:
        """Return a valid Via header."""
        return f"Via: SIP/2.0/{self.transport} {self.here}:5060;branch=z9hG4bK{self.once};rport"

    def write(self, start: str, *lines: str, body: str = "", bare: str = "") -> bytes:
        """Return a message; `lines` replace the usual headers by name ("Name" removes it).

        `bare`: names of further usual headers that are left out, separated by blanks.
        """
        method = start.split()[0]
        usual = {
            "Via": self.via,
            "From": f"From: <sip:998901234567@{self.here}>;tag={self.once}",
            "To": f"To: <sip:{HOTLINE_NUMBER}@{self.box}>",
            "Call-ID": f"Call-ID: {self.once}@{self.here}",
            "CSeq": f"CSeq: 1 {method}",
            "Contact": f"Contact: <sip:x@{self.here}:5060>",
            "Max-Forwards": "Max-Forwards: 70",
        }
        if body:
            usual["Content-Type"] = "Content-Type: application/sdp"
        usual["Content-Length"] = f"Content-Length: {len(body.encode())}"
        replaced_names = {line.partition(":")[0].strip().lower() for line in lines} | {
            *bare.lower().split()
        }
        remaining = [text for name, text in usual.items() if name.lower() not in replaced_names]
        return "\r\n".join([start, *remaining, *lines, "", ""]).encode() + body.encode()

    def invite(
        self, *lines: str, start: str = "", body: str | None = None, bare: str = ""
    ) -> bytes:
        """Return a call to the hotline with `lines` as its special headers."""
        body = SDP_TEMPLATE.format(self.here) if body is None else body
        return self.write(
            start or f"INVITE sip:{HOTLINE_NUMBER}@{self.box} SIP/2.0", *lines, body=body, bare=bare
        )

    def ask(self, method: str, *lines: str, uri: str = "", bare: str = "") -> bytes:
        """Return a request without a body."""
        uri = uri or f"sip:{HOTLINE_NUMBER}@{self.box}"
        return self.write(f"{method} {uri} SIP/2.0", *lines, bare=bare)

    def register(self, *lines: str, bare: str = "") -> bytes:
        """Return a phone's registration."""
        return self.ask("REGISTER", *lines, uri=f"sip:{self.box}", bare=bare)


def _tortuous_invite(end: End) -> bytes:
    """3.1.1.1: folded lines, short names, escapes in quotes, blanks wherever permitted."""
    body = SDP_TEMPLATE.format(end.here)
    return "\r\n".join(
        [
            f"INVITE sip:vivekg@{end.box};unknownparam SIP/2.0",
            "TO :",
            f" sip:vivekg@{end.box} ;   tag    = 1918181833n",
            f'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@{end.here}>',
            "  ;",
            f"  tag = {end.once}",
            "MaX-fOrWaRdS: 0068",
            f"Call-ID: wsinv.{end.once}@{end.here}",
            f"Content-Length   : {len(body)}",
            "cseq: 0009",
            "  INVITE",
            f"Via  : SIP  /   2.0\r\n /{end.transport}\r\n    {end.here}:5060;branch=",
            f" z9hG4bK{end.once}",
            "s :",
            "NewFangledHeader:   newfangled value",
            " continued newfangled value",
            "UnknownHeaderWithUnusualValue: ;;,,;;,;",
            "Content-Type: application/sdp",
            f"Route:\r\n <sip:{end.box};lr;unknownwith=value;unknown-no-value>",
            f'm:"Quoted string \\"\\"" <sip:jdrosen@{end.here}> ; newparam =\r\n'
            "      newvalue ;\r\n  secondparam ; q = 0.33",
            "",
            body,
        ]
    ).encode()


def _unusual_characters(end: End) -> bytes:
    """3.1.1.2: every character that a method, a name or a user may contain."""
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    return end.write(
        f"{method} sip:{user}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{end.box} SIP/2.0",
        f"CSeq: 139122385 {method}",
        f'From: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:{user}@{end.here}>'
        f";tag=_token~1'+`*%!-.{end.once};fromParam''~+*_!.-%=\"\u0440\u0430\u0431\"",
        "extensionHeader-!.%*+_`'~:\ufeff\u5927\u505c\u96fb",
        f"To: sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@{end.box}",
    )


def _multipart_message(end: End) -> bytes:
    """3.1.1.11: two parts, one of them binary."""
    parts = "7a9cbec02ceef655"
    body = (
        f"--{parts}\r\nContent-Type: text/plain\r\n\r\nHello\r\n--{parts}\r\n"
        f"Content-Type: application/octet-stream\r\n\r\n\x00\x01\x80\r\n--{parts}--\r\n"
    )
    return end.write(
        f"MESSAGE sip:kumiko@{end.box} SIP/2.0",
        f"Content-Type: multipart/mixed;boundary={parts}",
        body=body,
    )


def _long_values(end: End) -> bytes:
    """3.1.1.7: values of hundreds and thousands of characters, and 34 Via headers."""
    vias = [f"Via: SIP/2.0/UDP sip{n}.example.com;branch=z9hG4bK{end.once}{n}" for n in range(33)]
    name = "I have a user name of extreme proportion" + " and more of it" * 60
    return end.invite(
        end.via,
        *vias,
        f'To: "{name}" <sip:{HOTLINE_NUMBER}@{end.box}:6000;unknownparam1={"very" * 60}value>',
        f"From: sip:{'amazinglylongcallername' * 9}@{end.here};tag={'12982' * 40}{end.once}"
        f";unknownheaderparam={'long' * 60}",
        f"Call-ID: {end.once}.onereally{'long' * 60}callid",
        f"Unknown-{'Long' * 30}-Name: {'unknown-value;' * 80}",
        f"Contact: <sip:{'amazinglylongcallername' * 9}@{end.here}:5060>",
    )


def _invite_response(end: End, start: str, *lines: str) -> bytes:
    return end.write(start, "CSeq: 35 INVITE", *lines)


def _invite_without_headers(end: End, *names: str) -> bytes:
    return end.invite(bare=" ".join(names), body="")


TORTURE: dict[str, Callable[[End], bytes]] = {
    "3.1.1.1 a short tortuous INVITE": _tortuous_invite,
    "3.1.1.2 every character": _unusual_characters,
    "3.1.1.3 escapes": lambda e: e.invite(
        f"To: sip:%75se%72@{e.box}",
        f"From: <sip:I%20have%20spaces@{e.here}>;tag={e.once}",
        start=f"INVITE sip:sips%3Auser%40example.com@{e.box} SIP/2.0",
    ),
    "3.1.1.4 escaped nulls": lambda e: e.register(
        f"To: sip:null-%00-null@{e.box}",
        f"From: sip:null-%00-null@{e.box};tag={e.once}",
        f"Contact: <sip:%00@{e.here}>",
        f"Contact: <sip:%00%00@{e.here}>",
    ),
    "3.1.1.5 a percent that escapes nothing": lambda e: e.write(
        f"RE%47IST%45R sip:{e.box} SIP/2.0",
        f'To: "%Z%45" <sip:resource@{e.box}>',
        f'From: "%Z%45" <sip:resource@{e.here}>;tag={e.once}',
        f"Contact: <sip:alias1@{e.here}>",
    ),
    "3.1.1.6 no blank before <": lambda e: e.ask(
        "OPTIONS", f"From: caller<sip:caller@{e.here}>;tag={e.once}"
    ),
    "3.1.1.7 long values": _long_values,
    "3.1.1.8 two requests in a datagram": lambda e: e.register() + e.invite(),
    "3.1.1.9 semicolons in the user": lambda e: e.ask(
        "OPTIONS", f"To: sip:user;x=y@{e.box}", uri=f"sip:user;par=u%40example.net@{e.box}"
    ),
    "3.1.1.10 unknown transports": lambda e: e.ask(
        "OPTIONS",
        e.via,
        *(
            f"Via: SIP/2.0/{transport} t{n}.example.com;branch=z9hG4bK{n}"
            for n, transport in enumerate(("UDP", "SCTP", "TLS", "UNKNOWN", "TCP"), 1)
        ),
    ),
    "3.1.1.11 octets in two parts": _multipart_message,
    "3.1.1.12 an unusual reason": lambda e: _invite_response(
        e, "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f"
    ),
    "3.1.1.13 no reason": lambda e: _invite_response(e, "SIP/2.0 100 "),
    "3.1.2.1 separators of nothing": lambda e: e.invite(
        f'Contact: "Joe" <sip:joe@{e.here}>;;,,;,,', f"Via: SIP/2.0/UDP {e.here};;,;,,"
    ),
    "3.1.2.2 longer than it is": lambda e: e.invite("Content-Length: 9999"),
    "3.1.2.3 a negative length": lambda e: e.invite("Content-Length: -999"),
    "3.1.2.4 numbers too large": lambda e: e.register(
        "CSeq: 36893488147419103232 REGISTER",
        "Max-Forwards: 300",
        "Expires: 10000000000000000000000000000000000000",
        f"Contact: <sip:user@{e.here}>;expires=280297596632815",
    ),
    "3.1.2.5 numbers too large in a response": lambda e: e.write(
        "SIP/2.0 503 Service Unavailable",
        "CSeq: 9292394834772304023312 OPTIONS",
        "Retry-After: 949302838503028349304023988",
        'Warning: 1812 overture "In Progress"',
    ),
    "3.1.2.6 an open quote": lambda e: e.invite(f'To: "Mr. J. User <sip:{HOTLINE_NUMBER}@{e.box}>'),
    "3.1.2.7 <> around the address": lambda e: e.invite(
        start=f"INVITE <sip:{HOTLINE_NUMBER}@{e.box}> SIP/2.0"
    ),
    "3.1.2.8 a blank in the address": lambda e: e.invite(
        start=f"INVITE sip:{HOTLINE_NUMBER}@{e.box}; lr SIP/2.0"
    ),
    "3.1.2.9 blanks in the first line": lambda e: e.invite(
        start=f"INVITE  sip:{HOTLINE_NUMBER}@{e.box}  SIP/2.0"
    ),
    "3.1.2.10 blanks after the first line": lambda e: e.write(
        f"OPTIONS sip:{HOTLINE_NUMBER}@{e.box} SIP/2.0  "
    ),
    "3.1.2.11 headers in the address": lambda e: e.invite(
        start=f"INVITE sip:{HOTLINE_NUMBER}@{e.box}?Route=%3Csip:{e.here}%3E SIP/2.0"
    ),
    "3.1.2.12 a date of another zone": lambda e: e.invite("Date: Fri, 01 Jan 2010 16:00:00 EST"),
    "3.1.2.13 an address without <>": lambda e: e.register(
        f"Contact: sip:user@{e.here}?Route=%3Csip:sip.example.com%3E"
    ),
    "3.1.2.14 blanks in an address": lambda e: e.ask(
        "OPTIONS", f'To: "Watson, Thomas" < sip:t.watson@{e.box} >'
    ),
    "3.1.2.15 a name that must be quoted": lambda e: e.ask(
        "OPTIONS", f"From: Bell, Alexander <sip:a.g.bell@{e.here}>;tag={e.once}"
    ),
    "3.1.2.16 version 7.0": lambda e: e.ask("OPTIONS").replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1),
    "3.1.2.17 two methods": lambda e: e.ask("OPTIONS", "CSeq: 8 INVITE"),
    "3.1.2.18 two methods, one unknown": lambda e: e.ask("NEWMETHOD", "CSeq: 8 INVITE"),
    "3.1.2.19 a status too large": lambda e: _invite_response(
        e, "SIP/2.0 4294967301 better not break the receiver"
    ),
    "3.2.1 a branch of nothing": lambda e: e.ask(
        "OPTIONS", f"Via: SIP/2.0/{e.transport} {e.here}:5060;branch=z9hG4bK"
    ),
    "3.3.1 headers missing": lambda e: _invite_without_headers(
        e, "Call-ID", "From", "To", "Contact"
    ),
    "3.3.2 an unknown scheme": lambda e: e.ask(
        "OPTIONS", uri="nobodyKnowsThisScheme:totallyopaquecontent"
    ),
    "3.3.3 a rare scheme": lambda e: e.ask("OPTIONS", uri="soap.beep://192.0.2.103:3002"),
    "3.3.4 unknown schemes in headers": lambda e: e.register(
        "To: isbn:2983792873",
        f"From: <http://www.example.com>;tag={e.once}",
        "Contact: <name:John_Smith>",
    ),
    "3.3.5 what nobody supports": lambda e: e.ask(
        "OPTIONS",
        "Require: nothingSupportsThis, nothingSupportsThisEither",
        "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis",
    ),
    "3.3.6 an unknown body": lambda e: e.invite(
        "Content-Type: application/unknownformat", body="<audio><pcmu port='443'/></audio>"
    ),
    "3.3.7 an unknown proof": lambda e: e.register(
        "Authorization: NoOneKnowsThisScheme opaque-data=here"
    ),
    "3.3.8 many where one may be": lambda e: e.invite(
        "CSeq: 5 INVITE\r\nCSeq: 59 OPTIONS",
        f"Call-ID: {e.once}@{e.here}\r\nCall-ID: another.{e.once}@{e.here}",
        "Max-Forwards: 70\r\nMax-Forwards: 0\r\nMax-Forwards: 5",
        f"From: <sip:a@{e.here}>;tag={e.once}\r\nFrom: <sip:b@{e.here}>;tag=other",
        f"To: <sip:{HOTLINE_NUMBER}@{e.box}>\r\nTo: <sip:other@{e.box}>",
    ),
    "3.3.9 two lengths": lambda e: e.ask("OPTIONS", "Content-Length: 13\r\nContent-Length: 5"),
    "3.3.10 a response by way of all": lambda e: _invite_response(
        e, "SIP/2.0 200 OK", e.via, "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"
    ),
    "3.3.11 no forwards left": lambda e: e.ask("OPTIONS", "Max-Forwards: 0"),
    "3.3.12 a parameter of the contact": lambda e: e.register(
        f"Contact: sip:+19725552222@{e.here};unknownparam"
    ),
    "3.3.13 a parameter of the address": lambda e: e.register(
        f"Contact: <sip:+19725552222@{e.here};unknownparam>"
    ),
    "3.3.14 a header in the contact": lambda e: e.register(
        f"Contact: <sip:user@{e.here}?Route=%3Csip:sip.example.com%3E>"
    ),
    "3.3.15 nothing it could accept": lambda e: e.invite(
        "Accept: text/nobodyKnowsThis", body="", bare="Content-Type"
    ),
    "3.4.1 as RFC 2543 wrote it": lambda e: e.invite(
        f"Via: SIP/2.0/{e.transport} {e.here}", f"From: <sip:a@{e.here}>", "Call-ID: " + e.once
    ),
}
