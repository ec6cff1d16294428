"""A file is checked by what it holds, and kept in the form that models take."""

from __future__ import annotations

import io
import stat
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.chat.attachment_images import Unreadable
from core.chat.attachment_pdf import read_pdf
from core.chat.attachments import KINDS, MOST_MEGABYTES, clean_name, keep_file
from core.errors import TurnRefused
from core.store.files import FileStore
from tests.support.files import opened, pdf, picture


@pytest.fixture(name="files")
def _files(tmp_path):
    return FileStore(tmp_path / "attachments")


def keep(files, name, data):
    return keep_file(files, name=name, data=data)


def test_an_image_is_kept_with_its_size_under_its_hash_for_this_user_alone(files, tmp_path):
    kept = keep(files, "cat.png", picture(8, 4))

    assert (kept.kind, kept.media_type, kept.width, kept.height) == ("image", "image/png", 8, 4)
    [path] = tmp_path.glob("attachments/??/*")
    assert path.name == kept.content_hash
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_file_twice_is_kept_once(files, tmp_path):
    first, second = keep(files, "a.png", picture()), keep(files, "b.png", picture())

    assert first.content_hash == second.content_hash
    assert len(list(tmp_path.glob("attachments/??/*"))) == 1


def test_a_text_is_kept_as_it_came_and_as_models_read_it(files):
    data = "Grüße\r\nzwei".encode("cp1252")

    kept = keep(files, "note.TXT", data)

    assert (kept.kind, kept.size_bytes) == ("text", len(data))
    assert files.read(kept.content_hash) == data
    assert files.read(kept.text_hash).decode() == "Grüße\nzwei"
    assert kept.text_tokens > 0


def test_a_table_is_text_with_a_kind_of_its_own(files):
    assert keep(files, "figures.csv", b"a,b\n1,2\n").kind == "csv"


@pytest.mark.slow
def test_the_text_of_a_pdf_is_read_page_by_page(files):
    kept = keep(files, "report.pdf", pdf("First page", "Second page"))

    assert (kept.kind, kept.pages) == ("pdf", 2)
    assert files.read(kept.text_hash).decode() == "[page 1]\nFirst page\n\n[page 2]\nSecond page"


@pytest.mark.slow
def test_a_pdf_that_only_its_owner_may_change_can_be_read(files):
    assert keep(files, "report.pdf", pdf("Open to all", password="", owner_password="owner")).pages == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pdf("Secret", password="hidden"), "protected by a password"),
        (pdf("", ""), "holds no text"),
        (pdf("Cut")[:200], "damaged"),
    ],
    ids=["encrypted", "scanned", "cut"],
)
def test_a_pdf_that_cannot_be_read_says_why(files, tmp_path, data, why):
    with pytest.raises(TurnRefused, match=why) as refused:
        keep(files, "report.pdf", data)

    assert refused.value.code == "attachment"
    assert not list(tmp_path.glob("attachments/??/*"))


@pytest.mark.slow
def test_a_pdf_that_takes_too_long_is_given_up():
    with pytest.raises(Unreadable, match="too long to read"):
        read_pdf(pdf("Endless"), most_characters=10, within_s=0.01)


