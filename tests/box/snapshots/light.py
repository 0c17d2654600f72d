"""A restic repository with a quickly derived key, because hundreds of processes open it."""

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

# of scrypt; the default of restic takes half a second of processor time
SCRYPT_COST = {
    "N": 2,
    "r": 1,
    "p": 1,
}


def use_light_key(repository: Path, password_file: Path) -> None:
    """Wrap the repository's master key again, with the same password and a low scrypt cost.

    Written as described in restic's design document, "Keys, Encryption and MAC": AES-256 in counter
    mode, then Poly1305-AES over the ciphertext.
    """
    command = ["restic", "--repo", repository, "--password-file", password_file, "--no-cache"]
    master_key_output = subprocess.run(
        [*command, "cat", "masterkey"], check=True, capture_output=True
    )
    master = json.dumps(json.loads(master_key_output.stdout)).encode()
    [old_key_file] = (repository / "keys").iterdir()
    key = json.loads(old_key_file.read_text()) | SCRYPT_COST
    derived = hashlib.scrypt(
        password_file.read_text().strip().encode(),
        salt=base64.b64decode(key["salt"]),
        **{name.lower(): cost for name, cost in SCRYPT_COST.items()},
        dklen=64,
    )
    encryption_key, nonce_key, mac_key = derived[:32], derived[32:48], derived[48:]
    nonce = os.urandom(16)
    sealed = _encrypt(encryption_key, modes.CTR(nonce), master)
    tag = Poly1305.generate_tag(mac_key + _encrypt(nonce_key, modes.ECB(), nonce), sealed)  # noqa: S305
    key["data"] = base64.b64encode(nonce + sealed + tag).decode()
    key_text = json.dumps(key).encode()
    (repository / "keys" / hashlib.sha256(key_text).hexdigest()).write_bytes(key_text)
    old_key_file.unlink()


def _encrypt(key: bytes, mode: modes.Mode, text: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(text) + encryptor.finalize()
