"""A conversation that somebody shared: to read, and to go on from in one's own chats."""

from __future__ import annotations

from ui.auth import require_user
from ui.runtime import get_services
from ui.share_view import draw_shared_page

user = require_user()
draw_shared_page(get_services(), user)
