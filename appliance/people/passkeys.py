"""Passkeys (WebAuthn): a key that proves its person beside the password, and to this site alone.

What it signs is kept with the session and taken once: what was overheard proves nothing later.
"""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import Web
from appliance.models import Passkey, Session, User
from appliance.people import second_factor

if TYPE_CHECKING:  # loaded by who makes or shows a key
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST = 5  # of one person


class Unproved(ValueError):
    """The key's answer is none to what it was given."""


@dataclass(frozen=True)
class Party:
    """To whom keys prove their person: the site by its name, and the origin of its pages."""

    id: str
    origin: str


def party(web: Web) -> Party | None:
    """The site, where keys can know it: by a name and over TLS; None elsewhere."""
    parts = urlsplit(web.url)
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        own = parts.scheme == "https" or name == "localhost"
        return Party(name, f"{parts.scheme}://{parts.netloc}") if own else None
    return None


def of(user: User) -> list[Passkey]:
    """The person's keys, the oldest first."""
    return list(Passkey.select().where(Passkey.user == user).order_by(Passkey.id))


def offer(session: Session, site: Party) -> str:
    """What a browser needs to make a key, as JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        UserVerificationRequirement,
    )

    user = session.user
    made = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=second_factor.ISSUER,
        user_name=user.login,
        user_display_name=user.name,
        user_id=f"user {user.id}".encode(),
        exclude_credentials=_known(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    _save_challenge(session, made.challenge)
    return webauthn.options_to_json(made)


def add(session: Session, site: Party, answer: dict[str, Any]) -> None:
    """Keep the key that was made. Raises Unproved."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        proved = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_take_challenge(session),
            expected_rp_id=site.id,
            expected_origin=site.origin,
        )
    except WebAuthnException as error:
        raise Unproved(str(error)) from error
    user, id = session.user, bytes_to_base64url(proved.credential_id)
    with writing():
        known = Passkey.select().where(Passkey.credential == id).exists()
        if known or len(of(user)) >= MOST:
            raise Unproved("known already, or too many")
        Passkey.create(
            user=user,
            credential=id,
            public_key=bytes_to_base64url(proved.credential_public_key),
            sign_count=proved.sign_count,
            made_at=clock.now(),
        )
        audit.record(user.login, "passkey.add", user.login)


def ask(session: Session, site: Party) -> str:
    """What a browser needs to have one of the person's keys sign, as JSON."""
    import webauthn

    known = _known(session.user)
    asked = webauthn.generate_authentication_options(rp_id=site.id, allow_credentials=known)
    _save_challenge(session, asked.challenge)
    return webauthn.options_to_json(asked)


def prove(session: Session, site: Party, answer: dict[str, Any]) -> None:
    """Prove the person of a session by what his key signed. Raises Unproved."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.exceptions import WebAuthnException

    user, challenge = session.user, _take_challenge(session)
    id = answer.get("id")
    mine = (Passkey.user == user, Passkey.credential == id)
    key = Passkey.get_or_none(*mine) if isinstance(id, str) else None
    if not key:
        raise Unproved("none of his keys")
    try:
        proved = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except WebAuthnException as error:
        raise Unproved(str(error)) from error
    with writing():
        used = {"sign_count": proved.new_sign_count, "used_at": clock.now()}
        Passkey.update(used).where(Passkey.id == key.id).execute()
        second_factor.mark(session, "passkey")
        audit.record(user.login, "login.second", address=session.address, by="passkey")


def remove(user: User, number: int) -> None:
    """Forget one of the person's keys; it is no error when there is none."""
    with writing():
        if Passkey.delete().where(Passkey.user == user, Passkey.id == number).execute():
            audit.record(user.login, "passkey.remove", user.login)


def _known(user: User) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    ids = (base64url_to_bytes(key.credential) for key in of(user))
    return [PublicKeyCredentialDescriptor(id=id) for id in ids]


def _save_challenge(session: Session, challenge: bytes) -> None:
    from webauthn.helpers import bytes_to_base64url

    text = bytes_to_base64url(challenge)
    Session.update(challenge=text).where(Session.id == session.id).execute()


def _take_challenge(session: Session) -> bytes:
    """What the key was to sign, once. Raises Unproved."""
    from webauthn.helpers import base64url_to_bytes

    kept = Session.get_by_id(session.id).challenge
    mine = (Session.id == session.id, Session.challenge == kept)
    if not kept or not Session.update(challenge="").where(*mine).execute():
        raise Unproved("nothing was asked")
    return base64url_to_bytes(kept)
