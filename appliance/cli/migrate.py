"""`appliance migrate`."""

import click

from appliance.casework import catalogs, forms, search
from appliance.casework.appeals import handling
from appliance.casework.knowledge.seeding import seed_articles
from appliance.casework.scripts import seeding
from appliance.cli.context import Site, pass_site
from appliance.core import schema
from appliance.people import pauses


@click.command()
@pass_site
def migrate(site: Site) -> None:
    """Bring the database to the newest schema, after an online copy, and fill empty lists."""
    site.open_database()
    try:
        applied = schema.apply_migrations()
    except schema.UnsupportedSchema as error:
        raise click.ClickException(f"{error}; nothing was changed") from error
    for name in applied:
        click.echo(name)
    if added := catalogs.seed_lists():
        click.echo(f"{added} rows of the lists that come along")
    forms.seed_product_forms()
    seed_articles()
    for form, version in forms.apply_product_release():
        click.echo(f"form {form} is version {version}, with what this release brings")
    seeding.seed_product_script()
    pauses.seed_limits()
    if deadline_count := handling.start_missing_handling(catalogs.working_calendar(site.settings)):
        click.echo(f"{deadline_count} appeals given their deadlines")
    if entry_count := search.fill_empty_kinds():
        click.echo(f"{entry_count} entries put into the index of the search")
