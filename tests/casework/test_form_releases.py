"""A release of the product that changes a form: sites with versions of their own get it too."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.casework import appeals, call_forms, forms
from appliance.casework.forms import editing, versions
from appliance.cli import appliance
from appliance.core import clock
from appliance.models import AuditEntry, CallForm, FormVersion
from tests.casework.test_appeals import TZ, a_call, speaks
from tests.casework.test_form_editing import WORDS, add, draft, put, seen

NEW = """
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
    """Install a release that asks one field more on form №2, behind the address, and has a star."""

    def install() -> list[tuple[str, int]]:
        folder = tmp_path / "forms"
        folder.mkdir(exist_ok=True)
        for form in forms.FORMS:
            text = (versions._FILES / f"{form}.toml").read_text(encoding="utf-8")
            if form == forms.CALL and "heard_of_us" not in text:
                head, *entries = text.split("[[fields]]\n")
                at = next(n for n, entry in enumerate(entries) if '"address"' in entry)
                entries[at] = entries[at].rstrip() + "\nrequired = true\n" + NEW + "\n"
                text = head + "".join(f"[[fields]]\n{entry}" for entry in entries)
            (folder / f"{form}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(versions, "_FILES", folder)
        forget()
        return forms.take_in()

    yield install
    monkeypatch.undo()
    forget()


def forget() -> None:
    versions.product.cache_clear()
    versions.columns.cache_clear()


def names(form: str = forms.CALL) -> list[str]:
    return [field.name for field in forms.in_force(form).fields]


def register(operator, number: str, **values: str) -> CallForm:
    call = a_call(number)
    speaks(operator, call)
    token = appeals.token_for(operator, call)
    return call_forms.register(values, operator=operator, token=token, tz=TZ)


def test_a_site_that_changed_nothing_has_the_form_as_it_comes(settings, release) -> None:
    assert forms.take_in() == []
    before = names()
    assert release() == [(forms.CALL, 2)]
    made = forms.in_force(forms.CALL)
    assert made.fields == forms.product(forms.CALL).fields
    assert names()[names().index("address") + 1] == "heard_of_us"
    assert [name for name in names() if name != "heard_of_us"] == before
    assert forms.take_in() == []
    assert FormVersion.select().where(FormVersion.form == forms.APPEAL).count() == 1
    entry = AuditEntry.select().where(AuditEntry.action == "form.release").get()
    assert (entry.who, entry.subject, entry.detail["new"]) == ("migrate", "2", ["heard_of_us"])


def test_what_a_site_made_of_its_form_stays(settings, nilufar, release) -> None:
    own = add(forms.CALL)
    words = {"label": WORDS, "help": {"ru": "Подсказка"}, "required": False}
    editing.change(forms.CALL, "address", words, seen(forms.CALL), "sherzod")
    editing.move(forms.CALL, "address", False, seen(forms.CALL), "sherzod")
    put(forms.CALL)
    kept = names()
    before = register(nilufar, "1.1", address="Registon 5", **{own: "student"})
    shown = call_forms.values_of(before)

    assert release() == [(forms.CALL, 3)]
    made = forms.in_force(forms.CALL)
    assert [name for name in names() if name != "heard_of_us"] == kept
    assert names()[names().index("address") + 1] == "heard_of_us"
    address = made.field("address")
    assert address
    assert (address.label["ru"], address.helped("ru"), address.required) == (
        WORDS["ru"],
        "Подсказка",
        True,
    )
    assert call_forms.values_of(CallForm.get_by_id(before.id)) == shown
    assert before.version == 2

    now = register(nilufar, "1.2", heard_of_us="tv", **{own: "student"})
    assert now.version == 3
    assert now.extra["heard_of_us"]["code"] == "tv"
    fields = call_forms.fields_of(forms.of(forms.CALL, 3), now, "ru")
    assert fields["heard_of_us"] == {"code": "tv", "text": "Телевидение"}
    assert ("2", "heard_of_us") in [(form, field.name) for form, field in forms.counted()]
    draft(forms.CALL)  # and people can change it further
    with pytest.raises(editing.EditingError, match="product"):
        editing.remove(forms.CALL, "heard_of_us", seen(forms.CALL), "sherzod")
    editing.move(forms.CALL, "heard_of_us", True, seen(forms.CALL), "sherzod")
    put(forms.CALL)
    assert forms.take_in() == []


def test_a_draft_is_still_the_newest_and_can_be_put_in_force(settings, release) -> None:
    own = add(forms.CALL)
    assert release() == [(forms.CALL, 2)]
    row = editing.pending(forms.CALL)
    assert row
    assert (row.number, row.since) == (3, None)
    assert {own, "heard_of_us"} <= forms.definition_of(row).names
    assert own not in names()
    put(forms.CALL)
    assert {own, "heard_of_us"} <= set(names())


def test_a_planned_version_comes_at_its_hour(settings, release, monkeypatch) -> None:
    own = add(forms.CALL)
    later = clock.now() + dt.timedelta(hours=3)
    editing.put_in_force(forms.CALL, later, seen(forms.CALL), "sherzod")
    release()
    assert own not in names()
    assert "heard_of_us" in names()
    moved = later + dt.timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: moved)
    assert {own, "heard_of_us"} <= set(names())
    assert forms.take_in() == []


def test_a_version_of_before_comes_back_with_what_is_new(settings, release) -> None:
    add(forms.CALL)
    put(forms.CALL)
    release()
    editing.begin(forms.CALL, "sherzod", 1)
    put(forms.CALL)
    assert names() == [field.name for field in forms.product(forms.CALL).fields]


def test_the_migration_says_what_it_brought(settings, release) -> None:
    release()
    FormVersion.delete().where(FormVersion.number == 2).execute()
    done = CliRunner().invoke(appliance, ["--config", str(settings.file), "migrate"])
    assert done.exit_code == 0, done.output
    assert "form 2 is version 2, with what this release brings" in done.output


def test_the_products_fields_have_columns_today(settings) -> None:
    for form in forms.FORMS:
        assert forms.columns(form) == forms.product(form).names
