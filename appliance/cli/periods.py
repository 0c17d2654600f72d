"""The options --from and --to of commands that work on a period."""

import datetime as dt
from typing import Any

import click

from appliance.cli.context import Site


class Moment(click.ParamType[dt.datetime]):
    """A parameter that is an ISO 8601 datetime or date, in the site's time zone by default.

    `last`: it is the end of a period, so that a date includes the whole day.
    """

    name = "moment"

    def __init__(self, *, last: bool = False) -> None:
        self.last = last

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"not a date or moment: {value}", param, ctx)
        if self.last and len(value) <= len("2026-10-31"):
            moment += dt.timedelta(days=1)
        if moment.tzinfo is None:
            site = ctx.find_object(Site) if ctx else None
            moment = moment.replace(tzinfo=site.settings.tz if site else dt.UTC)
        return moment


from_option = click.option("--from", "begin", type=Moment(), required=True)
to_option = click.option("--to", "end", type=Moment(last=True), required=True)
