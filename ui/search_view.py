"""The page that finds conversations and messages, and keeps conversations in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.landing import Landing, show_message
from core.chat.organise import all_tags
from core.chat.search import Hit, find_comparisons, find_conversations, find_messages
from core.chat.search_query import SearchQuery, parse_query
from core.chat.snippets import snippet
from core.errors import SwitchboardError
from ui import compare_state, state
from ui.compare_begin import COMPARE_PAGE
from ui.conversation_actions import draw_conversation_rows
from ui.conversation_list import CHAT_PAGE, day_words
from ui.deleted_view import draw_deleted
from ui.markdown import literal
from ui.shown_messages import show_at_least
from ui.sources import source
from ui.times import viewer_zone
from ui.unbroken import unbroken

_QUERY = "search_query"
_ARCHIVED = "search_archived"
_HERE, _AWAY, _DELETED = "Active", "Archived", "Deleted"
_FIRST_TITLES = 5
_MOST_TAGS = 12
# Messages that are drawn before the one that was found.
_CONTEXT = 4
_HELP = (
    'Words and "exact phrases" that are all in one message, or all in one title. Narrow it down with `model:haiku`, '
    "`tag:work`, `title:plan`, `before:2026-11-23` or `after:2026-11`. Case and accents do not matter."
)

# Streamlit has no way to say where typing goes when a page opens.
_focus = st.components.v2.component("search_focus", js=source("search_focus.js"))


def draw_query(services: Services, user: User) -> SearchQuery | None:
    """The box to type into and the tags to click; the query, or None for one that cannot be read."""
    st.session_state.setdefault(_QUERY, state.kept_search(user.id))
    text = st.text_input(
        "Search all conversations and comparisons",
        key=_QUERY,
        type="search",
        live=True,
        icon=":material/search:",
        placeholder='Words, "an exact phrase", model:haiku, tag:work, after:2026-11',
        help=_HELP,
    )
    state.keep_search(user.id, text or "")
    _focus(key="search_focus", data=None)
    _draw_tags(services, user)
    try:
        return parse_query(text or "", zone=viewer_zone())
    except SwitchboardError as error:
        st.warning(literal(str(error)), icon=":material/info:")
        return None


def draw_conversations_found(services: Services, user: User, query: SearchQuery) -> None:
    """Conversations by title, tag, model and time, to open or to tick."""
    choice = _draw_choice() if not query.terms else None
    if choice == _DELETED:
        draw_deleted(services, user)
        return
    wanted = choice if choice is None else choice == _AWAY
    limit = state.found_conversations() if not query.terms else _FIRST_TITLES
    found = find_conversations(services.database, user_id=user.id, query=query, archived=wanted, limit=limit + 1)
    if query.terms and found:
        st.caption("In titles")
    draw_conversation_rows(services, found[:limit])
    if not found and not query.terms:
        st.caption(_nothing(query, archived=bool(wanted)))
    if len(found) > limit and query.terms:
        st.caption("More titles fit. Add a word to narrow it down.")
    elif len(found) > limit:
        st.button("Show more", key="more_found", type="tertiary", on_click=state.find_more_conversations)


def draw_comparisons_found(services: Services, user: User, query: SearchQuery) -> None:
    """Comparisons by title, model and time; nothing when nothing is asked for."""
    if query.is_empty:
        return
    found = find_comparisons(services.database, user_id=user.id, query=query, limit=_FIRST_TITLES + 1)
    if not found:
        return
    st.caption("Comparisons")
    with st.container(key="found_comparisons", gap=None):
        for one in found[:_FIRST_TITLES]:
            with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
                opened = st.button(
                    literal(one.title),
                    key=f"found_comparison_{one.id}",
                    type="tertiary",
                    icon=":material/view_column:",
                    width="stretch",
                    wrap=False,
                )
                st.caption(day_words(one.updated_at), width="content")
            if opened:
                _open_comparison(one.id)
    if len(found) > _FIRST_TITLES:
        st.caption("More of them fit. Add a word to narrow it down, or look into the list on the Compare page.")


def _open_comparison(comparison_id: str) -> None:
    compare_state.open_comparison(comparison_id)
    st.switch_page(COMPARE_PAGE, query_params={"comparison": comparison_id})


def draw_messages_found(services: Services, user: User, query: SearchQuery) -> None:
    """The messages that hold every term, newest first, under their conversations."""
    if not query.terms:
        return
    hits = find_messages(services.database, user_id=user.id, query=query)
    st.caption("In messages" if hits else "No message holds all of this. Try fewer words, or the beginning of one.")
    for _, of_one in groupby(hits, key=lambda hit: hit.comparison_id or hit.conversation_id):
        _draw_hits(services, user, list(of_one), query.terms)


def _draw_hits(services: Services, user: User, hits: Sequence[Hit], terms: Sequence[str]) -> None:
    first = hits[0]
    more = first.hits_in_conversation - len(hits)
    with st.container(key=f"hits_{first.message_id}", border=True, gap="xsmall"):
        mark = " :gray-badge[:material/archive: archived]" if first.archived else ""
        mark = " :gray-badge[:material/view_column: comparison]" if first.comparison_id else mark
        st.markdown(f"**{literal(first.title)}**{mark}")
        for hit in hits:
            st.caption(_who_and_when(hit))
            if st.button(_snippet(hit, terms), key=f"hit_{hit.message_id}", type="tertiary", width="stretch"):
                _open(services, user, hit, terms)
        if more > 0:
            st.caption(f"{more} more in this {'comparison' if first.comparison_id else 'conversation'}")


def _open(services: Services, user: User, hit: Hit, terms: Sequence[str]) -> None:
    if hit.comparison_id is None:
        state.open_conversation(hit.conversation_id)
    else:
        compare_state.open_comparison(hit.comparison_id)
    try:
        landing = show_message(
            services.database, conversation_id=hit.conversation_id, user_id=user.id, message_id=hit.message_id
        )
    except SwitchboardError as error:
        # An answer is being written on another branch, or the message has just gone: all the rest is shown as it is.
        state.leave_notice(str(error))
    else:
        _point_out(hit, landing, terms)
    if hit.comparison_id is not None:
        st.switch_page(COMPARE_PAGE, query_params={"comparison": hit.comparison_id})
    st.switch_page(CHAT_PAGE, query_params={"c": hit.conversation_id})


def _point_out(hit: Hit, landing: Landing, terms: Sequence[str]) -> None:
    if hit.comparison_id is not None:
        compare_state.point_out(hit.comparison_id, landing.message_id, terms)
        return
    show_at_least(landing.from_end + _CONTEXT)
    state.point_out(hit.conversation_id, landing.message_id, terms)


def _snippet(hit: Hit, terms: Sequence[str]) -> str:
    pieces = snippet(hit.content, terms)
    return "".join(f":primary-background[{literal(part.text)}]" if part.hit else literal(part.text) for part in pieces)


def _who_and_when(hit: Hit) -> str:
    who = "You" if hit.role == "user" else literal(hit.model_label or "a model")
    return f"{who} · {day_words(hit.created_at)}"


def _draw_tags(services: Services, user: User) -> None:
    tags = all_tags(services.database, user_id=user.id)[:_MOST_TAGS]
    if tags:
        with st.container(horizontal=True, key="tags", gap="xsmall"):
            for tag in tags:
                st.button(f"#{literal(tag)}", key=f"tag_{tag}", type="tertiary", on_click=_search_tag, args=(tag,))


@unbroken
def _search_tag(tag: str) -> None:
    st.session_state[_QUERY] = f"tag:{tag}"


def _draw_choice() -> str:
    choice = st.segmented_control(
        "Which conversations", [_HERE, _AWAY, _DELETED], key=_ARCHIVED, default=_HERE, label_visibility="collapsed"
    )
    return choice or _HERE


def _nothing(query: SearchQuery, *, archived: bool) -> str:
    if not query.is_empty:
        return "No conversation fits. Leave something out, or look among the archived ones."
    if archived:
        return "Nothing is archived. Archive a conversation from its menu, or tick it here."
    return "No conversations yet. Start one on the Chat page."
