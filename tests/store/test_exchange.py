"""Out of one Switchboard and into another, or in from other programs: nothing is lost, nothing comes twice."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.chat.attachment_rows import to_json as rows_of
from core.chat.attachments import keep_file
from core.chat.exchange import Parcel, message, to_document
from core.chat.export import export_all_markdown, export_json, export_markdown, file_stem, load_parcels, to_json
from core.chat.import_job import ImportJobs
from core.chat.import_upload import Upload
from core.chat.import_write import write_parcels
from core.chat.kept_parameters import keep_for_conversation
from core.chat.own_data import delete_data, export_data
from core.chat.search import find_messages, index_changed
from core.chat.search_query import parse_query
from core.chat.store import delete_conversation, list_conversations, load_conversation, load_messages
from core.errors import ImportRefused, NotFound
from core.providers.scripted import answer
from core.store.files import FileStore
from tests.support.exports import chatgpt, gpt_node, librechat, open_webui, roles_and_parts
from tests.support.people import add_person
from tests.support.turns import finish, rig

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 4, 12)  # noqa: DTZ001 - naive UTC, as everywhere


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


@pytest.fixture(name="files")
def _files(tmp_path):
    return FileStore(tmp_path / "attachments")


@pytest.fixture(name="jobs")
def _jobs(database, files):
    jobs = ImportJobs(database, files)
    yield jobs
    jobs.close()


def bring(jobs, user, *documents, name="export.json"):
    """Import documents, each as a file of its own, and wait."""
    uploads = [
        Upload(name=name, data=document if isinstance(document, bytes) else json.dumps(document).encode())
        for document in documents
    ]
    jobs.start(uploads, user_id=user.id)
    progress = jobs.wait(user.id, timeout_s=30)
    assert progress is not None
    assert progress.state == "done"
    return progress


def figures(progress):
    return progress.written.added, progress.written.updated, progress.written.known


def titles(database, user):
    return sorted(found.title for found in list_conversations(database, user_id=user.id, limit=99))


def told(database, user):
    """A conversation with an answer and a value of its own; returns its id."""
    with rig(database) as made:
        made.gateway.enqueue("gpt", *answer("An **answer**"))
        live = made.ask("A question", user_id=user.id)
        finish(live)
    keep_for_conversation(database, user_id=user.id, conversation_id=live.ids.conversation, values={"seed": 1})
    return live.ids.conversation


def test_a_conversation_comes_back_after_its_owners_data_was_deleted(database, ada, jobs):
    told(database, ada)
    before = load_parcels(database, user_id=ada.id)
    exported = export_data(database, ada)
    delete_data(database, ada)

    assert figures(bring(jobs, ada, exported)) == (1, 0, 0)

    assert load_parcels(database, user_id=ada.id) == before


def test_importing_twice_adds_nothing(database, ada, jobs):
    told(database, ada)
    files = [export_data(database, ada), [chatgpt(), open_webui(), roles_and_parts()], librechat()]
    assert figures(bring(jobs, ada, *files)) == (4, 0, 1)
    before = load_parcels(database, user_id=ada.id)

    assert figures(bring(jobs, ada, *files)) == (0, 0, 5)

    assert load_parcels(database, user_id=ada.id) == before


def test_another_person_gets_a_copy_and_the_owner_keeps_theirs(database, ada, bob, jobs):
    told(database, ada)
    before = load_parcels(database, user_id=ada.id)
    exported = export_data(database, ada)

    assert figures(bring(jobs, bob, exported)) == (1, 0, 0)
    assert figures(bring(jobs, bob, exported)) == (0, 0, 1)

    (copy,) = load_parcels(database, user_id=bob.id)
    assert load_parcels(database, user_id=ada.id) == before
    assert copy.id != before[0].id
    assert [one.content for one in copy.messages] == ["A question", "An **answer**"]
    assert copy.messages[1].parent_id == copy.messages[0].id
    assert copy.leaf_message_id == copy.messages[1].id
    conversation = load_conversation(database, conversation_id=copy.id, user_id=bob.id)
    assert [one.figures for one in load_messages(database, conversation=conversation)] == [None, None]


def test_an_import_never_writes_into_the_ledger(database, ada, jobs):
    bring(jobs, ada, [chatgpt(), open_webui()])
    assert database.fetch_all("select * from attempts") == []
    assert database.fetch_all("select * from turns") == []


def test_what_a_source_gained_since_is_added(database, ada, jobs):
    bring(jobs, ada, [chatgpt()])
    longer = chatgpt()
    longer["mapping"] |= {"q2": gpt_node("q2", "a", "user", "When?"), "a2": gpt_node("a2", "q2", "assistant", "May.")}
    longer["current_node"] = "a2"

    assert figures(bring(jobs, ada, [longer])) == (0, 1, 0)

    (parcel,) = load_parcels(database, user_id=ada.id)
    assert sorted(one.content for one in parcel.messages) == ["May.", "To Lisbon.", "When?", "Where to?"]
    assert parcel.leaf_message_id == next(one.id for one in parcel.messages if one.content == "May.")


def test_an_answer_comes_after_its_question_where_the_source_counts_seconds(database, ada, jobs):
    bring(jobs, ada, [chatgpt(), open_webui(), roles_and_parts()])

    for parcel in load_parcels(database, user_id=ada.id):
        times = {one.id: one.created_at for one in parcel.messages}
        assert all(one.parent_id is None or times[one.parent_id] < one.created_at for one in parcel.messages)
        assert parcel.messages[0].role == "user"


def test_one_conversation_that_cannot_be_stored_beside_others_does_not_cost_them(database, ada, jobs):
    told(database, ada)
    (document,) = json.loads(export_data(database, ada))["conversations"]
    delete_data(database, ada)
    # Two conversations whose messages have the same ids, which no export holds: one transaction cannot take both.
    twin = {**document, "id": str(uuid.uuid4()), "title": "Twin"}

    progress = bring(jobs, ada, [chatgpt(), document, twin, open_webui()])

    assert (progress.written.added, progress.refused) == (4, ())
    assert titles(database, ada) == ["A question", "Counting", "Trip", "Twin"]


def test_an_entry_nested_without_end_costs_itself(database, ada, jobs):
    deep = '{"title": "Deep", "messages": [{"role": "user", "content": "x"}], "x": ' + "[" * 900 + "]" * 900 + "}"
    text = f"[{json.dumps(chatgpt())}, {deep}, {json.dumps(open_webui())}]"

    progress = bring(jobs, ada, text.encode())

    assert {"Counting", "Trip"} <= set(titles(database, ada))
    assert progress.refused == ()


def test_what_was_imported_is_found_by_the_search(database, ada, jobs):
    bring(jobs, ada, [chatgpt(), open_webui()])
    assert index_changed(database, user_id=ada.id) == 0

    (hit,) = find_messages(database, user_id=ada.id, query=parse_query("lisbon", zone=UTC))

    assert (hit.title, hit.content) == ("Trip", "To Lisbon.")


def test_a_deleted_conversation_comes_back_when_it_is_imported_again(database, ada, jobs):
    bring(jobs, ada, [chatgpt()])
    (found,) = list_conversations(database, user_id=ada.id, limit=9)
    delete_conversation(database, conversation_id=found.id, user_id=ada.id)

    assert figures(bring(jobs, ada, [chatgpt()])) == (1, 0, 0)
    assert titles(database, ada) == ["Trip"]


def test_a_damaged_entry_is_reported_with_its_place_and_the_rest_is_imported(database, ada, jobs):
    text = f"[{json.dumps(chatgpt())}, {{broken, {json.dumps(open_webui())}, {json.dumps({'title': 'Empty'})}, 7]"

    progress = bring(jobs, ada, text.encode(), name="mine.json")

    assert titles(database, ada) == ["Counting", "Trip"]
    assert progress.damaged == 3
    assert progress.problems == (
        "mine.json, entry 2: it is not readable as JSON.",
        "mine.json, entry 4 “Empty”: it holds no messages.",
        "mine.json, entry 5: it is no conversation.",
    )


def test_conversations_that_were_deleted_when_exported_stay_away(database, ada, bob, jobs):
    delete_conversation(database, conversation_id=told(database, ada), user_id=ada.id)

    progress = bring(jobs, bob, export_data(database, ada))

    assert (figures(progress), progress.skipped, progress.damaged) == ((0, 0, 0), 1, 0)


def test_an_archive_is_read_where_its_conversations_are(database, ada, jobs):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/conversations-000.json", json.dumps([chatgpt()]))
        archive.writestr("export/conversations-001.json", json.dumps([chatgpt(name="gpt-2", title="Second")]))
        archive.writestr("export/user.json", "{}")
        archive.writestr("export/chat.html", "<html>")

    progress = bring(jobs, ada, packed.getvalue(), name="chatgpt.zip")

    assert titles(database, ada) == ["Second", "Trip"]
    assert not progress.problems


@pytest.mark.parametrize("data", [b"PK\x03\x04 broken", b"hello", b"", b"PK\x05\x06" + b"\0" * 18])
def test_a_file_that_cannot_be_read_is_refused_and_the_next_one_imported(database, ada, jobs, data):
    progress = bring(jobs, ada, data, [chatgpt()])

    assert len(progress.refused) == 1
    assert titles(database, ada) == ["Trip"]


def test_one_import_runs_at_a_time(database, ada, jobs):
    many = [chatgpt(name=f"gpt-{number}") for number in range(300)]
    jobs.start([Upload(name="a.json", data=json.dumps(many).encode())], user_id=ada.id)
    with pytest.raises(ImportRefused, match="still running"):
        jobs.start([], user_id=ada.id)
    progress = jobs.wait(ada.id, timeout_s=30)

    assert progress is not None
    assert progress.written.added == 300
    jobs.forget(ada.id)
    assert jobs.progress(ada.id) is None


def test_messages_without_a_model_open_and_go_on(database, ada, jobs):
    bring(jobs, ada, [roles_and_parts()])
    (found,) = list_conversations(database, user_id=ada.id, limit=9)

    with rig(database) as made:
        made.gateway.enqueue("gpt", *answer("Well, and you?"))
        finish(made.ask("How are you?", conversation_id=found.id, user_id=ada.id))
        conversation = load_conversation(database, conversation_id=found.id, user_id=ada.id)
        stored = load_messages(database, conversation=conversation)

    assert [one.content for one in stored] == ["Hello", "Hello, friend.", "How are you?", "Well, and you?"]
    assert [one.parent_id for one in stored[1:]] == [one.id for one in stored[:-1]]


def test_one_conversation_as_json_and_markdown(database, ada, bob, files):
    conversation_id = told(database, ada)

    document = json.loads(export_json(database, files, user_id=ada.id, conversation_id=conversation_id))
    text = export_markdown(database, user_id=ada.id, conversation_id=conversation_id).decode()

    assert (document["format"], document["version"], len(document["conversations"])) == ("switchboard", 1, 1)
    assert text.startswith("# A question\n\n## You\n\n_")
    assert "\n\n## GPT\n\n" in text
    assert text.endswith("\n\nAn **answer**\n")
    with pytest.raises(NotFound):
        export_json(database, files, user_id=bob.id, conversation_id=conversation_id)


def test_all_conversations_as_markdown(database, ada):
    told(database, ada)
    delete_conversation(database, conversation_id=told(database, ada), user_id=ada.id)

    with zipfile.ZipFile(io.BytesIO(export_all_markdown(database, user_id=ada.id))) as archive:
        (name,) = archive.namelist()
        assert name.startswith("A question ")
        assert archive.read(name).startswith(b"# A question")


def attached(database, files, user, *named):
    """A conversation whose question has files, given as (name, content); returns its id."""
    conversation_id = told(database, user)
    kept = [keep_file(files, name=name, data=data) for name, data in named]
    database.execute(
        "update messages set attachments = $rows where role = 'user' and conversation_id = $id",
        rows=rows_of(kept),
        id=conversation_id,
    )
    return conversation_id


def test_attached_files_come_back_with_their_message(database, ada, bob, jobs, files):
    conversation_id = attached(database, files, ada, ("a.txt", b"One"), ("b.md", b"Two"))
    before = load_parcels(database, user_id=ada.id)
    exported = export_json(database, files, user_id=ada.id, conversation_id=conversation_id)
    text = export_markdown(database, user_id=ada.id, conversation_id=conversation_id).decode()
    delete_data(database, ada, files=files)
    assert list(files.left_since(-1)) == []

    assert bring(jobs, ada, exported).files == 2
    assert bring(jobs, ada, exported).files == 0
    assert bring(jobs, bob, exported).files == 2

    assert load_parcels(database, user_id=ada.id) == before
    (copy,) = load_parcels(database, user_id=bob.id)
    assert [files.read(one.content_hash) for one in copy.messages[0].attachments] == [b"One", b"Two"]
    assert "_Attached: a.txt_\n\n_Attached: b.md_\n\nA question" in text


def test_a_file_is_never_attached_to_another_persons_message_nor_by_its_hash(database, ada, bob, jobs, files):
    conversation_id = attached(database, files, ada, ("secret.txt", b"Hers"))
    document = json.loads(export_json(database, files, user_id=ada.id, conversation_id=conversation_id))
    (stolen,) = document["attachments"]
    forged = [{**stolen, "content_base64": None}, {**stolen, "content_base64": "!"}, {**stolen, "name": "x.exe"}, 7]

    progress = bring(jobs, bob, {"conversations": [], "attachments": [stolen]})
    assert (progress.files, progress.damaged) == (0, 0)
    progress = bring(jobs, bob, {**document, "attachments": forged})

    (copy,) = load_parcels(database, user_id=bob.id)
    assert copy.messages[0].attachments == ()
    assert progress.problems[0].startswith("export.json, attached file 1 “secret.txt”: its content was gone already")
    assert progress.damaged == 4


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Plan: a/b \\ c?", "Plan a b c"),
        ("../..", "conversation"),
        ("Ünïcode 東京", "Ünïcode 東京"),
        ("x" * 99, "x" * 60),
    ],
)
def test_a_title_makes_a_file_name_on_every_system(title, expected):
    assert file_stem(title) == expected


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
UUIDS = st.uuids(version=4).map(str)


@st.composite
def parcels(draw):
    """A conversation whose messages form any tree."""
    names = draw(st.lists(UUIDS, min_size=1, max_size=7, unique=True))
    messages = []
    for number, name in enumerate(names):
        parent = draw(st.sampled_from([None, *names[:number]]))
        role = draw(st.sampled_from(["user", "assistant"]))
        model = draw(st.none() | TEXT) if role == "assistant" else None
        one = message(
            id=name,
            parent_id=parent,
            role=role,
            content=draw(TEXT | st.just("")),
            created_at=NOON + timedelta(microseconds=number),
            turn_id=name,
            status=draw(st.sampled_from(["complete", "stopped", "broken", "failed", "interrupted"])),
            reasoning=draw(st.none() | TEXT),
            served_model=model,
            model_label=model,
        )
        messages.append(one)
    return Parcel(
        source="switchboard",
        id=draw(UUIDS),
        title=" ".join(draw(TEXT).split()) or "x",
        created_at=NOON,
        updated_at=NOON,
        leaf_message_id=draw(st.sampled_from(names)),
        model_id=draw(st.none() | TEXT),
        parameters=draw(st.dictionaries(st.sampled_from(["seed", "stop"]), st.integers(0, 9) | st.just(("a", "b")))),
        archived_at=draw(st.none() | st.just(NOON)),
        tags=draw(st.sampled_from(["", "work", "home work"])),
        messages=tuple(messages),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_parcels=st.lists(parcels(), min_size=1, max_size=3))
def test_export_then_import_gives_the_same_tree(database, given_parcels):
    for table in ("conversations", "messages", "conversation_parameters"):
        database.execute(f"delete from {table}")  # noqa: S608
    document = to_json({"conversations": [to_document(parcel) for parcel in given_parcels]})
    jobs = ImportJobs(database, FileStore(Path("never-used")))
    jobs.start([Upload(name="a.json", data=document)], user_id="ann")
    jobs.wait("ann", timeout_s=30)

    found = {parcel.id: parcel for parcel in load_parcels(database, user_id="ann")}

    for parcel in given_parcels:
        stored = found[parcel.id]
        messages = tuple(replace(one, conversation_id=parcel.id) for one in parcel.messages)
        assert replace(stored, messages=()) == replace(parcel, messages=())
        assert stored.messages == messages


def test_nothing_to_write_is_no_transaction(database, ada):
    assert write_parcels(database, [], user_id=ada.id).added == 0
