"""The spoken prompts: their texts and sounds in each language, and the versions of each."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.core.i18n import base_language
from appliance.core.refusals import Refused
from appliance.pbx import actions
from appliance.people import accounts
from appliance.telephony import prompts
from appliance.web.settings import changes
from appliance.web.settings.prompt_labels import prompt_title
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count
from appliance.web.shell.size_limits import accepts_file

if TYPE_CHECKING:
    from appliance.models import PromptVersion, User

screen = Blueprint("prompts", __name__, url_prefix="/prompts")

MAX_FILE_BYTES = 32 * 1024 * 1024  # of an uploaded file
# By how a sound was made: its name, the badge's kind, the icon.
SOUND_KINDS: dict[str, tuple[LazyString, str, str]] = {
    "synthetic": (_l("Synthetic voice"), "warn", "bot"),
    "studio": (_l("Recording"), "ok", "mic"),
    "phone": (_l("Recorded by phone"), "ok", "phone"),
}
TROUBLES: dict[str, LazyString] = {
    "unreadable": _l("This sound could not be read. Use a WAV, FLAC, MP3, OGG or Opus file."),
    "silent": _l("The recording is silent. Check whether the microphone was on."),
    "clipped": _l("The recording is too loud and distorted. Record it again, more softly."),
    "short": _l("The recording is too short to be speech."),
    "long": _l("The recording is longer than two minutes."),
    "text": _l("Type the text to be spoken."),
    "wordy": _l("The text is too long: a prompt lasts at most two minutes. Shorten it."),
    "unspoken": _l("The synthetic voice cannot speak this text. Write it differently."),
}
_PROMPT_CONVERTERS = "<any(uz, ru):language>/<path:name>"


@screen.get("")
@may("prompt.change")
def list_prompts() -> str:
    """Show the prompts of one language (parameter `language`).

    With `part=numbers`, these are the parts of spoken numbers and dates, otherwise the phrases.
    """
    language = base_language(request.args.get("language"))
    all_prompts = prompts.list_prompts(site().paths.prompts, language)
    is_numbers = request.args.get("part") == "numbers"
    displayed = [p for p in all_prompts if p.name.startswith(prompts.NUMBER_PREFIX) == is_numbers]
    return render_template(
        "prompts/list.html",
        language=language,
        numbers=is_numbers,
        prompts=displayed,
        title=prompt_title,
        synthetic=sum(p.kind == "synthetic" for p in all_prompts),
        total=len(all_prompts),
        kinds=SOUND_KINDS,
        languages_spoken=CALL_LANGUAGES,
    )


@screen.get(f"/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def show_prompt(language: str, name: str) -> str:
    """Show one prompt with its versions."""
    refusal = refusals.latest_refusal()
    trouble, typed = TROUBLES.get(refusal.trouble), refusal.values.get("text")
    context = _prompt_context(language, name)
    return render_template(
        "prompts/page.html", trouble=trouble, typed=typed, largest=MAX_FILE_BYTES, **context
    )


@screen.get(f"/versions/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def show_versions(language: str, name: str) -> str:
    """Show a prompt's versions as a fragment of the open page."""
    return render_template("prompts/versions.html", **_prompt_context(language, name))


