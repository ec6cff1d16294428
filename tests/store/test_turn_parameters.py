"""Parameters and system prompt of a turn: sent as they were set, refused before anything is stored, never dropped."""

from __future__ import annotations

import pytest

from core.catalog.models import ProviderSpec
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.providers.gateway import ChatMessage
from core.providers.scripted import answer
from tests.support.turns import finish, model, rig

# A wire format of which little is known: it takes no seed.
PLAIN = ProviderSpec(id="plain", kind="unheard_of")


def test_an_illegal_value_is_refused_and_nothing_is_stored(database):
    with rig(database) as made:
        with pytest.raises(TurnRefused, match="from 0 to 2 as temperature, not 9") as refused:
            made.ask("Hi", parameters={"temperature": 9})
        with pytest.raises(TurnRefused, match="takes no api_base"):
            made.ask("Hi", parameters={"api_base": "http://elsewhere"})

        assert refused.value.code == "parameter"
        assert not made.rows("turns")
        assert not made.rows("messages")
        assert not made.gateway.history


@pytest.mark.parametrize(
    ("prompt", "first"),
    [(None, "Be brief."), ("Be long.", "Be long."), ("", None), (" \n", None)],
    ids=["the model's own", "the request's", "none", "blank"],
)
def test_the_system_prompt_of_the_request_replaces_that_of_the_model(database, prompt, first):
    with rig(database, model(system_prompt="Be brief.")) as made:
        made.gateway.enqueue("gpt", *answer("Yes"))
        finish(made.ask("Really?", system_prompt=prompt))

        [request] = made.gateway.history
        expected = [ChatMessage("user", "Really?")]
        assert request.messages == ([ChatMessage("system", first)] if first else []) + expected


@pytest.mark.parametrize(("parameters", "answered"), [({"temperature": 1}, "plain"), ({"seed": 1}, None)])
def test_a_fallback_that_does_not_take_what_was_set_is_not_asked(database, parameters, answered):
    gone = ProviderError(ErrorClass.NOT_FOUND, "It is gone.", next_step="Choose another.")
    first = model(fallbacks=("plain",))
    with rig(database, first, model("plain", provider=PLAIN)) as made:
        made.gateway.enqueue("gpt", gone)
        made.gateway.enqueue("plain", *answer("Here"))
        result = finish(made.ask("Hi", parameters=parameters))

    assert (result.served_model if result.status == "complete" else None) == answered
