"""The links to the outside, and the hotline's tests of itself."""

from collections.abc import Iterator

from appliance import links as watched
from appliance import selftests
from appliance.health.looking import N_, Check
from appliance.links import looking
from appliance.settings import Settings


def links(settings: Settings) -> Iterator[Check]:
    """Every link that is watched works."""
    now = watched.current(settings)
    for name, going in now.items():
        if going and going.up:
            continue
        title, values = watched.title(name)
        seen, advice = watched.unseen(name)
        if going:
            seen, advice = N_("down since {moment}"), watched.advice(name)
        yield Check(
            f"link.{name}",
            title.format(**values) if values["account"] else title,
            "fail" if going else "warn",
            seen,
            advice,
            {"moment": f"{going.since.astimezone(settings.tz):%d.%m.%Y %H:%M}" if going else ""},
        )
    if not looking.own_name_is_known():
        yield Check(
            "own_name",
            N_("Name of the box"),
            "warn",
            N_("is not in /etc/hosts with an IPv4 and an IPv6 address"),
            N_("Add it there: without DNS, Asterisk waits for it at its start."),
        )
    if now and all(going and going.up for going in now.values()):
        yield Check("links", N_("Links"), "ok", N_("all work"))


def self_tests(settings: Settings) -> Iterator[Check]:
    """The last test call and the last drill passed."""
    names = {"call": N_("Test call"), "offline": N_("Drill without the internet")}
    for kind, name in names.items():
        if not (last := selftests.latest(kind)):
            continue
        code, local = f"self_test.{kind}", last.started_at.astimezone(settings.tz)
        values = {"moment": f"{local:%d.%m.%Y %H:%M}", "seen": last.seen}
        if not last.ok:
            advice = N_("Seen: {seen} ({moment}). See the page Links and tests for the steps.")
            yield Check(code, name, "fail", selftests.FAILURES[last.failed], advice, values)
        elif selftests.is_late(settings, last):
            advice = N_("Look whether `appliance jobs` runs.")
            yield Check(code, name, "warn", N_("last run {moment}"), advice, values)
        else:
            yield Check(code, name, "ok", N_("passed, {moment}"), values=values)
