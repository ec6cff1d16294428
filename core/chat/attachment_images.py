"""Images as they are kept: whole, without metadata, and no larger than models take them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from core.providers.images import LONGEST_SIDE_PX

# A picture of 50 million pixels takes 200 MB while it is read; phones take up to 48 million.
_MOST_PIXELS = 50_000_000
# Anthropic takes 32 MB of Base64 in a request, the least of all: ten images and a long text fit.
_MOST_BYTES = 2_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_SENT_AS_IS = frozenset({"PNG", "JPEG", "WEBP"})
# Not everybody reads the colours of printers, or 16 bits of grey.
_COLOURS_SENT_AS_IS = frozenset({"RGB", "RGBA", "L", "LA", "P", "1"})
# Where a camera or an editor notes the place, the time and the person.
_METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop", "mpf", "mp"})
_OPAQUE = frozenset({"RGB", "L"})
_QUALITY = 88


class Unreadable(Exception):
    """A file cannot be used: `what` goes on from its name, `next_step` says what to do."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """An image ready to be kept; its size is in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int


def prepare_image(data: bytes) -> PreparedImage:
    """Check an image and make it fit. Of an animation the first picture counts.

    Raises Unreadable for what is no PNG, JPEG, WebP or GIF, for a damaged image, and for one of too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(image)
            return _prepared(image, data)
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:
        # Pillow raises whatever its readers stumble over: a damaged image may end in any of a dozen errors.
        raise Unreadable("is damaged, or no image that can be read", "Save it anew as PNG or JPEG.") from error


def preview_url(data: bytes, *, side_px: int) -> str:
    """A small version of a kept image as a data URL, its longer side at most `side_px`."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        image.thumbnail((side_px, side_px))
        out = io.BytesIO()
        image.convert("RGBA" if _has_alpha(image) else "RGB").save(out, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


def _check_pixels(image: Image.Image) -> None:
    # The header says the size: nothing has been unpacked yet.
    if image.width * image.height > _MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> Unreadable:
    return Unreadable(f"has more than {_MOST_PIXELS // 1_000_000} million pixels", "Make it smaller first.")


def _prepared(image: Image.Image, data: bytes) -> PreparedImage:
    kind = image.format or ""
    moving = getattr(image, "n_frames", 1) > 1
    image.load()
    if kind in _SENT_AS_IS and not moving and not _has_metadata(image) and _fits(image, data):
        return PreparedImage(data=data, media_type=f"image/{kind.lower()}", width=image.width, height=image.height)
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    saved, media_type = _saved(upright, photo=kind == "JPEG")
    return PreparedImage(data=saved, media_type=media_type, width=upright.width, height=upright.height)


def _has_metadata(image: Image.Image) -> bool:
    return bool(_METADATA & image.info.keys()) or bool(getattr(image, "text", None)) or bool(image.getexif())


def _fits(image: Image.Image, data: bytes) -> bool:
    small = max(image.size) <= LONGEST_SIDE_PX and len(data) <= _MOST_BYTES
    return small and image.mode in _COLOURS_SENT_AS_IS


def _saved(image: Image.Image, *, photo: bool) -> tuple[bytes, str]:
    colours = _in_eight_bits(image)
    colours.info.clear()
    if not photo:
        data = _encoded(colours, "PNG")
        if len(data) <= _MOST_BYTES:
            return data, "image/png"
    if colours.mode not in _OPAQUE:
        white = Image.new("RGB", colours.size, "white")
        white.paste(colours, mask=colours.getchannel("A"))
        colours = white
    return _encoded(colours, "JPEG"), "image/jpeg"


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow cuts 16 bits off at 255 instead of scaling them: everything would be white.
        return image.convert("F").point(lambda value: value / 256).convert("L")
    if _has_alpha(image):
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=_QUALITY, optimize=kind == "PNG")
    return out.getvalue()


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
