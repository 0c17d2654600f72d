"""A check shared by several parts of the settings."""

from collections.abc import Collection, Iterable


def check_names(setting_name: str, names: Iterable[str], allowed: Collection[str]) -> None:
    """Raise ValueError if one of `names`, the values of a setting, is not in `allowed`.

    The message contains `setting_name`, such as "sign_in.pin_roles".
    """
    if unknown := sorted({*names} - {*allowed}):
        raise ValueError(f"{setting_name}: {', '.join(unknown)}: none of {', '.join(allowed)}")