@pytest.mark.slow
def test_a_pdf_with_more_text_than_a_model_reads_is_refused():
    with pytest.raises(Unreadable, match="more text"):
        read_pdf(pdf("Far too long"), most_characters=3)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.exe", b"MZ", "of a kind that cannot be attached"),
        ("Makefile", b"all:", "of a kind that cannot be attached"),
        ("a.png", b"", "is empty"),
        ("a.txt", b" \n\t ", "nothing but blank space"),
        ("a.txt", b"\0" * 9, "not text"),
        ("a.txt", picture(), "not text"),
        ("a.csv", b"PK\x03\x04\x14\x00\x00\x00\x08\x00", "not text"),
        ("a.png", b"hello", "damaged, or no image"),
        ("a.png", picture(64, 64)[:80], "damaged, or no image"),
        ("a.png", pdf("A page"), "damaged, or no image"),
        ("a.jpg", picture(8, 8, "BMP"), "damaged, or no image"),
        ("a.pdf", b"hello", "damaged, or no PDF"),
        ("a.txt", b"a" * (MOST_MEGABYTES * 1024 * 1024 + 1), "larger than 20 MB"),
        ("a.txt", b"a" * 4_000_001, "more than 4,000,000 characters"),
    ],
    ids=[
        "a program",
        "no ending",
        "empty",
        "blank",
        "zeros",
        "an image called text",
        "an archive called table",
        "text called image",
        "a cut image",
        "a PDF called image",
        "another image format",
        "text called PDF",
        "huge",
        "a very long text",
    ],
)
def test_a_bad_file_is_refused_in_a_sentence_and_not_kept(files, tmp_path, name, data, why):
    with pytest.raises(TurnRefused, match=why) as refused:
        keep(files, name, data)

    assert refused.value.code == "attachment"
    assert name in str(refused.value)
    assert refused.value.next_step
    assert not list(tmp_path.glob("attachments/??/*"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.png", "a b.png"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\secrets\\a.txt", "a.txt"),
        ("line\nbreak\x1b.txt", "linebreak.txt"),
        ("evil\u202egnp.exe.txt", "evilgnp.exe.txt"),
        ("", "file"),
        ("\u200b", "file"),
        ("<b>bold</b>.md", "b>.md"),
    ],
)
def test_a_name_is_shown_without_folders_and_tricks(name, shown):
    assert clean_name(name) == shown


@given(name=st.text(max_size=300), ending=st.sampled_from(sorted(KINDS)))
def test_any_name_stays_short_and_keeps_its_ending(name, ending):
    shown = clean_name(f"{name}.{ending}")

    assert 1 <= len(shown) <= 100
    assert shown.endswith(ending)
    assert clean_name(shown) == shown


def test_a_photo_loses_where_and_when_it_was_taken_and_stands_upright(files):
    exif = opened(picture()).getexif()
    exif[0x0112] = 6  # lying on its side
    exif[0x010F] = "Camera of Ada"

    kept = keep(files, "photo.jpg", picture(40, 20, "JPEG", exif=exif))

    assert (kept.width, kept.height) == (20, 40)
    data = files.read(kept.content_hash)
    assert b"Camera of Ada" not in data
    assert not opened(data).getexif()


def test_a_large_image_is_kept_as_large_as_models_take_it(files):
    kept = keep(files, "large.png", picture(4096, 1024))

    assert (kept.width, kept.height) == (2048, 512)
    assert opened(files.read(kept.content_hash)).size == (2048, 512)


def test_a_small_image_is_kept_as_it_is(files):
    data = picture(64, 64, "WEBP")

    assert files.read(keep(files, "a.webp", data).content_hash) == data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "RGB"])
def test_every_way_of_keeping_colours_can_be_made_smaller(files, mode):
    kept = keep(files, "a.png", picture(2100, 2, mode=mode))

    assert kept.width == 2048
    opened(files.read(kept.content_hash)).load()


def test_sixteen_bits_of_grey_become_eight(files):
    out = io.BytesIO()
    Image.new("I;16", (8, 4), 32_768).save(out, "PNG")

    kept = keep(files, "scan.png", out.getvalue())

    assert opened(files.read(kept.content_hash)).convert("L").getpixel((0, 0)) == 128


def test_the_colours_of_printers_become_those_of_screens(files):
    kept = keep(files, "print.jpg", picture(8, 4, "JPEG", mode="CMYK"))

    assert opened(files.read(kept.content_hash)).mode == "RGB"


def test_of_an_animation_the_first_picture_is_kept(files):
    second = opened(picture(8, 4, "GIF"))
    data = picture(8, 4, "GIF", save_all=True, append_images=[second.point(lambda value: 255 - value)])

    kept = keep(files, "moving.gif", data)

    assert kept.media_type == "image/png"
    assert getattr(opened(files.read(kept.content_hash)), "n_frames", 1) == 1


def test_an_image_that_unpacks_to_a_giant_is_refused_before_it_is(files):
    giant = bytearray(picture(8, 4))
    giant[16:24] = (30_000).to_bytes(4, "big") * 2
    giant[29:33] = zlib.crc32(giant[12:29]).to_bytes(4, "big")

    with pytest.raises(TurnRefused, match="million pixels"):
        keep(files, "giant.png", bytes(giant))
