"""Detached signatures: Ed25519, 64 raw bytes, keys in PEM as `openssl genpkey` makes them."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class KeyTrouble(ValueError):
    """A key cannot be used; the text says which and why."""


def sign(body: bytes, own_key: str) -> bytes:
    """The signature of a file's bytes. Raises KeyTrouble."""
    try:
        key = serialization.load_pem_private_key(_read("ministry.own_key", own_key), None)
    except (ValueError, TypeError) as error:
        raise KeyTrouble(f"ministry.own_key: {own_key}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyTrouble(f"ministry.own_key: {own_key}: not an Ed25519 key")
    return key.sign(body)


def is_signed(body: bytes, signature: bytes, their_key: str) -> bool:
    """Whether the holder of the key signed these bytes. Raises KeyTrouble."""
    try:
        key = serialization.load_pem_public_key(_read("ministry.their_key", their_key))
    except ValueError as error:
        raise KeyTrouble(f"ministry.their_key: {their_key}: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyTrouble(f"ministry.their_key: {their_key}: not an Ed25519 key")
    try:
        key.verify(signature, body)
    except InvalidSignature:
        return False
    return True


def _read(setting: str, file: str) -> bytes:
    if not file:
        raise KeyTrouble(f"{setting} is not set")
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise KeyTrouble(f"{setting}: {error}") from error
