"""Other models to ask instead of one that failed, each with what asking it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import Capability, ModelSpec
from core.chat.alternatives import alternatives
from core.chat.attachment_contents import has_images
from core.chat.conversation import Message, by_id
from core.chat.history_size import measure_history
from ui import state
from ui.chat import OpenChat
from ui.switch_preflight import read_preflight, switch_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """A model on offer. `words` say what the switch costs and loses, empty where that does not matter.

    `asks_first`: the history is so long that the person is asked before it is sent to another model.
    """

    model: ModelSpec
    words: str = ""
    asks_first: bool = False


def offer_instead(services: Services, user: User, chat: OpenChat, failed: Message) -> Sequence[Instead]:
    """The models to ask instead of the one that failed; none where the conversation says "never"."""
    if chat.conversation is not None and chat.conversation.fallback == "never":
        return ()
    tried = {one.model_id for one in failed.receipt.tries} if failed.receipt else {failed.served_model or ""}
    offered = _that_can(services.offered_models(user), chat, failed)
    states = {
        name: "down" if services.circuit.state(name).open_until else services.model_status(model).state
        for name, model in offered.items()
    }
    asked = services.registry.current().get(failed.requested_model or "")
    found = alternatives(asked, offered, states=states, tried=tried)
    return [_with_words(services, chat, failed, asked, model) for model in found]


def _that_can(models: Mapping[str, ModelSpec], chat: OpenChat, failed: Message) -> Mapping[str, ModelSpec]:
    """Those of the models that take what the question of this answer comes with."""
    question = by_id(chat.messages).get(failed.parent_id or "")
    if question is None or not has_images(question):
        return models
    return {name: model for name, model in models.items() if Capability.VISION in model.capabilities}


def _with_words(
    services: Services, chat: OpenChat, failed: Message, asked: ModelSpec | None, model: ModelSpec
) -> Instead:
    """The model with its pre-flight, which counts what is sent again: everything before the answer that failed."""
    history = [message for message in chat.messages if message.id != failed.id]
    if asked is None or not history:
        return Instead(model=model)
    size = measure_history(history, model=model)
    length = services.lengths.current().of(model.id, state.use_case()).within(model.max_output_tokens)
    found = read_preflight(services, history, asked, model, size=size, length=length)
    if not found.speaks:
        return Instead(model=model)
    return Instead(model=model, words=switch_words(asked, model, found), asks_first=found.confirms)
