"""Checks a certificate and its key before either is copied to the box."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)


def certificate_faults(certificate: str, key: str, name: str = "") -> list[str]:
    """Return problems as sentences without a full stop. `name`: the required host name."""
    if not certificate and not key:
        return []
    for file, label in ((certificate, "the certificate"), (key, "its key")):
        if not file:
            return [f"{label} is missing; both are needed"]
        if not Path(file).is_absolute():
            return [f"{file}: write the whole path, from /"]
        if not Path(file).is_file():
            return [f"{file}: there is no such file on the computer that runs the playbook"]
    try:
        parsed = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    except ValueError:
        return [f"{certificate}: it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"]
    try:
        private_key = load_pem_private_key(Path(key).read_bytes(), password=None)
    except TypeError:
        return [f"{key}: the key is locked by a password; store it without one"]
    except ValueError:
        return [f"{key}: it holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"]
    key_format = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    faults = []
    if private_key.public_key().public_bytes(*key_format) != parsed.public_key().public_bytes(
        *key_format
    ):
        faults.append(f"{key}: it is not the key of the first certificate in {certificate}")
    if parsed.not_valid_after_utc <= dt.datetime.now(dt.UTC):
        faults.append(f"{certificate}: it has ended on {parsed.not_valid_after_utc:%d.%m.%Y}")
    if name and not _is_valid_for(parsed, name):
        faults.append(f"{certificate}: it is not a certificate of {name}")
    return faults


def _is_valid_for(certificate: x509.Certificate, name: str) -> bool:
    """Return True if a browser accepts the certificate for that name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    wildcard = f"*.{name.partition('.')[2]}"
    return bool(
        {name, wildcard}
        & {dns_name.lower() for dns_name in names.get_values_for_type(x509.DNSName)}
    )


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return filter name → function."""
        return {"certificate_faults": certificate_faults}
