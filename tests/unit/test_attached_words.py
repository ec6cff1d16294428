"""What the page says about a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.chat.conversation import Attachment
from tests.support.turns import model
from ui.attachments import details, file_size, pages, shown_width_px, what_they_add

PICTURE = Attachment(
    name="a.png", kind="image", media_type="image/png", content_hash="ab", size_bytes=9, width=2048, height=1024
)
REPORT = Attachment(
    name="a.pdf", kind="pdf", media_type="application/pdf", content_hash="ab", size_bytes=348_160, pages=12,
    text_hash="cd", text_tokens=12_400,
)  # fmt: skip


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KB"), (348_160, "340 KB"), (1_258_291, "1.2 MB")],
)
def test_a_size_is_in_the_unit_people_read(size_bytes, words):
    assert file_size(size_bytes) == words


def test_a_pdf_says_its_pages_size_and_tokens():
    assert details(REPORT, None) == "12 pages, 340 KB, about 12.4k tokens"
    assert pages(replace(REPORT, pages=1)) == "1 page"


def test_an_image_says_what_it_counts_for_the_chosen_model():
    claude = model(provider=replace(model().provider, kind="anthropic"))

    assert details(PICTURE, model()) == "2048 by 1024 pixels, about 1,105 tokens"
    assert details(PICTURE, claude) == "2048 by 1024 pixels, about 1,600 tokens"


def test_files_say_together_what_they_add_to_a_message():
    assert what_they_add([PICTURE, REPORT], model()) == "Together about 13.5k tokens, about $0.04 with GPT"
    assert what_they_add([REPORT], model(prices=None)) == "Together about 12.4k tokens, unpriced with GPT"


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(2048, 1024, 200), (1024, 2048, 100), (8, 4, 8), (1, 9000, 1), (None, None, 200)]
)
def test_an_image_is_shown_small_whichever_way_it_stands(width, height, shown):
    assert shown_width_px(replace(PICTURE, width=width, height=height)) == shown
