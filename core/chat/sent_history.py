"""What of a conversation is sent: where a person said so, a summary of its older part, or without the oldest."""

from __future__ import annotations

from collections.abc import Sequence

from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest
from core.chat.attachment_contents import with_contents
from core.chat.conversation import Message
from core.chat.shortening import without_oldest
from core.chat.summary import condensed
from core.store.files import FileStore


def sent_history(
    files: FileStore | None, history: Sequence[Message], request: TurnRequest, *, model: ModelSpec
) -> tuple[Sequence[Message], int]:
    """The history of a turn with the contents of its files, and how many of the oldest messages were left out."""
    kept, left_out = condensed(history, request.summary), 0
    if request.drop_oldest:
        kept, left_out = without_oldest(kept, model=model, system_prompt=request.system_prompt)
    return with_contents(files, kept), left_out
