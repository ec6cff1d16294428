"""Files belong to their message: sent with it, answered again with it, exported with it, gone with it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from core.catalog.models import Capability
from core.chat.attachment_care import export_attachments, hashes_of_user, remove_unnamed, sweep
from core.chat.attachments import keep_file
from core.chat.recovery import recover_turns
from core.chat.store import list_conversations
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.providers.parts import ImagePart, TextPart
from core.providers.scripted import answer
from core.store.files import FileStore
from tests.support.attempts import delete_attempts
from tests.support.files import picture
from tests.support.turns import finish, model, rig

SEES = frozenset({Capability.STREAMING, Capability.SYSTEM_PROMPT, Capability.VISION})
BROKEN = ProviderError(ErrorClass.SERVER, "It is down.")


@pytest.fixture(name="files")
def _files(tmp_path):
    return FileStore(tmp_path / "attachments")


@pytest.fixture(name="cat")
def _cat(files):
    return keep_file(files, name="cat.png", data=picture())


@pytest.fixture(name="note")
def _note(files):
    return keep_file(files, name="note.md", data=b"remember the milk")


def asked(made):
    """The last message of every request so far."""
    return [request.messages[-1] for request in made.gateway.history]


def answered(made, live):
    return made.messages(live.ids.conversation)[-1].content


def test_a_message_keeps_its_files_and_the_model_gets_them(database, files, cat, note):
    with rig(database, model(capabilities=SEES), files=files) as made:
        made.gateway.enqueue("gpt", *answer("A cat"))
        live = made.ask("What is it?", attachments=[note, cat])
        finish(live)

        [question, _] = made.messages(live.ids.conversation)
        [sent] = asked(made)

    assert question.attachments == (note, cat)
    image, text, words = sent.parts
    assert isinstance(image, ImagePart)
    assert image.content_hash == cat.content_hash
    assert "note.md" in text.text
    assert "remember the milk" in text.text
    assert words == TextPart("What is it?")


def test_bytes_and_texts_of_files_are_in_no_row(database, files, note):
    with rig(database, files=files) as made:
        made.gateway.enqueue("gpt", *answer("Noted"))
        finish(made.ask("Keep this", attachments=[note]))

        rows = [made.rows(table) for table in ("messages", "turns", "attempts", "conversations")]

    assert "milk" not in str(rows)


def test_files_alone_are_a_message_and_name_the_conversation(database, files, cat, note):
    with rig(database, model(capabilities=SEES), files=files) as made:
        made.gateway.enqueue("gpt", *answer("A cat"))
        live = made.ask(" ", attachments=[cat, note])
        finish(live)

        [conversation] = list_conversations(database, user_id="ann", limit=2)
        assert conversation.title == "cat.png note.md"
        assert made.messages(live.ids.conversation)[0].content == ""


def test_images_for_a_model_that_cannot_see_are_refused_and_nothing_is_stored(database, files, cat):
    with rig(database, files=files) as made:
        with pytest.raises(TurnRefused, match="GPT cannot see images") as refused:
            made.ask("What is it?", attachments=[cat])

        assert refused.value.code == "vision"
        assert made.rows("conversations") == made.rows("messages") == []


def test_a_file_that_is_gone_before_it_is_sent_is_refused(database, files, note):
    files.remove(note.content_hash)

    with rig(database, files=files) as made, pytest.raises(TurnRefused, match="waited too long"):
        made.ask("Keep this", attachments=[note])


def test_a_file_that_went_later_leaves_a_note(database, files, note):
    with rig(database, files=files) as made:
        made.gateway.enqueue("gpt", *answer("Noted"))
        made.gateway.enqueue("gpt", *answer("Milk, perhaps"))
        live = made.ask("Keep this", attachments=[note])
        finish(live)
        files.remove(note.text_hash)
        finish(made.ask("And now?", conversation_id=live.ids.conversation))

        assert "no longer kept" in made.gateway.history[-1].messages[0].content


def test_trying_again_and_editing_take_the_files_along(database, files, cat):
    with rig(database, model(capabilities=SEES), files=files) as made:
        for text in ("A dog", "A cat", "A tabby"):
            made.gateway.enqueue("gpt", *answer(text))
        live = made.ask("What is it?", attachments=[cat])
        finish(live)
        where = {"conversation_id": live.ids.conversation}
        finish(made.ask("", answer_again=live.ids.question, **where))
        finish(made.ask("Which kind is it?", edits=live.ids.question, **where))

        assert all(isinstance(message.parts[0], ImagePart) for message in asked(made))
        assert made.messages(live.ids.conversation)[-2].attachments == (cat,)


def test_only_models_that_see_answer_instead(database, files, cat):
    models = [
        model(capabilities=SEES, fallbacks=("blind", "seeing")),
        model("blind"),
        model("seeing", capabilities=SEES),
    ]
    with rig(database, *models, files=files) as made:
        for _ in range(3):
            made.gateway.enqueue("gpt", BROKEN)
        made.gateway.enqueue("seeing", *answer("A cat"))
        live = made.ask("What is it?", attachments=[cat])
        finish(live)

        assert answered(made, live) == "A cat"
        assert "blind" not in {request.model.id for request in made.gateway.history}


def test_a_model_that_cannot_see_goes_on_after_an_earlier_image(database, files, cat):
    with rig(database, model(capabilities=SEES), model("blind"), files=files) as made:
        made.gateway.enqueue("gpt", *answer("A cat"))
        made.gateway.enqueue("blind", *answer("You said so"))
        live = made.ask("What is it?", attachments=[cat])
        finish(live)
        finish(made.ask("Are you sure?", conversation_id=live.ids.conversation, model_id="blind"))

        first = made.gateway.history[-1].messages[0]

    assert first.parts == ()
    assert "You cannot see images" in first.content


def test_a_crash_counts_the_text_of_the_files(database, files):
    long = keep_file(files, name="long.txt", data=b"word " * 2000)
    with rig(database, files=files) as made:
        made.gateway.enqueue("gpt", *answer("Noted"))
        finish(made.ask("Keep this", attachments=[long]))
    delete_attempts(database)
    database.execute("delete from messages where role = 'assistant'")
    database.execute("update turns set status = 'running', partial_text = 'No'")

    recover_turns(database, find_model={"gpt": model()}.get, files=files)

    [attempt] = database.fetch_all("select input_tokens from attempts")
    assert attempt["input_tokens"] > 1900


def test_the_export_of_a_person_holds_the_bytes_of_their_files_and_nobody_elses(database, files, cat, note):
    with rig(database, model(capabilities=SEES), files=files) as made:
        made.gateway.enqueue("gpt", *answer("A cat"))
        made.gateway.enqueue("gpt", *answer("Noted"))
        live = made.ask("What is it?", attachments=[cat])
        finish(live)
        finish(made.ask("Keep this", attachments=[note], user_id="bob"))

    [exported] = export_attachments(database, files, user_id="ann")

    assert exported["message_id"] == live.ids.question
    assert exported["name"] == "cat.png"
    assert base64.b64decode(exported["content_base64"]) == picture()


def test_files_that_no_message_names_are_swept_once_they_are_old(database, files, cat, note, tmp_path):
    with rig(database, model(capabilities=SEES), files=files) as made:
        made.gateway.enqueue("gpt", *answer("A cat"))
        finish(made.ask("What is it?", attachments=[cat]))

    assert sweep(database, files) == 0

    for path in Path(tmp_path).glob("attachments/??/*"):
        os.utime(path, (0, 0))
    assert sweep(database, files) == 1
    assert files.holds(cat.content_hash)
    assert not files.holds(note.content_hash)


def test_deleting_a_persons_files_leaves_what_others_sent_too(database, files, cat, note):
    with rig(database, model(capabilities=SEES), files=files) as made:
        for user_id, attachments in (("ann", [cat, note]), ("bob", [cat])):
            made.gateway.enqueue("gpt", *answer("Noted"))
            finish(made.ask("Keep this", attachments=attachments, user_id=user_id))
    of_ann = hashes_of_user(database, user_id="ann")
    anns = "select id from conversations where user_id = 'ann'"
    database.execute(f"delete from messages where conversation_id in ({anns})")  # noqa: S608 - fixed text

    remove_unnamed(database, files, of_ann)

    assert files.holds(cat.content_hash)
    assert not files.holds(note.content_hash)
