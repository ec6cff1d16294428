"""What a request needs of the attached files of a history: the texts, and whether the images are still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.catalog.models import Capability, ModelSpec
from core.chat.conversation import Attachment, Message
from core.errors import TurnRefused
from core.store.files import FileStore


def with_contents(files: FileStore | None, history: Sequence[Message]) -> Sequence[Message]:
    """The history with the texts of its files; a file that is gone is marked `lost`."""
    if not any(message.attachments for message in history):
        return history
    return [
        replace(message, attachments=tuple(_with_content(files, attached) for attached in message.attachments))
        if message.attachments
        else message
        for message in history
    ]


def has_images(message: Message) -> bool:
    """Whether a message comes with images, so that only a model that sees can answer it."""
    return any(attached.kind == "image" for attached in message.attachments)


def check_seen(question: Message, *, model: ModelSpec) -> None:
    """Raises TurnRefused "vision" when a question comes with images that `model` cannot see."""
    if Capability.VISION in model.capabilities:
        return
    count = sum(attached.kind == "image" for attached in question.attachments)
    if count:
        raise TurnRefused(
            "vision",
            f"{model.label} cannot see images, and your message has {'one' if count == 1 else count}.",
            next_step="Choose a model that can, or take the images out. Your message and its files are kept.",
        )


def check_there(attachments: Sequence[Attachment], files: FileStore | None) -> None:
    """Raises TurnRefused "attachment" when a file that is about to be sent is no longer kept."""
    for attached in attachments:
        if _with_content(files, attached).lost:
            raise TurnRefused(
                "attachment",
                f"The file {attached.name} waited too long and is no longer kept.",
                next_step="Take it out and attach it again. Your message is kept in the box.",
            )


def _with_content(files: FileStore | None, attached: Attachment) -> Attachment:
    if files is None or not files.holds(attached.content_hash):
        return replace(attached, lost=True)
    if attached.text_hash is None:
        return attached
    try:
        return replace(attached, text=files.read(attached.text_hash).decode("utf-8", "replace"))
    except OSError:
        return replace(attached, lost=True)
