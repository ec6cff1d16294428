"""Taking conversations out as files, and bringing them in from this or another program."""

from __future__ import annotations

from functools import partial
from typing import Literal

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.conversation import Conversation
from core.chat.export import export_all_markdown, export_json, export_markdown, file_stem
from core.chat.import_job import ImportProgress
from core.chat.import_upload import Upload
from ui.accounts_view import act, draw_problem
from ui.formats import counted
from ui.markdown import literal
from ui.unbroken import once, unbroken

_PLACE = "import"
_UPLOADS = "import_files"
# Counted up to empty the field: a file that stays in it would stay in memory.
_ROUND = "import_round"
_MOST_MB = 300
_LOOK_EVERY_S = 0.5
_PROBLEMS_PX = 220
_FEW = 6


@st.dialog("Export conversation")
def draw_export(services: Services, conversation: Conversation) -> None:
    """One conversation as a file: JSON with everything in it, or Markdown to read."""
    stem = file_stem(conversation.title)
    st.caption("All branches and attached files, to keep or to import again.")
    st.download_button(
        "Export as JSON",
        key="export_json",
        icon=":material/data_object:",
        width="stretch",
        data=partial(
            export_json,
            services.database,
            services.files,
            user_id=conversation.user_id,
            conversation_id=conversation.id,
        ),
        file_name=f"{stem}.json",
        mime="application/json",
        on_click="ignore",
    )
    st.caption("The branch on show, to read and to paste.")
    st.download_button(
        "Export as Markdown",
        key="export_markdown",
        icon=":material/markdown:",
        width="stretch",
        data=partial(export_markdown, services.database, user_id=conversation.user_id, conversation_id=conversation.id),
        file_name=f"{stem}.md",
        mime="text/markdown",
        on_click="ignore",
    )


def draw_export_all(services: Services, user: User) -> None:
    """All conversations to read."""
    st.download_button(
        "Export conversations as Markdown",
        key="export_all_markdown",
        icon=":material/folder_zip:",
        data=partial(export_all_markdown, services.database, user_id=user.id),
        file_name=f"switchboard-{user.username}-markdown.zip",
        mime="application/zip",
        on_click="ignore",
        help="A zip archive with one file for each conversation, as it is on show.",
    )


def draw_import(services: Services, user: User) -> None:
    """Choose files, then see how the import goes; it goes on when the page is left."""
    st.caption(
        "Exports of Switchboard, ChatGPT (conversations.json, or the whole archive), Open WebUI and LibreChat. "
        "Importing a file again adds only what is new. Costs are not imported."
    )
    progress = services.imports.progress(user.id)
    if progress is not None and progress.state == "running":
        _watch(services, user)
        return
    files = st.file_uploader(
        "Files to import",
        type=["json", "zip"],
        accept_multiple_files=True,
        key=_files_key(),
        max_upload_size=_MOST_MB,
        help=f"Up to {_MOST_MB} MB each, .json or .zip.",
    )
    st.button(
        "Import",
        key="import",
        icon=":material/upload:",
        type="primary",
        disabled=not files,
        on_click=_start,
        args=(services,),
    )
    draw_problem(_PLACE)
    if progress is not None:
        _draw_result(services, progress)


def result_line(progress: ImportProgress) -> str:
    """What came of an import in one sentence or two."""
    written = progress.written
    parts = [f"{counted(written.added, 'conversation')} imported"]
    if progress.files:
        parts.append(counted(progress.files, "attached file"))
    if written.updated:
        parts.append(f"{written.updated} brought up to date")
    if written.known:
        parts.append(f"{written.known} there already")
    if progress.skipped:
        parts.append(f"{progress.skipped} left out because they were deleted when exported")
    line = f"{', '.join(parts)}."
    if progress.damaged:
        line += f" {counted(progress.damaged, 'problem')}: see below."
    return line


def _files_key() -> str:
    return f"{_UPLOADS}_{st.session_state.get(_ROUND, 0)}"


@unbroken
def _start(services: Services) -> None:
    def work(user: User) -> str:
        files = st.session_state.get(_files_key())
        if not files:  # the second click of a double click: the first one has taken them
            return ""
        uploads = [Upload(name=file.name, data=file.getvalue()) for file in files]
        once("start", partial(services.imports.start, uploads, user_id=user.id))
        drawn = once("round", lambda: int(st.session_state.get(_ROUND, 0)))
        st.session_state[_ROUND] = drawn + 1
        return ""

    act(services, _PLACE, work)


@st.fragment(run_every=_LOOK_EVERY_S)
def _watch(services: Services, user: User) -> None:
    progress = services.imports.progress(user.id)
    if progress is None or progress.state != "running":
        # Once: the page that is drawn then has no such fragment.
        st.rerun()
    else:
        done = counted(progress.written.messages, "message")
        st.progress(progress.share, text=f"Importing: {done} so far. You can leave this page.")


def _draw_result(services: Services, progress: ImportProgress) -> None:
    for sentence in progress.refused:
        st.error(literal(sentence), icon=":material/error:")
    if progress.state == "stopped":
        st.warning("The import was interrupted. Import the file again to go on.", icon=":material/error:")
    if progress.written.added or progress.written.known or progress.written.updated or not progress.refused:
        st.success(literal(result_line(progress)), icon=":material/check:")
    if progress.problems:
        height: int | Literal["content"] = _PROBLEMS_PX if len(progress.problems) > _FEW else "content"
        with st.expander("What could not be imported"), st.container(height=height, border=False):
            st.markdown("\n".join(f"- {literal(problem)}" for problem in progress.problems))
            if progress.damaged > len(progress.problems):
                st.caption(f"The first {len(progress.problems)} of {progress.damaged:,}.")
    st.button("Close", key="import_close", type="tertiary", on_click=_forget, args=(services,))


@unbroken
def _forget(services: Services) -> None:
    def work(user: User) -> str:
        services.imports.forget(user.id)
        return ""

    act(services, _PLACE, work)
