"""The settings file is read strictly."""

from pathlib import Path

import pytest

from appliance.core import settings as reader
from appliance.core.settings import Settings


def test_relative_paths_are_relative_to_the_files_folder(
    settings: Settings, tmp_path: Path
) -> None:
    loaded = reader.load_settings(settings.file)
    assert loaded.paths.database == tmp_path / "site.db"
    assert loaded.asterisk.log == tmp_path / "log"
    assert loaded.trunks[0].address == "127.9.9.9"
    assert loaded.file == tmp_path / "site.toml"


def test_the_certificate_and_the_phones_for_alarms_are_read(
    settings: Settings, tmp_path: Path
) -> None:
    assert settings.web.certificate is None
    text = settings.file.read_text().replace("secret_key", 'certificate = "tls/a.pem"\nsecret_key')
    settings.file.write_text(text + '\n[alarms]\nphones = ["+998901112233"]\n')
    loaded = reader.load_settings(settings.file)
    assert loaded.web.certificate == tmp_path / "tls" / "a.pem"
    assert loaded.alarms.phones == ("+998901112233",)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(("hotline_number", "hotline_nunber"), "hotline_nunber", id="mistyped"),
        pytest.param(('hotline_number = "1282"', "ring = 9"), "hotline_number", id="missing"),
        pytest.param(('"1282"', "1282"), "hotline_number", id="wrong type"),
        pytest.param(("[calls]", "[calls"), "line", id="no TOML"),
    ],
)
def test_an_invalid_setting_is_named(
    settings: Settings, change: tuple[str, str], complaint: str
) -> None:
    settings.file.write_text(settings.file.read_text().replace(*change))
    with pytest.raises(reader.SettingsError, match=complaint):
        reader.load_settings(settings.file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(reader.SettingsError, match=r"no\.toml"):
        reader.load_settings(tmp_path / "no.toml")
