"""Every key that site.ini may hold; the questions, the checks and the docs are based on it."""

from dataclasses import dataclass

NUMBER_PATTERN = r"^[0-9]+$"
COUNT_PATTERN = r"^[1-9][0-9]*$"
PORT_PATTERN = r"^[0-9]{2,5}$"
BOOLEAN_PATTERN = r"^(?i:true|false|yes|no)$"
HOUR_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
NAME_PATTERN = r"^[a-z_][a-z0-9_.-]*$"
PATH_PATTERN = r"^/.+"
OCTET_PATTERN = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
ADDRESS_PATTERN = rf"^{OCTET_PATTERN}([.]{OCTET_PATTERN}){{3}}$"
NETWORK_PATTERN = rf"^{OCTET_PATTERN}([.]{OCTET_PATTERN}){{3}}(/([0-9]|[12][0-9]|3[0-2]))?$"
ADDRESS_OR_NETWORK_PATTERN = r"^[0-9.]+(/[0-9]+)?$"
ROLE_PATTERN = r"^(operator|supervisor|manager|ministry|technician|backup)$"


@dataclass(frozen=True)
class Key:
    """One key of site.ini.

    `pattern`: the pattern of the value, or of each value of a list; "" when problems.py checks it
    separately. `requirement`: the name of the value's description in [wanted] of words.toml.
    """

    name: str
    pattern: str = ""
    requirement: str = ""
    is_list: bool = False
    is_required: bool = False


def _scalar_keys(pattern: str, requirement: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, pattern, requirement) for name in names)


def _list_keys(pattern: str, requirement: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, pattern, requirement, is_list=True) for name in names)


