"""`appliance form`: forms are exported and imported as documents."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.casework import forms
from appliance.casework.forms import editing
from appliance.cli import appliance
from appliance.core import db

TOML = Path(forms.versions.__file__).parents[2] / "data" / "forms" / "1.toml"
ADDED = """
[[fields]]
name = "household"
kind = "list"
list = "group"
topics = ["subsidies"]
label = { uz_Latn = "Oila", uz_Cyrl = "Оила", ru = "Семья" }

[[fields]]
name = "remark"
kind = "comment"
label = { uz_Latn = "Izoh", uz_Cyrl = "Изоҳ", ru = "Заметка" }
"""


@pytest.fixture
def run(settings):
    """Run `appliance form …` on the site."""

    def run_form(*args: object) -> Result:
        arguments = ["--config", str(settings.file), "form", *map(str, args)]
        result = CliRunner().invoke(appliance, arguments)
        db.open_database(settings.paths.database)
        return result

    return run_form


def test_an_imported_form_becomes_a_draft_and_exports_unchanged(run, tmp_path) -> None:
    file = tmp_path / "form.toml"
    file.write_text(TOML.read_text("utf-8") + ADDED, "utf-8")
    result = run("import", file, "--form", "1")
    assert (result.exit_code, result.output) == (0, "2\n")
    row = editing.pending_version(forms.APPEAL_FORM)
    assert row
    definition = forms.stored_definition(row)
    assert not forms.definition_in_force(forms.APPEAL_FORM).find_field("household")
    assert (definition.find_field("remark") or definition.fields[0]).max_length == 2000
    editing.publish_draft(forms.APPEAL_FORM, None, editing.version_fingerprint(row), "sherzod")
    out = tmp_path / "out.json"
    out.write_text(run("export", "1").output, "utf-8")
    document = json.loads(out.read_text("utf-8"))
    assert document["form"] == "1"
    assert run("import", out).output == "3\n"
    again = editing.pending_version(forms.APPEAL_FORM)
    assert again
    assert forms.stored_definition(again).fields == definition.fields


def test_the_forms_and_their_fields_are_listed(run) -> None:
    listed = json.loads(run("list", "--json").output)
    assert [(row["form"], row["version"], row["fields"]) for row in listed] == [
        ("1", 1, 22),
        ("2", 1, 10),
    ]
    fields = json.loads(run("show", "2", "--json").output)
    assert fields[0]["name"] == "surname"
    assert fields[0]["personal"]
    assert len(run("show", "1").output.splitlines()) == 22
    assert run("show", "3").exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "neither JSON nor TOML"),
        ("[1]", "an object with title and fields"),
        ('{"form": "9"}', "say which form"),
        ('{"form": "1", "fields": []}', "1 to 60 fields"),
        ('{"form": "1", "title": {}, "fields": [{"name": "a"}]}', "uz_Latn, uz_Cyrl, ru"),
        (
            '{"form": "1", "title": {"uz_Latn": "x", "uz_Cyrl": "x", "ru": "x"},'
            ' "fields": [{"name": "\\ud800"}]}',
            "small Latin letters",
        ),
    ],
)
def test_an_invalid_file_is_reported_and_changes_nothing(run, tmp_path, text, message) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text, "utf-8")
    result = run("import", file)
    assert result.exit_code == 1, result.output
    assert message in result.output
    assert editing.pending_version(forms.APPEAL_FORM) is None


def test_an_import_without_a_built_in_field_is_refused(run, tmp_path) -> None:
    document = json.loads(run("export", "1").output)
    document["fields"].pop(0)
    file = tmp_path / "1.json"
    file.write_text(json.dumps(document), "utf-8")
    result = run("import", file)
    assert result.exit_code == 1
    assert "this field comes with the product" in result.output
    assert "applicant_kind" in result.output
