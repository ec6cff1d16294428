"""What to do when a conversation is too long for the chosen model: a larger one, leave out the oldest, a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.choice import cheapest_usable
from core.catalog.models import Capability, ModelSpec
from core.chat.conversation import Message
from core.chat.price_strip import Quote
from core.chat.shortening import room_for_history
from core.chat.summariser import SummaryPlan, plan_summary
from core.chat.summary import Summary, condensed, take_back_summary
from core.costs.estimate import CostRange
from ui import formats, length_state
from ui.auth import current_user
from ui.length_state import TooLong
from ui.markdown import literal
from ui.unbroken import once, unbroken

# Our own count may be so much under a provider's.
_MARGIN = 1.2
# What stays free for an answer when nothing is left out; the same as in core.chat.admission.
_ROOM_FOR_ANSWER = 256
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What of a conversation is sent as things stand: `messages`, in place of `shown` ones."""

    conversation_id: str | None
    messages: Sequence[Message]
    shown: int
    summary: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """What the offers call: `choose` takes a model, `answer_again` answers a stored question once more."""

    choose: Callable[[str], None]
    answer_again: Callable[[str], None]


def draw_summary(services: Services, sent: Sent) -> None:
    """The line of a summary that stands, with its text and the way back."""
    summary = sent.summary
    if summary is None:
        return
    with st.container(horizontal=True, key="summary_line", vertical_alignment="center", gap="xsmall"):
        words = f"The first {summary.messages} messages are sent as a summary by {summary.model_label}."
        st.caption(f":material/summarize: {literal(words)}", width="content")
        with st.popover("Read", key="read_summary", type="tertiary"):
            st.markdown(literal(summary.text))
        st.button(
            "Send them whole",
            key="take_back_summary",
            type="tertiary",
            on_click=_take_back,
            args=(services, summary.conversation_id),
        )


def draw_too_long(services: Services, user: User, sent: Sent, own: Quote, remedies: Remedies) -> bool:
    """What to do when the history, or a message that was refused, does not fit the chosen model; False when it does."""
    refused = _refused(sent, own.model)
    needed = own.size.tokens + (refused.tokens if refused else 0)
    if length_state.drops_oldest(sent.conversation_id):
        with st.container(horizontal=True, key="too_long", vertical_alignment="center", gap="xsmall"):
            _draw_armed()
    elif refused is not None or needed > _most(own.model):
        with st.container(key="too_long", gap="xsmall"):
            needed = max(needed, own.model.context_tokens or 0)
            _draw_offers(services, user, sent, own.model, remedies, refused=refused, needed=needed)
    else:
        return False
    return True


def _draw_armed() -> None:
    st.caption(
        ":material/content_cut: Your next message goes without the oldest ones, as many as do not fit. Nothing is "
        "deleted.",
        width="content",
    )
    st.button(
        "Send everything", key="send_everything", type="tertiary", on_click=length_state.set_drops_oldest, args=(None,)
    )


def _draw_offers(
    services: Services,
    user: User,
    sent: Sent,
    model: ModelSpec,
    remedies: Remedies,
    *,
    refused: TooLong | None,
    needed: int,
) -> None:
    label, window = formats.short_label(model.label), _window(model)
    words = f"Too long for {label}: about {formats.tokens(needed)} tokens, and it takes {window}."
    st.caption(f":material/straighten: {literal(words)}")
    usable = services.askable_models(user)
    alone = refused is not None and refused.tokens > (room_for_history(model) or refused.tokens)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        larger = _larger(usable, services, needed=round(needed * _MARGIN), messages=sent.messages)
        _draw_larger(sent, larger, remedies, refused)
        if alone:
            st.caption("The message alone does not fit.", width="content")
        elif sent.conversation_id is not None and len(sent.messages) > 1:
            _draw_leave_out(sent.conversation_id, model.id, remedies, refused)
            _draw_summarise(
                services, sent, plan_summary(sent.messages, shown=sent.shown, model=model, candidates=usable)
            )
    _draw_progress(services, user, sent.conversation_id)


def _draw_larger(sent: Sent, larger: ModelSpec | None, remedies: Remedies, refused: TooLong | None) -> None:
    if larger is None:
        st.caption("No model with a larger window is up.", width="content")
        return
    st.button(
        f"Use {literal(formats.short_label(larger.label))} ({_window(larger)})",
        key="use_larger",
        icon=":material/open_in_full:",
        help=f"The cheapest that holds all of it. Per million tokens: {literal(formats.price(larger.prices))}.",
        on_click=_use,
        args=(sent.conversation_id, larger.id, remedies, refused),
    )


