"""A check shared by several parts of the settings."""

from collections.abc import Collection, Iterable


def check_names(setting_name: str, names: Iterable[str], allowed: Collection[str]) -> None:
    """Raise ValueError, with the name of the setting, if one of `names` is not in `allowed`."""
    if unknown := sorted({*names} - {*allowed}):
        raise ValueError(f"{setting_name}: {', '.join(unknown)}: none of {', '.join(allowed)}")