@screen.get(f"/sound/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def play_sound(language: str, name: str) -> Response:
    """Send the sound of the version in force, or of the one that the parameter `version` gives."""
    folder = site().paths.prompts
    file = prompts.sound_file(folder, language, name, request.args.get("version", 0, parse_count))
    if not file:
        abort(404)
    return send_file(file, mimetype="audio/wav", conditional=True)


@screen.post(f"/speak/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def speak_text(language: str, name: str) -> Response:
    """Create a version by synthesizing the typed text; it is not in force yet."""
    text = request.form.get("text", "")
    if not text.strip():
        return _redirect_refused(language, name, "text")
    _prompt_or_404(language, name)
    try:
        version = prompts.speak_text(
            site().paths.prompts, language, name, text, me().login, in_force=False
        )
    except Refused as error:
        return _redirect_refused(
            language, name, error.code if error.code == "wordy" else "unspoken"
        )
    _flash_version_ready(version)
    return _redirect_to_prompt(language, name)


@screen.post(f"/upload/{_PROMPT_CONVERTERS}")
@accepts_file(MAX_FILE_BYTES + 1024 * 1024)
@may("prompt.change")
def upload_recording(language: str, name: str) -> Response:
    """Create a version from an uploaded recording; it is not in force yet."""
    prompt = _prompt_or_404(language, name)
    text = request.form.get("text", "").strip() or prompt.text
    recording = request.files.get("recording")
    if not recording or not recording.filename:
        return _redirect_refused(language, name, "unreadable")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "sent"
        recording.save(source)
        try:
            version = prompts.import_recording(
                site().paths.prompts,
                language,
                name,
                source,
                kind="studio",
                text=text,
                by=me().login,
                in_force=False,
            )
        except Refused as error:
            return _redirect_refused(language, name, error.code)
    _flash_version_ready(version)
    return _redirect_to_prompt(language, name)


@screen.post(f"/record/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def record_by_phone(language: str, name: str) -> Response:
    """Ring the phone of the operator with `extension`, on which the prompt can then be recorded.

    Aborts with 422 if no operator has that extension.
    """
    _prompt_or_404(language, name)
    extension = request.form.get("extension", "")
    if extension not in {user.extension for user in _phone_users()}:
        abort(422)
    try:
        actions.record_prompt(
            site(),
            extension,
            file=prompts.new_recording_path(site().paths.prompts, language, name),
            language=language,
            name=name,
            login=me().login,
        )
    except (actions.Unreachable, actions.ActionRefused):
        flash(_("The exchange does not answer. Try again later."))
        return _redirect_to_prompt(language, name)
    flash(
        _(
            "The phone %(extension)s is ringing. Pick it up and follow the voice.",
            extension=extension,
        )
    )
    return _redirect_to_prompt(language, name)


@screen.post(f"/choose/{_PROMPT_CONVERTERS}")
@may("prompt.change")
def put_version_in_force(language: str, name: str) -> Response:
    """Put a version of a prompt in force."""
    before = _prompt_or_404(language, name)
    number = request.form.get("version", 0, parse_count)
    if not prompts.choose_version(site().paths.prompts, language, name, number, me().login):
        abort(404)
    old_fields, new_fields = (
        {"text": prompt.text, "version": str(prompt.version or "")}
        for prompt in (before, _prompt_or_404(language, name))
    )
    changes.link_to_request("prompt", f"{language}/{name}", name, old_fields, new_fields)
    flash(_("Version %(number)s is in force.", number=number))
    return _redirect_to_prompt(language, name)


def _flash_version_ready(version: "PromptVersion") -> None:
    """Show the message that a new version is ready and can be listened to."""
    flash(
        _("Version %(number)s is ready: listen to it, then put it in force.", number=version.number)
    )


def _prompt_or_404(language: str, name: str) -> prompts.PromptInfo:
    """Return the prompt with this name; abort with 404 if there is no such prompt."""
    prompt = prompts.find_prompt(site().paths.prompts, language, name)
    if not prompt:
        abort(404)
    return prompt


def _redirect_refused(language: str, name: str, trouble: str) -> Response:
    """Redirect to the prompt's page, which shows the text for this code of trouble."""
    return refusals.redirect_back(
        url_for("prompts.show_prompt", language=language, name=name), trouble
    )


def _prompt_context(language: str, name: str) -> dict[str, Any]:
    """Return the template context of the page of a prompt; abort with 404 if it is missing."""
    return {
        "prompt": _prompt_or_404(language, name),
        "versions": prompts.list_versions(language, name),
        "phones": _phone_users(),
        "names": accounts.display_names(locale()),
        "title": prompt_title,
        "kinds": SOUND_KINDS,
        "troubles": TROUBLES,
        "languages_spoken": CALL_LANGUAGES,
    }


def _phone_users() -> "list[User]":
    """Return the operators whose phones may be rung for a recording, the current user first."""
    return sorted(
        accounts.active_operators(), key=lambda user: (user.login != me().login, user.extension)
    )


def _redirect_to_prompt(language: str, name: str) -> Response:
    """Redirect to the prompt's page."""
    return redirect(url_for("prompts.show_prompt", language=language, name=name))
