"""`appliance pbx`, `render`, `trunk`, `prompts`, `operator`: what has to do with Asterisk."""

import sys
from collections.abc import Callable
from functools import partial

import click

from appliance.cli.context import Site, as_json, pass_site, show
from appliance.pbx import actions, config, process
from appliance.people import accounts, presence
from appliance.telephony import prompts as spoken


@click.command()
@pass_site
def pbx(site: Site) -> None:
    """Follow Asterisk's event log into the ledger, and keep its queues as operators chose."""
    process.run(site.open())


@click.command()
@click.option("--reload/--no-reload", default=True, help="Put it in force in a running Asterisk.")
@pass_site
def render(site: Site, reload: bool) -> None:
    """Write Asterisk's configuration, tried out by a second Asterisk first."""
    settings = site.open()
    asked = config.ami_secret(settings)
    try:
        changed = config.install(settings)
    except config.ConfigError as error:
        raise click.ClickException(f"left as it was; Asterisk says: {error}") from error
    for name in changed:
        click.echo(name)
    if changed and reload:
        _reach(partial(actions.reload, settings, asked))


@click.group()
def trunk() -> None:
    """Lines to the carriers."""


@trunk.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@pass_site
def password(site: Site, name: str, password_stdin: bool) -> None:
    """Put another password of a trunk's account in force, once the carrier has it."""
    settings = site.open()
    if password_stdin:
        given = sys.stdin.readline().rstrip("\n")
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        _reach(lambda: actions.change_trunk(settings, name, given, "cli"))
    except LookupError as error:
        raise click.ClickException(f"no trunk with an account: {name}") from error
    except actions.NotTaken as error:
        raise click.ClickException(f"left as it was; Asterisk says: {error}") from error


@click.group()
def prompts() -> None:
    """What callers hear."""


@prompts.command()
@pass_site
def synthesise(site: Site) -> None:
    """Speak every text that has no studio recording."""
    settings = site.open()
    folder = settings.paths.prompts
    for file in (*spoken.synthesise(folder), *spoken.follow_plan(folder)):
        click.echo(file)
    spoken.show_to_asterisk(folder, settings.asterisk.data)


@click.group()
def operator() -> None:
    """Operators' states: ready, pause, back office or off."""


@operator.command("list")
@as_json
@pass_site
def list_operators(site: Site, as_json: bool) -> None:
    """Every operator with the state in force."""
    site.open()
    states = presence.states()
    show(
        (
            {
                "login": user.login,
                "name": user.name,
                "extension": user.extension,
                "speaks": user.speaks,
                "state": states[user.login],
            }
            for user in accounts.operators()
        ),
        as_json,
    )


def _choose(state: str) -> click.Command:
    name = state.replace("_", "-")

    @click.command(name, help=f"Set operators' state to {name}.")
    @click.argument("logins", nargs=-1, required=True)
    @pass_site
    def choose(site: Site, logins: tuple[str, ...]) -> None:
        settings = site.open()
        users = {user.login: user for user in accounts.operators()}
        for login in logins:
            if login not in users:
                raise click.ClickException(f"no such operator: {login}")
        for login in logins:
            _reach(partial(actions.choose_state, settings, users[login], state))

    return choose


for _state in presence.STATES:
    operator.add_command(_choose(_state))


def _reach(action: Callable[[], object]) -> None:
    try:
        action()
    except (actions.Unreachable, actions.Refused) as error:
        raise click.ClickException(
            f"written down, but Asterisk does not answer: {error}"
        ) from error
