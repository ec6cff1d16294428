"""Finding the file that a model means."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.chat.conversation import Attachment, AttachmentKind
from core.tools.tool import ToolError


def find_file(files: Sequence[Attachment], name: str | None, *, kinds: Collection[AttachmentKind]) -> Attachment:
    """The newest file of that name, or the only one there is. Raises ToolError that names those there are."""
    usable = {attached.name: attached for attached in files if attached.kind in kinds and not attached.lost}
    if name is None and len(usable) == 1:
        return next(iter(usable.values()))
    if name in usable:
        return usable[name]
    names = ", ".join(usable) or "none"
    if name is None:
        raise ToolError(f"Say which file. There are: {names}.")
    raise ToolError(f"There is no file named {name}. There are: {names}.")
