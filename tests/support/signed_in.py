"""Running the app under AppTest as a person."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.accounts.sessions import start_session
from core.accounts.users import User


def sign_in_app(app: AppTest, user: User) -> AppTest:
    """Let an AppTest run as this person, without the form."""
    app.session_state["auth_session"] = start_session(user)
    return app
