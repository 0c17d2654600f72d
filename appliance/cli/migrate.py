"""`appliance migrate`."""

import click

from appliance.casework import appeals, catalogs, forms, knowledge, search
from appliance.casework.scripts import seeding
from appliance.cli.context import Site, pass_site
from appliance.core import db
from appliance.people import pauses


@click.command()
@pass_site
def migrate(site: Site) -> None:
    """Bring the database to the newest schema, after an online copy, and fill empty lists."""
    site.open()
    try:
        applied = db.migrate()
    except db.NewerSchema as error:
        advice = "install that release or a newer one; nothing was changed"
        raise click.ClickException(f"{error}; {advice}") from error
    for name in applied:
        click.echo(name)
    if added := catalogs.seed():
        click.echo(f"{added} rows of the lists that come along")
    forms.seed()
    knowledge.seed()
    for form, version in forms.take_in():
        click.echo(f"form {form} is version {version}, with what this release brings")
    seeding.seed()
    pauses.seed()
    if given := appeals.begin_missing(catalogs.working_calendar(site.settings)):
        click.echo(f"{given} appeals given their deadlines")
    if put := search.fill():
        click.echo(f"{put} entries put into the index of the search")
