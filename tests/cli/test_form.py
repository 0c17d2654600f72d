"""`appliance form`: the forms as documents, in and out."""

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

    def ran(*args: object) -> Result:
        sent = ["--config", str(settings.file), "form", *map(str, args)]
        result = CliRunner().invoke(appliance, sent)
        db.open_database(settings.paths.database)
        return result

    return ran


def test_a_form_goes_out_and_comes_in_as_a_draft(run, tmp_path) -> None:
    file = tmp_path / "form.toml"
    file.write_text(TOML.read_text("utf-8") + ADDED, "utf-8")
    result = run("import", file, "--form", "1")
    assert (result.exit_code, result.output) == (0, "2\n")
    row = editing.pending(forms.APPEAL)
    assert row
    made = forms.definition_of(row)
    assert not forms.in_force(forms.APPEAL).field("household")
    assert (made.field("remark") or made.fields[0]).longest == 2000
    editing.put_in_force(forms.APPEAL, None, editing.mark(row), "sherzod")
    out = tmp_path / "out.json"
    out.write_text(run("export", "1").output, "utf-8")
    document = json.loads(out.read_text("utf-8"))
    assert document["form"] == "1"
    assert run("import", out).output == "3\n"
    again = editing.pending(forms.APPEAL)
    assert again
    assert forms.definition_of(again).fields == made.fields


def test_the_forms_and_their_fields_are_listed(run) -> None:
    listed = json.loads(run("list", "--json").output)
    assert [(one["form"], one["version"], one["fields"]) for one in listed] == [
        ("1", 1, 22),
        ("2", 1, 10),
    ]
    shown = json.loads(run("show", "2", "--json").output)
    assert shown[0]["name"] == "surname"
    assert shown[0]["personal"]
    assert len(run("show", "1").output.splitlines()) == 22
    assert run("show", "3").exit_code == 2


@pytest.mark.parametrize(
    ("text", "told"),
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
def test_a_wrong_file_is_told_and_changes_nothing(run, tmp_path, text, told) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text, "utf-8")
    result = run("import", file)
    assert result.exit_code == 1, result.output
    assert told in result.output
    assert editing.pending(forms.APPEAL) is None


def test_the_products_fields_must_all_be_there(run, tmp_path) -> None:
    document = json.loads(run("export", "1").output)
    document["fields"].pop(0)
    file = tmp_path / "1.json"
    file.write_text(json.dumps(document), "utf-8")
    result = run("import", file)
    assert result.exit_code == 1
    assert "this field comes with the product" in result.output
    assert "applicant_kind" in result.output
