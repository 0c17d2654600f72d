"""Passkeys (WebAuthn): a second factor in addition to the password, valid for this site only.

The challenge that a key signs is stored with the session and used once, so a recorded answer cannot
be used again.
"""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.settings import Web
from appliance.models import Passkey, Session, User
from appliance.people import second_factor

if TYPE_CHECKING:  # loaded only where a key is created or shown
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MAX_PASSKEYS_PER_USER = 5


class PasskeyRejected(ValueError):
    """The key's answer does not match its challenge."""


@dataclass(frozen=True)
class RelyingParty:
    """The site for which keys are valid, by its name and the origin of its pages."""

    id: str
    origin: str


def relying_party(web: Web) -> RelyingParty | None:
    """Return the site; None if it has no host name or no TLS, so that keys cannot be used."""
    url = urlsplit(web.url)
    name = url.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        is_secure = url.scheme == "https" or name == "localhost"
        return RelyingParty(name, f"{url.scheme}://{url.netloc}") if is_secure else None
    return None


def user_passkeys(user: User) -> list[Passkey]:
    """The person's keys, the oldest first."""
    return list(Passkey.select().where(Passkey.user == user).order_by(Passkey.id))


def registration_options(session: Session, site: RelyingParty) -> str:
    """Return the options that a browser needs to create a key, as JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        UserVerificationRequirement,
    )

    user = session.user
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=second_factor.ISSUER,
        user_name=user.login,
        user_display_name=user.name,
        user_id=f"user {user.id}".encode(),
        exclude_credentials=_credential_descriptors(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    _save_challenge(session, options.challenge)
    return webauthn.options_to_json(options)


def add_passkey(session: Session, site: RelyingParty, answer: dict[str, Any]) -> None:
    """Store a key that the browser created.

    Raises PasskeyRejected if `answer` is invalid, the key is known or the person has too many.
    """
    import webauthn
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verification = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_take_challenge(session),
            expected_rp_id=site.id,
            expected_origin=site.origin,
        )
    except WebAuthnException as error:
        raise PasskeyRejected(str(error)) from error
    user, id = session.user, bytes_to_base64url(verification.credential_id)
    with write_transaction():
        is_known = Passkey.select().where(Passkey.credential == id).exists()
        if is_known or len(user_passkeys(user)) >= MAX_PASSKEYS_PER_USER:
            raise PasskeyRejected("known already, or too many")
        Passkey.create(
            user=user,
            credential=id,
            public_key=bytes_to_base64url(verification.credential_public_key),
            sign_count=verification.sign_count,
            made_at=clock.now(),
        )
        audit.record_entry(user.login, "passkey.add", user.login)


def authentication_options(session: Session, site: RelyingParty) -> str:
    """Return the options that a browser needs to let a key of the person sign, as JSON."""
    import webauthn

    credentials = _credential_descriptors(session.user)
    options = webauthn.generate_authentication_options(rp_id=site.id, allow_credentials=credentials)
    _save_challenge(session, options.challenge)
    return webauthn.options_to_json(options)


def verify_answer(session: Session, site: RelyingParty, answer: dict[str, Any]) -> None:
    """Verify the answer of a person's key, and record it as their second factor in the session.

    Raises PasskeyRejected if the answer is invalid or the key is not the person's.
    """
    import webauthn
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.exceptions import WebAuthnException

    user, challenge = session.user, _take_challenge(session)
    id = answer.get("id")
    conditions = (Passkey.user == user, Passkey.credential == id)
    key = Passkey.get_or_none(*conditions) if isinstance(id, str) else None
    if not key:
        raise PasskeyRejected("none of his keys")
    try:
        verification = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except WebAuthnException as error:
        raise PasskeyRejected(str(error)) from error
    with write_transaction():
        columns = {"sign_count": verification.new_sign_count, "used_at": clock.now()}
        Passkey.update(columns).where(Passkey.id == key.id).execute()
        second_factor.mark_proved(session, "passkey")
        audit.record_entry(user.login, "login.second", address=session.address, by="passkey")


def remove_passkey(user: User, passkey_id: int) -> None:
    """Delete one of the person's keys, if it exists."""
    with write_transaction():
        if Passkey.delete().where(Passkey.user == user, Passkey.id == passkey_id).execute():
            audit.record_entry(user.login, "passkey.remove", user.login)


def _credential_descriptors(user: User) -> "list[PublicKeyCredentialDescriptor]":
    """The person's keys in the form that browsers receive."""
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    ids = (base64url_to_bytes(key.credential) for key in user_passkeys(user))
    return [PublicKeyCredentialDescriptor(id=id) for id in ids]


def _save_challenge(session: Session, challenge: bytes) -> None:
    """Store the challenge with the session."""
    from webauthn.helpers import bytes_to_base64url

    text = bytes_to_base64url(challenge)
    Session.update(challenge=text).where(Session.id == session.id).execute()


def _take_challenge(session: Session) -> bytes:
    """Return and remove the session's challenge. Raises PasskeyRejected if it has no challenge."""
    from webauthn.helpers import base64url_to_bytes

    challenge = Session.get_by_id(session.id).challenge
    conditions = (Session.id == session.id, Session.challenge == challenge)
    if not challenge or not Session.update(challenge="").where(*conditions).execute():
        raise PasskeyRejected("nothing was asked")
    return base64url_to_bytes(challenge)
