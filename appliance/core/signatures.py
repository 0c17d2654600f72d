"""Detached signatures: Ed25519, 64 raw bytes, keys in PEM as `openssl genpkey` makes them.

What they are made with is loaded by who makes or reads one: most processes do neither.
"""

import hashlib
import os
import re
from pathlib import Path

_PEM = re.compile(rb"-----BEGIN [^-]+-----.+?-----END [^-]+-----", re.DOTALL)


class KeyTrouble(ValueError):
    """A key cannot be used; the text says which and why."""


def sign(body: bytes, file: str, setting: str) -> bytes:
    """The signature of some bytes by the key in a file that a setting names. Raises KeyTrouble."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(_read(setting, file), None)
    except (ValueError, TypeError) as error:
        raise KeyTrouble(f"{setting}: {file}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyTrouble(f"{setting}: {file}: not an Ed25519 key")
    return key.sign(body)


def is_signed(body: bytes, signature: bytes, file: str, setting: str) -> bool:
    """Whether the holder of the key, or of one of several in the file, signed these bytes.

    Raises KeyTrouble.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    def fits(key: Ed25519PublicKey) -> bool:
        try:
            key.verify(signature, body)
        except InvalidSignature:
            return False
        return True

    text = _read(setting, file)
    try:
        found = [serialization.load_pem_public_key(one) for one in _PEM.findall(text) or [text]]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyTrouble(f"{setting}: {file}: {error}") from error
    keys = [key for key in found if isinstance(key, Ed25519PublicKey)]
    if len(keys) < len(found):
        raise KeyTrouble(f"{setting}: {file}: not an Ed25519 key")
    return any(map(fits, keys))


def public_keys(file: str, setting: str) -> list[bytes]:
    """The public keys in a file, the newest first, each in PEM. Raises KeyTrouble."""
    found = _PEM.findall(_read(setting, file))
    if not found:
        raise KeyTrouble(f"{setting}: {file}: no key in PEM")
    return [one + b"\n" for one in found]


def fingerprint(public: bytes) -> str:
    """SHA-256 of a public key in PEM as `openssl pkey -pubin -outform DER` writes it."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_public_key(public)
    plain = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, plain)).hexdigest()


def make(private: Path, public: Path) -> None:
    """Make a key in place of the one there is; the public ones of before stay in their file."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    before = public.read_bytes() if public.exists() else b""
    told = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    fresh = private.with_name(f"{private.name}.new")
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with open(fresh, "wb", opener=_private) as out:
        out.write(key.private_bytes(pem, *plain))
    public.write_bytes(told + before)
    fresh.replace(private)


def _private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _read(setting: str, file: str) -> bytes:
    if not file:
        raise KeyTrouble(f"{setting} is not set")
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise KeyTrouble(f"{setting}: {error}") from error
