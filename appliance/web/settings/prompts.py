"""What callers hear: texts and sounds by language, their versions, and making new ones."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.pbx import actions
from appliance.people import accounts
from appliance.telephony import prompts
from appliance.web.settings import changes
from appliance.web.settings.prompt_words import title
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded
from appliance.web.shell.sizes import takes_file

if TYPE_CHECKING:
    from appliance.models import PromptVersion, User

screen = Blueprint("prompts", __name__, url_prefix="/prompts")

LARGEST = 32 * 1024 * 1024  # bytes of a file
# how a sound was made: its name, the badge's kind, the icon
KINDS: dict[str, tuple[LazyString, str, str]] = {
    "synthetic": (_l("Synthetic voice"), "warn", "bot"),
    "studio": (_l("Recording"), "ok", "mic"),
    "phone": (_l("Recorded by phone"), "ok", "phone"),
}
TROUBLES: dict[str, LazyString] = {
    "unreadable": _l("This is no sound that can be read. Give a WAV, FLAC, MP3, OGG or Opus file."),
    "silent": _l("Nothing is heard in the recording. Look whether the microphone was on."),
    "clipped": _l("The recording is too loud and distorted. Record it again, more softly."),
    "short": _l("The recording is too short to be speech."),
    "long": _l("The recording is longer than two minutes."),
    "text": _l("Type what shall be said."),
    "wordy": _l("The text is too long: callers hear two minutes at most. Shorten it."),
    "unspoken": _l("The synthetic voice cannot say this text. Write it another way."),
}
_PROMPT = "<any(uz, ru):language>/<path:name>"


@screen.get("")
@may("prompt.change")
def page() -> str:
    """The prompts of one language (`language=ru`), phrases or parts of numbers (`part=numbers`)."""
    language = "ru" if request.args.get("language") == "ru" else "uz"
    everything = prompts.listed(site().paths.prompts, language)
    numbers = request.args.get("part") == "numbers"
    shown = [p for p in everything if p.name.startswith(prompts.NUMBERS) == numbers]
    return render_template(
        "prompts/list.html",
        language=language,
        numbers=numbers,
        prompts=shown,
        title=title,
        synthetic=sum(p.kind == "synthetic" for p in everything),
        total=len(everything),
        kinds=KINDS,
        languages_spoken=CALL_LANGUAGES,
    )


@screen.get(f"/{_PROMPT}")
@may("prompt.change")
def one(language: str, name: str) -> str:
    """One prompt."""
    was = refusals.latest()
    trouble, typed = TROUBLES.get(was.trouble), was.values.get("text")
    shown = _prompt_context(language, name)
    return render_template(
        "prompts/page.html", trouble=trouble, typed=typed, largest=LARGEST, **shown
    )


@screen.get(f"/versions/{_PROMPT}")
@may("prompt.change")
def versions(language: str, name: str) -> str:
    """A prompt's versions, as a piece of the open page."""
    return render_template("prompts/versions.html", **_prompt_context(language, name))


@screen.get(f"/sound/{_PROMPT}")
@may("prompt.change")
def sound(language: str, name: str) -> Response:
    """The sound in force, or of a version (`version=2`)."""
    folder = site().paths.prompts
    file = prompts.sound_of(folder, language, name, request.args.get("version", 0, bounded))
    if not file:
        abort(404)
    return send_file(file, mimetype="audio/wav", conditional=True)


@screen.post(f"/speak/{_PROMPT}")
@may("prompt.change")
def speak(language: str, name: str) -> Response:
    """Have a typed text spoken by machine, to be listened to before it is in force."""
    text = request.form.get("text", "")
    if not text.strip():
        return _refused(language, name, "text")
    _prompt(language, name)
    try:
        made = prompts.speak_text(
            site().paths.prompts, language, name, text, me().login, in_force=False
        )
    except prompts.SoundError as error:
        return _refused(language, name, error.code if error.code == "wordy" else "unspoken")
    _flash_made(made)
    return _back(language, name)


@screen.post(f"/upload/{_PROMPT}")
@takes_file(LARGEST + 1024 * 1024)
@may("prompt.change")
def upload(language: str, name: str) -> Response:
    """Take in a recording, to be listened to before it is in force."""
    asked = _prompt(language, name)
    text = request.form.get("text", "").strip() or asked.text
    sent = request.files.get("recording")
    if not sent or not sent.filename:
        return _refused(language, name, "unreadable")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "sent"
        sent.save(source)
        try:
            made = prompts.take_in(
                site().paths.prompts,
                language,
                name,
                source,
                kind="studio",
                text=text,
                by=me().login,
                in_force=False,
            )
        except prompts.SoundError as error:
            return _refused(language, name, error.code)
    _flash_made(made)
    return _back(language, name)


@screen.post(f"/record/{_PROMPT}")
@may("prompt.change")
def record(language: str, name: str) -> Response:
    """Ring a phone of the house, to speak the prompt there."""
    _prompt(language, name)
    extension = request.form.get("extension", "")
    if extension not in {user.extension for user in _phones()}:
        abort(422)
    try:
        actions.record_prompt(
            site(),
            extension,
            file=prompts.incoming(site().paths.prompts, language, name),
            language=language,
            name=name,
            login=me().login,
        )
    except (actions.Unreachable, actions.Refused):
        flash(_("The exchange does not answer. Try again later."))
        return _back(language, name)
    flash(_("The phone %(extension)s rings. Pick it up and follow the voice.", extension=extension))
    return _back(language, name)


@screen.post(f"/choose/{_PROMPT}")
@may("prompt.change")
def choose(language: str, name: str) -> Response:
    """Put a version in force."""
    before = _prompt(language, name)
    number = request.form.get("version", 0, bounded)
    if not prompts.choose(site().paths.prompts, language, name, number, me().login):
        abort(404)
    was, now = (
        {"text": one.text, "version": str(one.version or "")}
        for one in (before, _prompt(language, name))
    )
    changes.link("prompt", f"{language}/{name}", name, was, now)
    flash(_("Version %(number)s is in force.", number=number))
    return _back(language, name)


def _flash_made(made: "PromptVersion") -> None:
    flash(_("Version %(number)s is ready: listen to it, then put it in force.", number=made.number))


def _prompt(language: str, name: str) -> prompts.Listed:
    found = prompts.found(site().paths.prompts, language, name)
    if not found:
        abort(404)
    return found


def _refused(language: str, name: str, trouble: str) -> Response:
    return refusals.back(url_for("prompts.one", language=language, name=name), trouble)


def _prompt_context(language: str, name: str) -> dict[str, Any]:
    return {
        "prompt": _prompt(language, name),
        "versions": prompts.versions(language, name),
        "phones": _phones(),
        "names": accounts.names(locale()),
        "title": title,
        "kinds": KINDS,
        "troubles": TROUBLES,
        "languages_spoken": CALL_LANGUAGES,
    }


def _phones() -> "list[User]":
    """The phones that may be rung: one's own first."""
    return sorted(accounts.operators(), key=lambda user: (user.login != me().login, user.extension))


def _back(language: str, name: str) -> Response:
    return redirect(url_for("prompts.one", language=language, name=name))
