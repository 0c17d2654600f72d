"""A pack on paper: what is in it, to be read, and the page that says how it is verified."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from appliance.casework.appeals import handling
from appliance.casework.knowledge import wording
from appliance.casework.scripts import texts
from appliance.core import clock, signatures
from appliance.core.audit import words as audit_words
from appliance.core.i18n import translations
from appliance.core.settings import Settings
from appliance.models import Appeal, CallForm, EvidencePack
from appliance.people import accounts
from appliance.reports import figures, pdf, words
from appliance.reports.evidence import contents
from appliance.reports.evidence.contents import LOCALES, Matter
from appliance.reports.paper import pages
from appliance.telephony import calls

COMMANDS = (
    "",
    "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.sha256"
    " -sigfile manifest.sha256.sig",
    "sha256sum -c manifest.sha256",
    "openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256",
)


@dataclass(frozen=True)
class Part:
    """A table under its heading; `hashed`: which column holds hashes."""

    title: str
    rows: list[tuple[str, ...]]
    heads: tuple[str, ...] = ()
    empty: str = ""
    hashed: int = 0


def papers(
    settings: Settings,
    pack: EvidencePack,
    about: Matter,
    hashes: Mapping[str, str],
    public: bytes,
) -> Iterator[tuple[str, bytes]]:
    """(name, PDF) of what is in a pack, in each language; `hashes` of what was put in so far."""
    now = clock.now().astimezone(settings.tz)
    for language, locale in LOCALES.items():
        text = _words()[language]
        page = pages.get_template("evidence.html").render(
            words=text,
            title=text["title"].format(number=pack.id),
            made=text["made"].format(moment=figures.moment(now)),
            made_at=now.isoformat(timespec="seconds"),
            site=settings.web.url,
            parts=list(_Paper(settings, text, locale).parts(pack, about, hashes)),
        )
        yield f"evidence.{language}.pdf", pdf.write(page)


def how(settings: Settings, pack: EvidencePack, public: bytes) -> bytes:
    """The page that says how a pack is verified, in Uzbek and Russian, as a PDF."""
    now = clock.now().astimezone(settings.tz)
    page = pages.get_template("how.html").render(
        halves=[text["how"] | {"language": text["language"]} for text in _words().values()],
        commands=COMMANDS,
        number=pack.id,
        fingerprint=signatures.fingerprint(public),
        made_at=now.isoformat(timespec="seconds"),
        site=settings.web.url,
    )
    return pdf.write(page)


@cache
def _words() -> dict[str, dict[str, Any]]:
    return tomllib.loads((words.TEMPLATES / "evidence.toml").read_text("utf-8"))


class _Paper:
    """One language's tables."""

    def __init__(self, settings: Settings, text: dict[str, Any], locale: str) -> None:
        self._tz, self._text, self._locale = settings.tz, text, locale
        self._say = translations(locale).gettext
        self._names = accounts.names(locale)

    def parts(self, pack: EvidencePack, about: Matter, hashes: Mapping[str, str]) -> Iterator[Part]:
        """Every table, in order."""
        text = self._text
        asked = [
            (text["asked"], self._moment(pack.asked_at)),
            (text["by"], self._who(pack.by)),
            (text["reason"], pack.reason),
        ]
        yield Part(text["about"], [*asked])
        if about.call:
            yield Part(text["call"], self._call(about.call))
            yield Part(text["course"], self._course(about.call), self._heads("when what details"))
        sounds = [self._sound(sound, hashes) for sound in about.sounds]
        heads = self._heads("file length hash registry")
        yield Part(text["recordings"], sounds, heads, text["no_recordings"], 3)
        for appeal in about.appeals:
            yield self._form("appeal", appeal, appeal.form_version)
            title = text["steps"].format(number=appeal.number)
            yield Part(title, self._steps(appeal), self._heads("when who what text"))
        for made in about.call_forms:
            yield self._form("call_form", made, made.version)
        heads = self._heads("when who what version")
        yield Part(text["scripts"], [self._run(run) for run in about.runs], heads)
        yield Part(text["articles"], [self._article(one) for one in about.articles], heads)
        sent = [self._message(one) for one in about.messages]
        yield Part(text["messages"], sent, self._heads("when text state"))
        seen = [self._access(one) for one in about.accesses]
        yield Part(text["accesses"], seen, self._heads("when who what details"))

    def _heads(self, names: str) -> tuple[str, ...]:
        return tuple(self._text[name] for name in names.split())

    def _call(self, call: Any) -> list[tuple[str, ...]]:
        text, names = self._text, {one.code: one.name for one in (*calls.INBOUND, *calls.OUTBOUND)}
        outcome = names.get(call.outcome or "")
        return [
            (text["id"], call.id),
            (text["direction"], text["directions"][call.direction]),
            (text["caller"], call.caller or text["unknown"]),
            (text["callee"], call.callee or call.diverted_from or call.hotline_number or "–"),
            (text["arrived"], self._moment(call.arrived_at)),
            (text["ended"], self._moment(call.ended_at)),
            (text["outcome"], self._say(outcome) if outcome else text["unknown"]),
            (text["waited"], figures.clock(call.wait_seconds)),
            (text["talked"], figures.clock(call.talk_seconds)),
        ]

    def _course(self, call: Any) -> list[tuple[str, ...]]:
        kinds = self._text["course_kinds"]
        return [
            (
                self._moment(step.at),
                kinds[step.kind],
                " ".join(
                    filter(
                        None,
                        (
                            self._who(step.what) if step.what else "",
                            figures.clock(step.seconds) if step.seconds is not None else "",
                        ),
                    )
                ),
            )
            for step in calls.course(call)
        ]

    def _sound(self, sound: contents.Sound, hashes: Mapping[str, str]) -> tuple[str, ...]:
        text, found = self._text, hashes.get(sound.name)
        if not found:
            return sound.row.file, figures.clock(sound.row.seconds), "–", text["missing"]
        digest = sound.row.sha256
        verdict = "not_measured" if not digest else "same" if digest == found else "differs"
        return sound.name, figures.clock(sound.row.seconds), found, text[verdict]

    def _form(self, kind: str, row: Appeal | CallForm, version: int) -> Part:
        text = self._text
        beside = [
            (text["received"], self._moment(row.received_at)),
            (text["registered"], self._moment(row.registered_at)),
            (text["operator"], accounts.named(row.operator, self._locale)),
        ]
        title = text[kind].format(number=row.number, version=version)
        return Part(title, [*beside, *contents.fields(row, self._locale)])

    def _steps(self, appeal: Appeal) -> list[tuple[str, ...]]:
        return [
            (
                self._moment(step.at),
                self._who(step.who),
                self._say(audit_words.named(f"appeal.{step.action}")[1]),
                step.text,
            )
            for step in reversed(handling.steps(appeal))
        ]

    def _run(self, run: Any) -> tuple[str, ...]:
        title = texts.read(run.script.title, self._locale)
        operator = accounts.named(run.row.operator, self._locale)
        return self._moment(run.row.begun_at), operator, title, str(run.row.version.number)

    def _article(self, shown: Any) -> tuple[str, ...]:
        title = wording.title(shown.version, self._locale)
        return self._moment(shown.at), self._who(shown.who), title, str(shown.version.number)

    def _message(self, message: Any) -> tuple[str, ...]:
        return self._moment(message.created_at), message.text, message.state

    def _access(self, entry: Any) -> tuple[str, ...]:
        thing, done = audit_words.named(entry.action)
        action = f"{self._say(thing)}: {self._say(done)}" if done else self._say(thing)
        notes = (entry.detail.get("reason"), entry.address)
        return (
            self._moment(entry.at),
            self._who(entry.who),
            action,
            " · ".join(str(one) for one in notes if one),
        )

    def _who(self, login: str) -> str:
        return self._names.get(login, login)

    def _moment(self, moment: Any) -> str:
        if not moment:
            return "–"
        return f"{moment.astimezone(self._tz):%d.%m.%Y %H:%M:%S}"
