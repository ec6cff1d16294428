"""The pages' only way to core."""

from __future__ import annotations

from core.bootstrap import Services, open_services


def get_services() -> Services:
    """The services of this process.

    They are kept in core.bootstrap and not in st.cache_resource: "clear cache" in the menu must not lead to a second
    engine on the same store.
    """
    return open_services()
