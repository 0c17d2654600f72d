"""`appliance retention`: masks after a restore, and a database without what was masked."""

import json
from pathlib import Path

from click.testing import CliRunner

from appliance.casework import appeals
from appliance.cli import appliance
from appliance.core import db
from appliance.core.settings import Settings
from appliance.models import Appeal
from tests.box import retained


def run(settings: Settings, *words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(appliance, ["--config", str(settings.file), *map(str, words)])
    db.open_database(settings.paths.database)
    return done.exit_code, done.output


def test_a_file_of_masks_is_masked_again(settings, nilufar, bahodir, tmp_path) -> None:
    made = retained.register(settings, nilufar)
    today = made.registered_at
    retained.close(made, today)
    file = tmp_path / "masked.jsonl"
    row = {"kind": "appeal_person", "subject": made.number, "rule": "data_request=1"}
    file.write_text(json.dumps(row) + "\n")
    assert run(settings, "retention", "mask-again", file) == (0, "1 records masked again\n")
    assert Appeal.get_by_id(made.id).surname == ""
    assert run(settings, "retention", "mask-again", file) == (0, "0 records masked again\n")


def test_the_file_is_written_anew(settings, nilufar) -> None:
    token = appeals.token_for(nilufar, None)
    appeals.save_draft(nilufar, token, {"gist": "Kanareyka" * 2000})
    appeals.discard_draft(nilufar, token)
    before = settings.paths.database.stat().st_size
    assert run(settings, "retention", "scrub") == (0, "done\n")
    assert settings.paths.database.stat().st_size <= before
    assert b"Kanareyka" not in settings.paths.database.read_bytes()
