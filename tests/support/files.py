"""Small images and PDFs for tests."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def picture(width: int = 8, height: int = 4, kind: str = "PNG", *, mode: str = "RGB", **saved: Any) -> bytes:
    """An image of one colour, or with `save_all` and `append_images` more."""
    out = io.BytesIO()
    Image.new(mode, (width, height), 128 if mode in {"L", "P", "I;16"} else "teal").save(out, kind, **saved)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """An image to look at."""
    return Image.open(io.BytesIO(data))


def pdf(*texts: str, password: str | None = None, owner_password: str | None = None) -> bytes:
    """A PDF with a page for every text; a blank text makes a page without any."""
    writer = PdfWriter()
    for text in texts:
        page = writer.add_blank_page(width=300, height=200)
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        fonts = DictionaryObject({NameObject("/F1"): _names(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(content)
    if password is not None:
        writer.encrypt(password, owner_password=owner_password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _names(values: dict[str, str]) -> DictionaryObject:
    return DictionaryObject({NameObject(name): NameObject(value) for name, value in values.items()})