KEYS = (
    Key("bundle_dir", PATH_PATTERN, "path", is_required=True),
    Key("site_address", ADDRESS_PATTERN, "address", is_required=True),
    Key("site_name", r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", "host", is_required=True),
    Key("site_hotline_number", r"^[+]?[0-9]+$", "digits", is_required=True),
    Key("site_carriers", is_list=True),
    *_list_keys(NETWORK_PATTERN, "network", "site_operators", "site_ministry", "site_technicians"),
    Key("site_language", r"^(en|ru|uz)$", "language"),
    Key("site_timezone", r"^[A-Za-z_]+/[A-Za-z_/]+$", "zone"),
    Key("site_sip_port", PORT_PATTERN, "port"),
    Key("site_rtp_ports", r"^[0-9]{4,5}-[0-9]{4,5}$", "ports"),
    *_scalar_keys(PATH_PATTERN, "path", "site_home", "app_bundle"),
    *_scalar_keys(
        BOOLEAN_PATTERN, "either", "site_browser_phones", "site_container", "validate_checksums"
    ),
    Key("validate_signer", r"^([0-9a-f]{64})?$", "fingerprint"),
    Key("validate_accept", r"^([0-9][A-Za-z0-9.+-]*)?$", "release"),
    Key("backup_places", is_list=True),
    Key("backup_replica", r"^(/.*)?$", "folder"),
    Key("backup_folders", PATH_PATTERN, "path", is_list=True),
    Key("backup_contacts", r"^[^:]+:.+", "contact", is_list=True),
    Key("backup_at", HOUR_PATTERN, "hour"),
    *_scalar_keys(BOOLEAN_PATTERN, "either", "backup_prepare", "backup_own_disk"),
    Key("base_technicians", is_list=True),
    *_list_keys(r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", "server", "base_time_servers"),
    Key("base_journal_size", r"^[0-9]+[KMGT]$", "size"),
    Key("base_journal_days", NUMBER_PATTERN, "number"),
    Key("base_security_updates", BOOLEAN_PATTERN, "either"),
    Key("base_reboot_time", r"^(|([01][0-9]|2[0-3]):[0-5][0-9])$", "hour_or_empty"),
    Key("asterisk_nice", r"^(-?1?[0-9]|-20)$", "nice"),
    Key("asterisk_open_files", r"^[0-9]{4,}$", "files"),
    Key("dahdi_spans", is_list=True),
    Key("dahdi_modules", NAME_PATTERN, "module", is_list=True),
    Key("dahdi_extra", r".", "line", is_list=True),
    Key("dahdi_echo_canceller", r"^(|mg2|kb1|sec|sec2|jpah|oslec|hwec)$", "canceller"),
    Key("dahdi_zone", r"^[a-z]{2}$", "country"),
    Key("app_first_login", NAME_PATTERN, "login"),
    *_scalar_keys(HOUR_PATTERN, "hour", "app_work_opens", "app_work_closes"),
    Key("app_links_gateway", r"^(|auto|[0-9]{1,3}([.][0-9]{1,3}){3})$", "gateway"),
    Key("app_links_dns", r"^(|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$", "dns"),
    Key("app_links_internet", r"^(|[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{1,5})$", "internet"),
    Key("app_links_rate_url", r"^(|https?://.+)$", "url"),
    *_scalar_keys(NUMBER_PATTERN, "minutes", "app_tests_call_minutes", "app_tests_carrier_minutes"),
    Key("app_tests_offline_weekday", r"^[0-7]$", "weekday"),
    Key("app_tests_offline_hour", r"^(1?[0-9]|2[0-3])$", "hour_number"),
    *_list_keys(
        ROLE_PATTERN, "role", "app_sign_in_second_factor", "app_sign_in_second_factor_outside"
    ),
    *_list_keys(ADDRESS_OR_NETWORK_PATTERN, "place", "app_sign_in_inside", "firewall_never_ban"),
    Key("app_sign_in_lock_minutes", r"^([0-9]{1,2}|[1-5][0-9]{2}|600)$", "lock_minutes"),
    Key("app_sign_in_pin_hours", r"^(1?[0-9]|2[0-4])$", "pin_hours"),
    Key("app_plain_phones", r"^([0-9]+|[*])$", "extension", is_list=True),
    Key("app_kept_releases", COUNT_PATTERN, "count"),
    Key("app_settings"),
    Key("services_memory"),
    Key("services_processors"),
    *_scalar_keys(
        "", "file", "tls_certificate", "tls_key", "tls_trunks_certificate", "tls_trunks_key"
    ),
    *_scalar_keys(COUNT_PATTERN, "days", "tls_days"),
    *_scalar_keys(NUMBER_PATTERN, "days", "tls_renew_days"),
    *_scalar_keys(COUNT_PATTERN, "count", "tls_connections", "firewall_tries"),
    Key("firewall_ban", COUNT_PATTERN, "seconds"),
    Key("firewall_monitoring", NETWORK_PATTERN, "network", is_list=True),
    Key("operator_proxy_port", PORT_PATTERN, "port"),
    *_list_keys(r"^[.]?[a-z0-9][a-z0-9.-]*$", "site", "operator_proxy_sites"),
    Key("monitoring_listen", r"^[0-9.]+:[0-9]{2,5}$", "listen"),
    Key("hardening_ssh_passwords", BOOLEAN_PATTERN, "either"),
    Key("hardening_services", NAME_PATTERN, "service", is_list=True),
    Key("disk_device", r"^(|/dev/.+)$", "device"),
    Key("disk_key", r"^(|(LABEL|UUID)=[A-Za-z0-9_.-]+)$", "stick"),
    Key("disk_move", BOOLEAN_PATTERN, "either"),
)
KEYS_BY_NAME = {key.name: key for key in KEYS}
# A role's Debian packages may be set by an engineer who builds another bundle.
PACKAGES_KEY_PATTERN = r"^[a-z_]+_packages$"

ENTRY_FIELDS = {  # of the entries of a list: name → whether it is required
    "site_carriers": {"name": True, "address": True, "port": False},
    "backup_places": {"name": True, "url": True, "environment_file": False},
    "base_technicians": {"name": True, "key": True},
    "dahdi_spans": {"number": True, "crc4": False, "timing": False, "lbo": False},
}
