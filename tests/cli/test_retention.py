"""`appliance retention`: masks are applied after a restore, masked data leaves the file."""

import json
from pathlib import Path

from click.testing import CliRunner

from appliance.casework.forms import drafts
from appliance.cli import appliance
from appliance.core import db
from appliance.core.settings import Settings
from appliance.models import Appeal
from tests.box import retained


def run_command(settings: Settings, *arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(appliance, ["--config", str(settings.file), *map(str, arguments)])
    db.open_database(settings.paths.database)
    return done.exit_code, done.output


def test_the_masks_of_a_file_are_applied_once_more(settings, nilufar, bahodir, tmp_path) -> None:
    appeal = retained.register_appeal(settings, nilufar)
    today = appeal.registered_at
    retained.close_appeal(appeal, today)
    file = tmp_path / "masked.jsonl"
    row = {"kind": "appeal_person", "subject": appeal.number, "rule": "data_request=1"}
    file.write_text(json.dumps(row) + "\n")
    assert run_command(settings, "retention", "mask-again", file) == (0, "1 records masked again\n")
    assert Appeal.get_by_id(appeal.id).surname == ""
    assert run_command(settings, "retention", "mask-again", file) == (0, "0 records masked again\n")


def test_scrubbing_rewrites_the_database_file(settings, nilufar) -> None:
    token = drafts.token_for(nilufar, None)
    drafts.save_draft(nilufar, token, {"gist": "Kanareyka" * 2000})
    drafts.discard_draft(nilufar, token)
    before = settings.paths.database.stat().st_size
    assert run_command(settings, "retention", "scrub") == (0, "done\n")
    assert settings.paths.database.stat().st_size <= before
    assert b"Kanareyka" not in settings.paths.database.read_bytes()
