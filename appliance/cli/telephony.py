"""`appliance pbx`, `render`, `trunk`, `prompts`, `operator`: commands that control Asterisk."""

import sys
from collections.abc import Callable
from functools import partial

import click

from appliance.cli.context import Site, as_json, pass_site, print_rows
from appliance.pbx import actions, config, process
from appliance.people import accounts, presence
from appliance.telephony import prompts as spoken


@click.command()
@pass_site
def pbx(site: Site) -> None:
    """Import Asterisk's event log into the ledger, and set its queues to the operators' states."""
    process.run(site.open_database())


@click.command()
@click.option("--reload/--no-reload", default=True, help="Reload the running Asterisk with it.")
@pass_site
def render(site: Site, reload: bool) -> None:
    """Write Asterisk's configuration, after a test by a second Asterisk."""
    settings = site.open_database()
    ami_secret = config.ami_secret(settings)
    try:
        changed = config.install_files(settings)
    except config.ConfigError as error:
        raise click.ClickException(f"left as it was; Asterisk says: {error}") from error
    for name in changed:
        click.echo(name)
    if changed and reload:
        _run_action(partial(actions.reload_asterisk, settings, ami_secret))


@click.group()
def trunk() -> None:
    """Lines to the carriers."""


@trunk.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@pass_site
def password(site: Site, name: str, password_stdin: bool) -> None:
    """Activate a new password of a trunk's account, once the carrier has it."""
    settings = site.open_database()
    if password_stdin:
        new_password = sys.stdin.readline().rstrip("\n")
    else:
        new_password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        _run_action(lambda: actions.change_trunk_password(settings, name, new_password, "cli"))
    except LookupError as error:
        raise click.ClickException(f"no trunk with an account: {name}") from error
    except actions.PlanRejected as error:
        raise click.ClickException(f"left as it was; Asterisk says: {error}") from error


@click.group()
def prompts() -> None:
    """Prompts played to callers."""


@prompts.command()
@pass_site
def synthesise(site: Site) -> None:
    """Synthesise every text that has no studio recording."""
    settings = site.open_database()
    folder = settings.paths.prompts
    for file in (*spoken.synthesise_prompts(folder), *spoken.update_plan_prompts(folder)):
        click.echo(file)
    spoken.link_for_asterisk(folder, settings.asterisk.data)


@click.group()
def operator() -> None:
    """Operators' states: ready, pause, back office or off."""


@operator.command("list")
@as_json
@pass_site
def list_operators(site: Site, as_json: bool) -> None:
    """List every operator with their current state."""
    site.open_database()
    states = presence.states_by_login()
    print_rows(
        (
            {
                "login": user.login,
                "name": user.name,
                "extension": user.extension,
                "speaks": user.speaks,
                "state": states[user.login],
            }
            for user in accounts.active_operators()
        ),
        as_json,
    )


def _state_command(state: str) -> click.Command:
    name = state.replace("_", "-")

    @click.command(name, help=f"Set operators' state to {name}.")
    @click.argument("logins", nargs=-1, required=True)
    @pass_site
    def set_state(site: Site, logins: tuple[str, ...]) -> None:
        settings = site.open_database()
        users = {user.login: user for user in accounts.active_operators()}
        for login in logins:
            if login not in users:
                raise click.ClickException(f"no such operator: {login}")
        for login in logins:
            _run_action(partial(actions.choose_state, settings, users[login], state))

    return set_state


for _state in presence.STATES:
    operator.add_command(_state_command(_state))


def _run_action(action: Callable[[], object]) -> None:
    try:
        action()
    except (actions.Unreachable, actions.ActionRefused) as error:
        raise click.ClickException(f"saved, but Asterisk does not answer: {error}") from error
