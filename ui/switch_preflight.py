"""What a switch of the model costs and loses, said above the composer before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.chat.history_size import HistorySize, measure_history
from core.chat.preflight import Dropped, Preflight, Side, middle, preflight
from core.chat.price_strip import Quote
from core.clock import utc_now
from core.costs.estimate import CostRange
from core.costs.output_lengths import OutputLength
from ui import formats, length_state, state
from ui.markdown import literal


def draw_switch(
    services: Services,
    conversation_id: str | None,
    messages: Sequence[Message],
    own: Quote,
    *,
    choose: Callable[[str], None],
) -> None:
    """A line, and above 100,000 tokens two buttons, while the chosen model is not the one that answered last."""
    old = services.registry.current().get(last_model(messages) or "")
    if conversation_id is None or old is None or old.id == own.model.id:
        return
    found = read_preflight(services, messages, old, own.model, size=own.size, length=own.length)
    if not found.speaks:
        return
    with st.container(key="switch_preflight", gap="xsmall"):
        st.caption(f":material/swap_horiz: {literal(switch_words(old, own.model, found))}")
        if found.confirms and not length_state.switch_confirmed(conversation_id, own.model.id):
            _draw_question(conversation_id, old, own.model, choose)


def read_preflight(
    services: Services,
    messages: Sequence[Message],
    old: ModelSpec,
    new: ModelSpec,
    *,
    size: HistorySize,
    length: OutputLength,
) -> Preflight:
    """What going on with another model means; `size` and `length` are the history and the answers of the new one."""
    usual = services.lengths.current().of(old.id, state.use_case()).within(old.max_output_tokens)
    return preflight(
        messages,
        old=Side(model=old, size=measure_history(messages, model=old), length=usual),
        new=Side(model=new, size=size, length=length),
        now=utc_now(),
    )


def last_model(messages: Sequence[Message]) -> str | None:
    """The id of the model that was asked last on a branch, by its last answer."""
    asked = (message.requested_model for message in reversed(messages) if message.role == "assistant")
    return next((model_id for model_id in asked if model_id), None)


def switch_words(old: ModelSpec, new: ModelSpec, found: Preflight) -> str:
    """What a switch means, in two or three sentences."""
    parts = [f"From {formats.short_label(old.label)} to {formats.short_label(new.label)}: {_cost_words(found)}"]
    if found.cache_lost:
        kept = formats.tokens(found.cache_lost)
        parts.append(f"The {kept} tokens that {formats.short_label(old.label)} may have cached are read anew.")
    if sentence := dropped_words(found.dropped, new):
        parts.append(sentence)
    return " ".join(parts)


def dropped_words(dropped: Dropped, new: ModelSpec) -> str:
    """What the new model does not get, as a sentence; empty when it gets everything."""
    # What becomes of images is said by ui.attachments.draw_sight, right above.
    kinds = ((dropped.tool_calls, "tool call", "tool calls"), (dropped.reasoning, "thought", "thoughts before calls"))
    lost = [f"{count} {one if count == 1 else more}" for count, one, more in kinds if count]
    return f"{formats.short_label(new.label)} does not get {' and '.join(lost)}." if lost else ""


def _cost_words(found: Preflight) -> str:
    new, old = _about(found.next_new), _about(found.next_old)
    if found.difference_usd is None:
        return f"the next answer costs {new}, with the other {old}."
    later = f"later ones {_about(found.later_new)} instead of {_about(found.later_old)}"
    return f"the next answer costs {new} instead of {old}, {later}{_pays_off(found)}."


def _pays_off(found: Preflight) -> str:
    if not found.difference_usd or found.difference_usd < 0:
        return ""
    if found.breaks_even is None:
        return ""
    return f", cheaper in sum from the {_ordinal(found.breaks_even)} answer on"


def _about(cost: CostRange) -> str:
    amount = middle(cost)
    if amount is None:
        return "an unknown amount"
    return "nothing" if cost.free else f"about {formats.money(amount)}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number not in {11, 12, 13} else "th"
    return f"{number}{ending}"


def _draw_question(conversation_id: str, old: ModelSpec, new: ModelSpec, choose: Callable[[str], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button(
            f"Switch to {literal(formats.short_label(new.label))}",
            key="confirm_switch",
            icon=":material/check:",
            on_click=length_state.confirm_switch,
            args=(conversation_id, new.id),
        )
        st.button(
            f"Stay with {literal(formats.short_label(old.label))}",
            key="refuse_switch",
            type="tertiary",
            on_click=choose,
            args=(old.id,),
        )
