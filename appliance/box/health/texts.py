"""The translation catalogues of pages, alarms and messages; without them, texts are English."""

from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.core import i18n
from appliance.core.i18n import N_
from appliance.core.settings import Settings


def check_catalogues(settings: Settings) -> Iterator[Check]:
    """Check that the catalogue of each language exists."""
    code, name = "texts", N_("Texts in each language")
    if missing := i18n.missing_catalogues():
        advice = N_("Reinstall this release: `{folder}` lacks files.")
        values = {"names": ", ".join(missing), "folder": str(i18n.CATALOGUES)}
        yield Check(code, name, "fail", N_("missing or damaged: {names}"), advice, values)
    else:
        yield Check(code, name, "ok", N_("all present"))
