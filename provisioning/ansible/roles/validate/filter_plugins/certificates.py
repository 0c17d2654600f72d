"""What is wrong with a certificate and its key, before either is brought to the box."""

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
    """Sentences without a full stop, none when all is well; `name`: of whom it must be."""
    if not certificate and not key:
        return []
    for file, what in ((certificate, "the certificate"), (key, "its key")):
        if not file:
            return [f"{what} is missing; both are needed"]
        if not Path(file).is_absolute():
            return [f"{file}: write the whole path, from /"]
        if not Path(file).is_file():
            return [f"{file}: there is no such file on the computer that runs the playbook"]
    try:
        shown = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    except ValueError:
        return [f"{certificate}: it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"]
    try:
        own = load_pem_private_key(Path(key).read_bytes(), password=None)
    except TypeError:
        return [f"{key}: the key is locked by a password; store it without one"]
    except ValueError:
        return [f"{key}: it holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = []
    if own.public_key().public_bytes(*form) != shown.public_key().public_bytes(*form):
        found.append(f"{key}: it is not the key of the first certificate in {certificate}")
    if shown.not_valid_after_utc <= dt.datetime.now(dt.UTC):
        found.append(f"{certificate}: it has ended on {shown.not_valid_after_utc:%d.%m.%Y}")
    if name and not _is_of(shown, name):
        found.append(f"{certificate}: it is not a certificate of {name}")
    return found


def _is_of(certificate: x509.Certificate, name: str) -> bool:
    """Whether a browser takes it for that name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    above = f"*.{name.partition('.')[2]}"
    return bool({name, above} & {n.lower() for n in names.get_values_for_type(x509.DNSName)})


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Name in templates → function."""
        return {"certificate_faults": certificate_faults}
