"""Titles by a cheap model: given once after the first answer, paid for in the ledger, never over one's own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.accounts.preferences import save_preference, save_team_default
from core.catalog.models import Capability, Prices, ProviderSpec
from core.chat.store import delete_conversation, load_conversation, rename_conversation
from core.chat.titles import Titler, clean_title, title_model
from core.errors import ErrorClass, ProviderError
from core.providers.scripted import Gate, ScriptedGateway, answer
from tests.support.turns import finish, model, rig, wait_until

CHEAP = model("cheap", prices=Prices(input=Decimal("0.1"), output=Decimal("0.4")))
DEAR = model("dear", prices=Prices(input=Decimal(15), output=Decimal(75)))


@pytest.fixture(name="named")
def _named(database):
    """A rig whose conversations are titled, and a wait until that is over: (rig, gateway, wait)."""
    gateway, done = ScriptedGateway(), []
    titler = Titler(database, gateway=gateway, candidates=lambda _user_id: {"cheap": CHEAP, "dear": DEAR})

    async def title(live):
        try:
            await titler.title(live)
        finally:
            done.append(live)

    with rig(database, DEAR, gateway=gateway, after_answer=title) as rigged:
        yield rigged, gateway, lambda count=1: wait_until(lambda: len(done) == count)


def _title(rigged, live):
    conversation = load_conversation(rigged.database, conversation_id=live.ids.conversation, user_id="ann")
    return conversation.title, conversation.title_source


def _ask(rigged, text="Why is the sky blue?", **options):
    live = rigged.ask(text, model_id="dear", **options)
    finish(live)
    return live


def test_the_first_answer_brings_a_title_and_a_row_in_the_ledger(named):
    rigged, gateway, over = named
    gateway.enqueue("dear", *answer("Rayleigh scattering."))
    gateway.enqueue("cheap", *answer('"The blue sky"'))

    live = _ask(rigged)
    assert over()

    assert _title(rigged, live) == ("The blue sky", "model")
    chat, title = rigged.rows("attempts")
    assert (chat["source"], title["source"], title["requested_model"]) == ("chat", "title", "cheap")
    assert title["conversation_id"] == live.ids.conversation
    assert title["cost_usd"] > 0
    assert [turn["status"] for turn in rigged.rows("turns")] == ["completed", "completed"]
    assert len(rigged.messages(live.ids.conversation)) == 2


def test_the_second_answer_brings_none(named):
    rigged, gateway, over = named
    gateway.enqueue("dear", *answer("One."), *answer("Two."))
    gateway.enqueue("dear", *answer("Two."))
    gateway.enqueue("cheap", *answer("A title"))

    live = _ask(rigged)
    assert over()
    _ask(rigged, "And then?", conversation_id=live.ids.conversation)
    assert over(2)

    assert [row["source"] for row in rigged.rows("attempts")].count("title") == 1


def test_a_title_somebody_typed_meanwhile_stays(named):
    rigged, gateway, over = named
    gate = Gate()
    gateway.enqueue("dear", *answer("Rayleigh scattering."))
    gateway.enqueue("cheap", gate, *answer("A title"))

    live = _ask(rigged)
    assert gate.wait_until_reached()
    rename_conversation(rigged.database, conversation_id=live.ids.conversation, user_id="ann", title="Mine")
    gate.open()
    assert over()

    assert _title(rigged, live) == ("Mine", "user")
    assert len(rigged.rows("attempts")) == 2


def test_the_next_message_does_not_wait_for_a_title(named):
    rigged, gateway, over = named
    gate = Gate()
    gateway.enqueue("dear", *answer("One."))
    gateway.enqueue("dear", *answer("Two."))
    gateway.enqueue("cheap", gate, *answer("A title"))

    live = _ask(rigged)
    assert gate.wait_until_reached()
    second = _ask(rigged, "And then?", conversation_id=live.ids.conversation)
    gate.open()
    assert over(2)

    assert second.result.content == "Two."
    assert _title(rigged, live) == ("A title", "model")


def test_a_title_that_fails_leaves_the_first_words_and_a_row(named):
    rigged, gateway, over = named
    gateway.enqueue("dear", *answer("Rayleigh scattering."))
    gateway.enqueue("cheap", ProviderError(ErrorClass.SERVER, "It failed."))

    live = _ask(rigged)
    assert over()

    assert _title(rigged, live) == ("Why is the sky blue?", "auto")
    assert rigged.rows("attempts")[1]["status"] == "server"


@pytest.mark.parametrize("switch", ["mine", "team"])
def test_who_switched_titles_off_pays_for_none(named, switch):
    rigged, gateway, over = named
    if switch == "mine":
        save_preference(rigged.database, user_id="ann", name="titles", value="off")
    else:
        save_team_default(rigged.database, name="titles", value="off", actor_id=None)
    gateway.enqueue("dear", *answer("Rayleigh scattering."))

    live = _ask(rigged)
    assert over()

    assert _title(rigged, live) == ("Why is the sky blue?", "auto")
    assert len(rigged.rows("attempts")) == 1


def test_a_failed_answer_and_a_deleted_conversation_bring_none(named):
    rigged, gateway, over = named
    gateway.enqueue("dear", ProviderError(ErrorClass.BAD_REQUEST, "No."))
    _ask(rigged)
    assert over()
    gate = Gate()
    gateway.enqueue("dear", gate, *answer("Late."))
    live = rigged.ask("Wait", model_id="dear")
    assert gate.wait_until_reached()
    delete_conversation(rigged.database, conversation_id=live.ids.conversation, user_id="ann")
    gate.open()
    assert over(2)

    assert [row["source"] for row in rigged.rows("attempts")] == ["chat", "chat"]


def test_the_cheapest_priced_model_gives_titles_and_never_the_one_that_runs_inside():
    local = model(
        "local", provider=ProviderSpec(id="local", kind="local"), prices=Prices(input=Decimal(0), output=Decimal(0))
    )
    unpriced = model("unpriced", prices=None)
    thinking = model("thinking", prices=CHEAP.prices, capabilities=frozenset({Capability.REASONING}))

    def chosen(*models):
        found = title_model({one.id: one for one in models})
        return found and found.id

    assert chosen(local, unpriced, DEAR, CHEAP) == "cheap"
    assert chosen(thinking) == "thinking"
    assert chosen(local, unpriced, DEAR) is None
    assert chosen() is None


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("The blue sky", "The blue sky"),
        ('\n  "The blue sky."\nBecause it is.', "The blue sky"),
        ("**Title: The blue sky**", "The blue sky"),
        ("# Himmel", "Himmel"),
        ("", None),
        ('""', None),
        ("The sky is blue because " + "of scattering " * 20, None),
    ],
)
def test_what_a_model_said_as_a_title(said, title):
    assert clean_title(said) == title
