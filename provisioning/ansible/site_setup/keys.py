"""Every key that site.ini may hold: what the questions, the checks and the docs go by."""

from dataclasses import dataclass

NUMBER = r"^[0-9]+$"
COUNT = r"^[1-9][0-9]*$"
PORT = r"^[0-9]{2,5}$"
YES = r"^(?i:true|false|yes|no)$"
HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
NAME = r"^[a-z_][a-z0-9_.-]*$"
PATH = r"^/.+"
OCTET = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
ADDRESS = rf"^{OCTET}([.]{OCTET}){{3}}$"
NETWORK = rf"^{OCTET}([.]{OCTET}){{3}}(/([0-9]|[12][0-9]|3[0-2]))?$"
PLACE = r"^[0-9.]+(/[0-9]+)?$"
ROLE = r"^(operator|supervisor|manager|ministry|technician|backup)$"


@dataclass(frozen=True)
class Key:
    """One key of site.ini.

    `pattern`: what the value, or each value of a list, must match; "" when `faults` looks at it.
    `wanted`: the name in [wanted] of words.toml of what the value must be.
    """

    name: str
    pattern: str = ""
    wanted: str = ""
    is_list: bool = False
    is_required: bool = False


def _each(pattern: str, wanted: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, pattern, wanted) for name in names)


def _lists(pattern: str, wanted: str, *names: str) -> tuple[Key, ...]:
    return tuple(Key(name, pattern, wanted, is_list=True) for name in names)


KEYS = (
    Key("bundle_dir", PATH, "path", is_required=True),
    Key("site_address", ADDRESS, "address", is_required=True),
    Key("site_name", r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", "host", is_required=True),
    Key("site_hotline_number", r"^[+]?[0-9]+$", "digits", is_required=True),
    Key("site_carriers", is_list=True),
    *_lists(NETWORK, "network", "site_operators", "site_ministry", "site_technicians"),
    Key("site_language", r"^(en|ru|uz)$", "language"),
    Key("site_timezone", r"^[A-Za-z_]+/[A-Za-z_/]+$", "zone"),
    Key("site_sip_port", PORT, "port"),
    Key("site_rtp_ports", r"^[0-9]{4,5}-[0-9]{4,5}$", "ports"),
    *_each(PATH, "path", "site_home", "app_bundle"),
    *_each(YES, "either", "site_browser_phones", "site_container", "validate_checksums"),
    Key("validate_signer", r"^([0-9a-f]{64})?$", "fingerprint"),
    Key("validate_accept", r"^([0-9][A-Za-z0-9.+-]*)?$", "release"),
    Key("backup_places", is_list=True),
    Key("backup_replica", r"^(/.*)?$", "folder"),
    Key("backup_folders", PATH, "path", is_list=True),
    Key("backup_contacts", r"^[^:]+:.+", "contact", is_list=True),
    Key("backup_at", HOUR, "hour"),
    *_each(YES, "either", "backup_prepare", "backup_own_disk"),
    Key("base_technicians", is_list=True),
    *_lists(r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", "server", "base_time_servers"),
    Key("base_journal_size", r"^[0-9]+[KMGT]$", "size"),
    Key("base_journal_days", NUMBER, "number"),
    Key("base_security_updates", YES, "either"),
    Key("base_reboot_time", r"^(|([01][0-9]|2[0-3]):[0-5][0-9])$", "hour_or_empty"),
    Key("asterisk_nice", r"^(-?1?[0-9]|-20)$", "nice"),
    Key("asterisk_open_files", r"^[0-9]{4,}$", "files"),
    Key("dahdi_spans", is_list=True),
    Key("dahdi_modules", NAME, "module", is_list=True),
    Key("dahdi_extra", r".", "line", is_list=True),
    Key("dahdi_echo_canceller", r"^(|mg2|kb1|sec|sec2|jpah|oslec|hwec)$", "canceller"),
    Key("dahdi_zone", r"^[a-z]{2}$", "country"),
    Key("app_first_login", NAME, "login"),
    *_each(HOUR, "hour", "app_work_opens", "app_work_closes"),
    Key("app_links_gateway", r"^(|auto|[0-9]{1,3}([.][0-9]{1,3}){3})$", "gateway"),
    Key("app_links_dns", r"^(|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$", "dns"),
    Key("app_links_internet", r"^(|[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{1,5})$", "internet"),
    Key("app_links_rate_url", r"^(|https?://.+)$", "url"),
    *_each(NUMBER, "minutes", "app_tests_call_minutes", "app_tests_carrier_minutes"),
    Key("app_tests_offline_weekday", r"^[0-7]$", "weekday"),
    Key("app_tests_offline_hour", r"^(1?[0-9]|2[0-3])$", "hour_number"),
    *_lists(ROLE, "role", "app_sign_in_second_factor", "app_sign_in_second_factor_outside"),
    *_lists(PLACE, "place", "app_sign_in_inside", "firewall_never_ban"),
    Key("app_sign_in_lock_minutes", r"^([0-9]{1,2}|[1-5][0-9]{2}|600)$", "lock_minutes"),
    Key("app_sign_in_pin_hours", r"^(1?[0-9]|2[0-4])$", "pin_hours"),
    Key("app_plain_phones", r"^([0-9]+|[*])$", "extension", is_list=True),
    Key("app_kept_releases", COUNT, "count"),
    Key("app_settings"),
    Key("services_memory"),
    Key("services_processors"),
    *_each("", "file", "tls_certificate", "tls_key", "tls_trunks_certificate", "tls_trunks_key"),
    *_each(COUNT, "days", "tls_days"),
    *_each(NUMBER, "days", "tls_renew_days"),
    *_each(COUNT, "count", "tls_connections", "firewall_tries"),
    Key("firewall_ban", COUNT, "seconds"),
    Key("firewall_monitoring", NETWORK, "network", is_list=True),
    Key("operator_proxy_port", PORT, "port"),
    *_lists(r"^[.]?[a-z0-9][a-z0-9.-]*$", "site", "operator_proxy_sites"),
    Key("monitoring_listen", r"^[0-9.]+:[0-9]{2,5}$", "listen"),
    Key("hardening_ssh_passwords", YES, "either"),
    Key("hardening_services", NAME, "service", is_list=True),
    Key("disk_device", r"^(|/dev/.+)$", "device"),
    Key("disk_key", r"^(|(LABEL|UUID)=[A-Za-z0-9_.-]+)$", "stick"),
    Key("disk_move", YES, "either"),
)
BY_NAME = {key.name: key for key in KEYS}
# A role's Debian packages may be set by an engineer who builds another bundle.
PACKAGES = r"^[a-z_]+_packages$"

FIELDS = {  # of the entries of a list: name → whether it must be given
    "site_carriers": {"name": True, "address": True, "port": False},
    "backup_places": {"name": True, "url": True, "environment_file": False},
    "base_technicians": {"name": True, "key": True},
    "dahdi_spans": {"number": True, "crc4": False, "timing": False, "lbo": False},
}
