"""A bundle that was changed or signed by somebody else is refused before anything runs."""

import subprocess
from pathlib import Path

import pytest

from provisioning.box import bundle
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate/files/signature.sh"


@pytest.fixture
def signed_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A minimal bundle, signed by a key of its own."""
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(tmp_path / "keys/bundle.key"))
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "release").write_text("1.0.0\n")
    bundle.sign_bundle(folder)
    return folder


def check_signature(folder: Path, *signer: str) -> tuple[int, str]:
    process = subprocess.run(
        ["sh", SCRIPT, folder, *signer],
        env={"PATH": "/usr/bin:/bin", "KNOWN": str(folder.parent / "known.pub")},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout.strip()


def test_the_signer_of_a_signed_bundle_is_reported(signed_bundle: Path) -> None:
    assert check_signature(signed_bundle) == (0, bundle.key_fingerprint())
    assert check_signature(signed_bundle, bundle.key_fingerprint()) == (0, bundle.key_fingerprint())
    assert (signed_bundle.parent / "keys/bundle.key").stat().st_mode & 0o777 == 0o600
    assert not [file for file in signed_bundle.rglob("*") if b"PRIVATE" in file.read_bytes()]


def test_a_changed_or_unsigned_bundle_is_refused(signed_bundle: Path) -> None:
    sums = signed_bundle / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("release", "evil"))
    assert check_signature(signed_bundle) == (
        1,
        "its list of checksums was changed after it was signed",
    )
    (signed_bundle / "SHA256SUMS.sig").unlink()
    assert check_signature(signed_bundle) == (1, "it is not signed")


def test_another_signer_is_refused_until_named(
    signed_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bundle.key_fingerprint()
    (signed_bundle / "bundle.pub").rename(signed_bundle.parent / "known.pub")
    bundle.sign_bundle(signed_bundle)
    assert check_signature(signed_bundle) == (0, first)
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(signed_bundle.parent / "keys/other.key"))
    bundle.sign_bundle(signed_bundle)
    code, message = check_signature(signed_bundle)
    assert code == 1
    assert f"signed by {bundle.key_fingerprint()}, the bundles before it by {first}" in message
    assert check_signature(signed_bundle, first)[0] == 1
    assert check_signature(signed_bundle, bundle.key_fingerprint()) == (0, bundle.key_fingerprint())
