"""Detached signatures: Ed25519, 64 raw bytes, keys in PEM as `openssl genpkey` creates them.

The cryptography library is imported inside the functions that need it: most processes never create
or check a signature.
"""

import hashlib
import os
import re
from pathlib import Path

from appliance.core.files import replacement_file

_PEM = re.compile(rb"-----BEGIN [^-]+-----.+?-----END [^-]+-----", re.DOTALL)


class SigningKeyError(ValueError):
    """A key cannot be used; the message says which key and why."""


def sign_bytes(body: bytes, file: str, setting_name: str) -> bytes:
    """Sign `body` with the private key in `file`; returns the signature.

    `setting_name` is the setting that holds the file's path; error messages contain it. Raises
    SigningKeyError if the key cannot be read or used.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(_read_key_file(setting_name, file), None)
    except (ValueError, TypeError) as error:
        raise SigningKeyError(f"{setting_name}: {file}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(f"{setting_name}: {file}: not an Ed25519 key")
    return key.sign(body)


def is_signature_valid(body: bytes, signature: bytes, file: str, setting_name: str) -> bool:
    """Return True if `signature` is one of `body` by a holder of one of the public keys in `file`.

    `setting_name` is the setting that holds the file's path; error messages contain it. Raises
    SigningKeyError if a key cannot be read or used.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    def is_signer(key: Ed25519PublicKey) -> bool:
        """Return True if the holder of this key made the signature."""
        try:
            key.verify(signature, body)
        except InvalidSignature:
            return False
        return True

    text = _read_key_file(setting_name, file)
    try:
        # A text without a key in PEM is parsed too, for the error that says what is wrong with it.
        loaded_keys = [
            serialization.load_pem_public_key(pem) for pem in _PEM.findall(text) or [text]
        ]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{setting_name}: {file}: {error}") from error
    keys = [key for key in loaded_keys if isinstance(key, Ed25519PublicKey)]
    if len(keys) < len(loaded_keys):
        raise SigningKeyError(f"{setting_name}: {file}: not an Ed25519 key")
    return any(map(is_signer, keys))


def public_keys(file: str, setting_name: str) -> list[bytes]:
    """Return the public keys in a file, each in PEM, in the file's order: the newest first.

    `setting_name` is the setting that holds the file's path, for error messages. Raises
    SigningKeyError if the file holds no key or cannot be read.
    """
    pems = _PEM.findall(_read_key_file(setting_name, file))
    if not pems:
        raise SigningKeyError(f"{setting_name}: {file}: no key in PEM")
    return [pem + b"\n" for pem in pems]


def key_fingerprint(public_pem: bytes) -> str:
    """Return the SHA-256, in hexadecimal digits, of a public key given in PEM, to compare keys.

    It is the hash of the key in DER, the form that `openssl pkey -pubin -outform DER` writes.
    """
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_public_key(public_pem)
    key_format = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, key_format)).hexdigest()


def create_key_pair(private_file: Path, public_file: Path) -> None:
    """Create a key pair; replaces the private key, and adds the public key to its file.

    The new public key is the first in `public_file`. The old ones stay after it, because they
    verify the older signatures.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    old_pems = public_file.read_bytes() if public_file.exists() else b""
    public_pem = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    private_format = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with replacement_file(private_file) as new_file:
        with open(new_file, "wb", opener=_open_private) as out:
            out.write(key.private_bytes(pem, *private_format))
        public_file.write_bytes(public_pem + old_pems)


def _open_private(file: str, flags: int) -> int:
    """Open a file; if it is created, only its owner may use it (for the `opener` of `open`)."""
    return os.open(file, flags, 0o600)


def _read_key_file(setting_name: str, file: str) -> bytes:
    """Return a key file's content. Raises SigningKeyError if it is not set or cannot be read."""
    if not file:
        raise SigningKeyError(f"{setting_name} is not set")
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SigningKeyError(f"{setting_name}: {error}") from error
