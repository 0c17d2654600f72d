"""A bundle that was changed, or that somebody else has signed, is refused before anything runs."""

import subprocess
from pathlib import Path

import pytest

from provisioning.box import bundle
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate/files/signature.sh"


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in small, signed by a key of its own."""
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(tmp_path / "keys/bundle.key"))
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "release").write_text("1.0.0\n")
    bundle.seal(folder)
    return folder


def looked(folder: Path, *signer: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", SCRIPT, folder, *signer],
        env={"PATH": "/usr/bin:/bin", "KNOWN": str(folder.parent / "known.pub")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def test_a_signed_bundle_tells_its_signer(signed: Path) -> None:
    assert looked(signed) == (0, bundle.fingerprint())
    assert looked(signed, bundle.fingerprint()) == (0, bundle.fingerprint())
    assert (signed.parent / "keys/bundle.key").stat().st_mode & 0o777 == 0o600
    assert not [file for file in signed.rglob("*") if b"PRIVATE" in file.read_bytes()]


def test_what_was_changed_or_is_not_signed_is_refused(signed: Path) -> None:
    sums = signed / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("release", "evil"))
    assert looked(signed) == (1, "its list of checksums was changed after it was signed")
    (signed / "SHA256SUMS.sig").unlink()
    assert looked(signed) == (1, "it is not signed")


def test_another_signer_is_refused_until_he_is_named(
    signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bundle.fingerprint()
    (signed / "bundle.pub").rename(signed.parent / "known.pub")
    bundle.seal(signed)
    assert looked(signed) == (0, first)
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(signed.parent / "keys/other.key"))
    bundle.seal(signed)
    code, told = looked(signed)
    assert code == 1
    assert f"signed by {bundle.fingerprint()}, the bundles before it by {first}" in told
    assert looked(signed, first)[0] == 1
    assert looked(signed, bundle.fingerprint()) == (0, bundle.fingerprint())
