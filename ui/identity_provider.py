"""Sign-in through an OpenID Connect provider (st.login), where .streamlit/secrets.toml has a section [auth]."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.accounts.oidc import claimed_groups, ensure_oidc_user
from core.accounts.sessions import Session
from core.accounts.users import User
from core.bootstrap import Services
from core.clock import utc_now

_NOT_A_PROVIDER = "client_kwargs"


def providers() -> dict[str, str]:
    """The configured providers by name ("" is the unnamed one), with the label of their button."""
    if not st.secrets.load_if_toml_exists():
        return {}
    section = st.secrets.get("auth", {})
    named = [name for name in section if isinstance(section[name], Mapping) and name != _NOT_A_PROVIDER]
    unnamed = {"": "Continue with single sign-on"} if "client_id" in section else {}
    return {**unnamed, **{name: f"Continue with {name.title()}" for name in named}}


def provider_says_signed_in() -> bool:
    """Whether this tab connected with a provider's word on who it is."""
    return bool(_claims())


def provider_session(services: Services) -> tuple[User, Session] | None:
    """The person the provider vouches for, created on first sight, and the session that began at the provider.

    Their groups follow the provider where SWITCHBOARD_OIDC_GROUPS names its claim.
    """
    claims = _claims()
    if not claims:
        return None
    # A provider whose clock runs ahead must not make sessions that outlive a later "sign out everywhere".
    signed_in_at = min(datetime.fromtimestamp(int(claims["iat"]), UTC).replace(tzinfo=None), utc_now())
    user = ensure_oidc_user(
        services.database,
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=claims.get("email"),
        name=claims.get("name"),
        signed_in_at=signed_in_at,
    )
    if claim := services.settings.oidc_groups:
        services.groups.follow(user, claimed_groups(claims, claim), claimed_at=signed_in_at)
    return user, Session(id=_session_id(claims), username=user.username, issued_at=signed_in_at)


def _claims() -> dict[str, Any]:
    claims: dict[str, Any] = st.user.to_dict()
    # Required in every ID token (OpenID Connect Core 1.0, section 2).
    complete = claims.get("is_logged_in") and all(claims.get(name) for name in ("iss", "sub", "iat"))
    return claims if complete else {}


def _session_id(claims: Mapping[str, Any]) -> str:
    parts = [str(claims.get(name)) for name in ("iss", "sub", "iat", "nonce")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