def _draw_leave_out(conversation_id: str, model_id: str, remedies: Remedies, refused: TooLong | None) -> None:
    st.button(
        "Leave out the oldest",
        key="leave_out",
        icon=":material/content_cut:",
        help="For the next message only. Nothing is deleted, and the answer says how many were left out.",
        on_click=_leave_out,
        args=(conversation_id, model_id, remedies, refused),
    )


def _draw_summarise(services: Services, sent: Sent, plan: SummaryPlan | None) -> None:
    if plan is None:
        return
    st.button(
        literal(f"Summarise the first {plan.messages} ({_cost(plan.cost)})"),
        key="summarise",
        icon=":material/summarize:",
        help=f"{literal(plan.model.label)} condenses them into a note that is sent instead. You can read it and take "
        "it back.",
        on_click=_summarise,
        args=(services, sent.conversation_id, plan),
    )


def _cost(cost: CostRange) -> str:
    if cost.low_usd is None or cost.high_usd is None:
        return "unpriced"
    low, high = formats.money(cost.low_usd), formats.money(cost.high_usd)
    if cost.free:
        return "free"
    return f"about {high}" if low == high else f"{low} to {high}"


def _draw_progress(services: Services, user: User, conversation_id: str | None) -> None:
    progress = services.summaries.progress(user_id=user.id, conversation_id=conversation_id or "")
    if progress is None:
        return
    if progress.running:
        _watch(services, user.id, conversation_id or "")
    else:
        st.caption(f":material/error: {literal(progress.problem)}")


@st.fragment(run_every=_LOOK_EVERY_S)
def _watch(services: Services, user_id: str, conversation_id: str) -> None:
    progress = services.summaries.progress(user_id=user_id, conversation_id=conversation_id)
    if progress is not None and progress.running:
        st.caption(":material/hourglass_top: Summarising. You can go on reading.")
    else:
        st.rerun()


def what_is_sent(summary: Summary | None, conversation_id: str | None, messages: Sequence[Message]) -> Sent:
    """A conversation with its summary in place of what that stands for, if it is on this branch."""
    kept = condensed(messages, summary)
    stands = summary if summary is not None and len(kept) > 0 and kept[0].id == summary.id else None
    return Sent(conversation_id=conversation_id, messages=kept, shown=len(messages), summary=stands)


def _refused(sent: Sent, model: ModelSpec) -> TooLong | None:
    if noted := length_state.too_long(sent.conversation_id, model.id):
        return noted
    last = sent.messages[-1] if sent.messages else None
    if last is None or last.error_class != "context_length" or last.served_model != model.id:
        return None
    # The provider counted more than we did, and refused.
    return TooLong(conversation_id=sent.conversation_id, model_id=model.id, tokens=0, again=last.parent_id)


def _most(model: ModelSpec) -> float:
    return float("inf") if model.context_tokens is None else model.context_tokens - _ROOM_FOR_ANSWER


def _window(model: ModelSpec) -> str:
    return formats.window(model.context_tokens).removesuffix(" context")


def _larger(
    usable: Mapping[str, ModelSpec], services: Services, *, needed: int, messages: Sequence[Message]
) -> ModelSpec | None:
    images = any(attached.kind == "image" for message in messages for attached in message.attachments)
    fitting = {
        name: model
        for name, model in usable.items()
        if (model.context_tokens or 0) > needed and (not images or Capability.VISION in model.capabilities)
    }
    found = cheapest_usable(fitting, states={name: services.model_status(fitting[name]).state for name in fitting})
    return None if found is None else fitting[found]


@unbroken
def _use(conversation_id: str | None, model_id: str, remedies: Remedies, refused: TooLong | None) -> None:
    # Chosen because the other cannot: nothing is left to be confirmed.
    length_state.confirm_switch(conversation_id, model_id)
    remedies.choose(model_id)
    if refused is not None and refused.again is not None:
        remedies.answer_again(refused.again)


@unbroken
def _leave_out(conversation_id: str, model_id: str, remedies: Remedies, refused: TooLong | None) -> None:
    length_state.confirm_switch(conversation_id, model_id)
    length_state.set_drops_oldest(conversation_id)
    if refused is not None and refused.again is not None:
        remedies.answer_again(refused.again)


@unbroken
def _summarise(services: Services, conversation_id: str, plan: SummaryPlan) -> None:
    user = current_user(services)
    if user is not None:
        once("summary", partial(services.summaries.start, plan, user_id=user.id, conversation_id=conversation_id))


@unbroken
def _take_back(services: Services, conversation_id: str) -> None:
    user = current_user(services)
    if user is not None:
        take_back_summary(services.database, conversation_id=conversation_id, user_id=user.id)
