"""Images are read when the call goes out, and are no larger than the provider wants them."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.images import read_images
from core.providers.parts import ImagePart, TextPart


def picture(width, height, kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def request(*images, kind="openai"):
    spec = ModelSpec(id="m", label="M", provider=ProviderSpec(id="p", kind=kind), upstream="m")
    asked = message_of("user", [*images, TextPart("what is it?")])
    return CompletionRequest(model=spec, messages=[ChatMessage("system", "be brief"), asked])


def image(name, width, height):
    return ImagePart(content_hash=name, media_type="image/png", width=width, height=height)


def size_in(url):
    return Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2]))).size


async def test_an_image_that_fits_goes_out_as_it_is():
    data = picture(8, 4)

    [url] = (await read_images(request(image("a", 8, 4)), {"a": data}.__getitem__)).values()

    assert url == f"data:image/png;base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(("kind", "size"), [("anthropic", (1568, 784)), ("openai", (2000, 1000))])
async def test_an_image_is_made_as_small_as_the_provider_wants_it(kind, size):
    kept = {"a": picture(2000, 1000)}

    urls = await read_images(request(image("a", 2000, 1000), kind=kind), kept.__getitem__)

    assert size_in(urls["a"]) == size


async def test_an_image_that_comes_twice_is_read_once():
    read = []

    def reading(name):
        read.append(name)
        return picture(8, 4)

    await read_images(request(image("a", 8, 4), image("a", 8, 4)), reading)

    assert read == ["a"]


async def test_a_request_without_images_reads_nothing():
    assert await read_images(request(), {}.__getitem__) == {}


async def test_an_image_that_is_gone_says_so():
    def gone(name):
        raise FileNotFoundError(name)

    with pytest.raises(ProviderError, match="no longer kept") as caught:
        await read_images(request(image("a", 8, 4)), gone)

    assert caught.value.error_class == ErrorClass.BAD_REQUEST
