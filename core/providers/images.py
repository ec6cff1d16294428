"""Images on their way to a provider: read when the call goes out, and no larger than it wants them."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable, Mapping

from PIL import Image

from core.errors import ErrorClass, ProviderError
from core.providers.gateway import CompletionRequest
from core.providers.parts import ImagePart

# What is kept is no larger than this; most providers take it whole.
LONGEST_SIDE_PX = 2048
# Anthropic makes larger ones smaller itself, after they have travelled (docs.anthropic.com, "Vision").
_SIDE_OF_PX = {"anthropic": 1568}
_QUALITY = 88

ReadFile = Callable[[str], bytes]


def nothing_kept(content_hash: str) -> bytes:
    """Where no files are kept. Raises FileNotFoundError."""
    raise FileNotFoundError(content_hash)


async def read_images(request: CompletionRequest, read: ReadFile) -> Mapping[str, str]:
    """The data URL of every image of a request by its hash; `read` gives the bytes of a hash.

    Raises ProviderError BAD_REQUEST when the bytes of one are gone.
    """
    wanted = {
        part.content_hash: part for message in request.messages for part in message.parts if isinstance(part, ImagePart)
    }
    if not wanted:
        return {}
    side_px = _SIDE_OF_PX.get(request.model.provider.kind, LONGEST_SIDE_PX)
    return await asyncio.to_thread(lambda: {name: _data_url(part, read, side_px) for name, part in wanted.items()})


def _data_url(part: ImagePart, read: ReadFile, side_px: int) -> str:
    try:
        data = read(part.content_hash) if part.data is None else part.data
    except OSError as error:
        raise ProviderError(
            ErrorClass.BAD_REQUEST,
            "An image of this conversation is no longer kept.",
            next_step="Attach it again in a new message.",
        ) from error
    if max(part.width, part.height) > side_px:
        data = _smaller(data, side_px)
    return f"data:{part.media_type};base64,{base64.b64encode(data).decode()}"


def _smaller(data: bytes, side_px: int) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        kind = image.format
        image.thumbnail((side_px, side_px))
        out = io.BytesIO()
        image.save(out, kind, quality=_QUALITY)
    return out.getvalue()
