"""A repository of restic whose key is quickly derived: hundreds of restic processes open it."""

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

COST = {"N": 2, "r": 1, "p": 1}  # of scrypt; restic itself takes half a second of a processor


def lighten(repository: Path, password_file: Path) -> None:
    """Wrap the repository's master key anew, under the same password.

    Written as restic's design document has it, "Keys, Encryption and MAC": AES-256 in counter
    mode, then Poly1305-AES over the ciphertext.
    """
    command = ["restic", "--repo", repository, "--password-file", password_file, "--no-cache"]
    asked = subprocess.run([*command, "cat", "masterkey"], check=True, capture_output=True)
    master = json.dumps(json.loads(asked.stdout)).encode()
    [heavy] = (repository / "keys").iterdir()
    key = json.loads(heavy.read_text()) | COST
    derived = hashlib.scrypt(
        password_file.read_text().strip().encode(),
        salt=base64.b64decode(key["salt"]),
        **{name.lower(): cost for name, cost in COST.items()},
        dklen=64,
    )
    encrypting, once, fixed = derived[:32], derived[32:48], derived[48:]
    nonce = os.urandom(16)
    sealed = _encrypted(encrypting, modes.CTR(nonce), master)
    tag = Poly1305.generate_tag(fixed + _encrypted(once, modes.ECB(), nonce), sealed)  # noqa: S305
    key["data"] = base64.b64encode(nonce + sealed + tag).decode()
    written = json.dumps(key).encode()
    (repository / "keys" / hashlib.sha256(written).hexdigest()).write_bytes(written)
    heavy.unlink()


def _encrypted(key: bytes, mode: modes.Mode, text: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), mode).encryptor()
    return encryptor.update(text) + encryptor.finalize()
