"""A product release that changes a form is merged into sites with their own versions of it."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.casework import call_forms, forms
from appliance.casework.forms import drafts, editing, versions
from appliance.cli import appliance
from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.models import AuditEntry, CallForm, FormVersion
from tests.casework.test_appeals import TZ
from tests.casework.test_form_editing import (
    FIELD_LABELS,
    add_field,
    draft_mark,
    pending_draft,
    release_draft,
)
from tests.rig.appeals import create_call, start_talk

NEW_FIELD = """
[[fields]]
name = "heard_of_us"
kind = "choice"
label.uz_Latn = "Qayerdan eshitgan"
label.uz_Cyrl = "Қаердан эшитган"
label.ru = "Откуда узнали"
options = [
  { code = "tv", uz_Latn = "Televizor", uz_Cyrl = "Телевизор", ru = "Телевидение" },
  { code = "friend", uz_Latn = "Tanish", uz_Cyrl = "Таниш", ru = "Знакомые" },
]
"""


@pytest.fixture
def release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """Install a release whose form №2 has a new field after the address, now required."""

    def install_release() -> list[tuple[str, int]]:
        folder = tmp_path / "forms"
        folder.mkdir(exist_ok=True)
        for form in forms.FORMS:
            text = (versions._PRODUCT_FORMS_DIRECTORY / f"{form}.toml").read_text(encoding="utf-8")
            if form == forms.CALL_FORM and "heard_of_us" not in text:
                head, *entries = text.split("[[fields]]\n")
                address_index = next(n for n, entry in enumerate(entries) if '"address"' in entry)
                entries[address_index] = (
                    entries[address_index].rstrip() + "\nrequired = true\n" + NEW_FIELD + "\n"
                )
                text = head + "".join(f"[[fields]]\n{entry}" for entry in entries)
            (folder / f"{form}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(versions, "_PRODUCT_FORMS_DIRECTORY", folder)
        clear_form_caches()
        return forms.apply_product_release()

    yield install_release
    monkeypatch.undo()
    clear_form_caches()


def clear_form_caches() -> None:
    versions.product_definition.cache_clear()
    versions.column_value_names.cache_clear()


def field_names(form: str = forms.CALL_FORM) -> list[str]:
    return [field.name for field in forms.definition_in_force(form).fields]


def register_call_form(operator, number: str, **values: str) -> CallForm:
    call = create_call(number)
    start_talk(operator, call)
    token = drafts.token_for(operator, call)
    return call_forms.register(values, operator=operator, token=token, tz=TZ)


def test_a_site_without_changes_receives_the_form_as_shipped(settings, release) -> None:
    assert forms.apply_product_release() == []
    before = field_names()
    assert release() == [(forms.CALL_FORM, 2)]
    definition = forms.definition_in_force(forms.CALL_FORM)
    assert definition.fields == forms.product_definition(forms.CALL_FORM).fields
    assert field_names()[field_names().index("address") + 1] == "heard_of_us"
    assert [name for name in field_names() if name != "heard_of_us"] == before
    assert forms.apply_product_release() == []
    assert FormVersion.select().where(FormVersion.form == forms.APPEAL_FORM).count() == 1
    entry = AuditEntry.select().where(AuditEntry.action == "form.release").get()
    assert (entry.who, entry.subject, entry.detail["new"]) == ("migrate", "2", ["heard_of_us"])


def test_the_sites_changes_to_its_form_survive_a_release(settings, nilufar, release) -> None:
    site_field = add_field(forms.CALL_FORM)
    words = {"label": FIELD_LABELS, "help": {"ru": "Подсказка"}, "required": False}
    editing.change_field(forms.CALL_FORM, "address", words, draft_mark(forms.CALL_FORM), "sherzod")
    editing.move_field(forms.CALL_FORM, "address", False, draft_mark(forms.CALL_FORM), "sherzod")
    release_draft(forms.CALL_FORM)
    names_before = field_names()
    before = register_call_form(nilufar, "1.1", address="Registon 5", **{site_field: "student"})
    values_before = call_forms.call_form_values(before)

    assert release() == [(forms.CALL_FORM, 3)]
    definition = forms.definition_in_force(forms.CALL_FORM)
    assert [name for name in field_names() if name != "heard_of_us"] == names_before
    assert field_names()[field_names().index("address") + 1] == "heard_of_us"
    address = definition.find_field("address")
    assert address
    assert (address.label["ru"], address.localized_help("ru"), address.required) == (
        FIELD_LABELS["ru"],
        "Подсказка",
        True,
    )
    assert call_forms.call_form_values(CallForm.get_by_id(before.id)) == values_before
    assert before.version == 2

    now = register_call_form(nilufar, "1.2", heard_of_us="tv", **{site_field: "student"})
    assert now.version == 3
    assert now.extra["heard_of_us"]["code"] == "tv"
    fields = call_forms.field_values(forms.numbered_definition(forms.CALL_FORM, 3), now, "ru")
    assert fields["heard_of_us"] == {"code": "tv", "text": "Телевидение"}
    assert ("2", "heard_of_us") in [(form, field.name) for form, field in forms.counted_fields()]
    pending_draft(forms.CALL_FORM)  # people can change it further
    with pytest.raises(Refused, match="product"):
        editing.remove_field(forms.CALL_FORM, "heard_of_us", draft_mark(forms.CALL_FORM), "sherzod")
    editing.move_field(forms.CALL_FORM, "heard_of_us", True, draft_mark(forms.CALL_FORM), "sherzod")
    release_draft(forms.CALL_FORM)
    assert forms.apply_product_release() == []


def test_a_draft_stays_the_newest_version_and_can_be_released(settings, release) -> None:
    site_field = add_field(forms.CALL_FORM)
    assert release() == [(forms.CALL_FORM, 2)]
    row = editing.pending_version(forms.CALL_FORM)
    assert row
    assert (row.number, row.since) == (3, None)
    assert {site_field, "heard_of_us"} <= forms.stored_definition(row).value_names
    assert site_field not in field_names()
    release_draft(forms.CALL_FORM)
    assert {site_field, "heard_of_us"} <= set(field_names())


def test_a_planned_version_takes_effect_at_its_time_after_a_release(
    settings, release, monkeypatch
) -> None:
    site_field = add_field(forms.CALL_FORM)
    later = clock.now() + dt.timedelta(hours=3)
    editing.publish_draft(forms.CALL_FORM, later, draft_mark(forms.CALL_FORM), "sherzod")
    release()
    assert site_field not in field_names()
    assert "heard_of_us" in field_names()
    moved = later + dt.timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: moved)
    assert {site_field, "heard_of_us"} <= set(field_names())
    assert forms.apply_product_release() == []


def test_an_earlier_version_is_restored_with_the_new_fields(settings, release) -> None:
    add_field(forms.CALL_FORM)
    release_draft(forms.CALL_FORM)
    release()
    editing.begin_draft(forms.CALL_FORM, "sherzod", 1)
    release_draft(forms.CALL_FORM)
    assert field_names() == [
        field.name for field in forms.product_definition(forms.CALL_FORM).fields
    ]


def test_the_migration_reports_the_new_form_version(settings, release) -> None:
    release()
    FormVersion.delete().where(FormVersion.number == 2).execute()
    result = CliRunner().invoke(appliance, ["--config", str(settings.file), "migrate"])
    assert result.exit_code == 0, result.output
    assert "form 2 is version 2, with what this release brings" in result.output


def test_every_built_in_field_has_a_column(settings) -> None:
    for form in forms.FORMS:
        assert forms.column_value_names(form) == forms.product_definition(form).value_names
