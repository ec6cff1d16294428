"""What must hold before a message is sent. A refusal costs nothing and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.catalog.models import ModelSpec, ParameterValue
from core.chat.conversation import Attachment, FallbackChoice, Message
from core.chat.message_tokens import estimate_image_tokens_of, estimate_message_tokens, texts_of
from core.chat.plain_text import clean_text
from core.chat.script_call import ScriptCall
from core.chat.summary import Summary
from core.costs.call import TokenBudget
from core.costs.token_count import surely_fits
from core.errors import TurnRefused
from core.providers.gateway import ChatMessage

# More text than any model's window holds today; beyond it the browser and the store only suffer.
MESSAGE_LIMIT_CHARACTERS = 4_000_000
# Left free for the answer when the model's own output limit is larger or unknown.
_ROOM_FOR_ANSWER = 256


@dataclass(frozen=True, slots=True)
class ColumnToBegin:
    """The conversation that a turn makes when it is the first one of a column of a comparison."""

    conversation_id: str
    comparison_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What somebody wants answered.

    `text` is a new message at the end of the conversation's branch; with `edits`, it stands beside that message of the
    person and what follows it is left behind on its own branch. `answer_again` names a message of the person to be
    answered once more instead, `continues` the last answer, to go on where it was cut off. Without `conversation_id` a
    conversation is made. `system_prompt` replaces the model's own; an empty one means none. `fallback` says what to do
    when the model fails; None: what the conversation says. `attachments` come with the new message; one that `edits`
    another has the files of that one as well. `temporary` are the messages so far of a chat that is not stored; its
    `conversation_id` is an id that no conversation has. `before` is a history that models read before the messages of
    the conversation, and that is not stored in it; `begins` is the conversation to make when it is a column of a
    comparison. `summary` is sent in place of the messages it stands for; `drop_oldest` says that what then does not fit
    the model's window is left out, the oldest first. `most_usd` is what each call may cost at most
    (core.chat.money_cap). `tools`: models that can may call tools, unless the conversation says no. `time_zone` is the
    person's (IANA name). `call` is what a script sends in place of a conversation; `text` is then for nobody but the
    records of this process, and may be empty. `token_id` is the API token that asks, `token_budget` what it may spend
    (None: no limit of its own). `fallbacks` are models to take in place of those that the registry names, and
    `only_models` those that may answer at all (None: every one open to the person).
    """

    user_id: str
    model_id: str
    text: str = ""
    answer_again: str | None = None
    edits: str | None = None
    continues: str | None = None
    conversation_id: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    system_prompt: str | None = None
    fallback: FallbackChoice | None = None
    source: str = "chat"
    use_case: str | None = None
    attachments: Sequence[Attachment] = ()
    temporary: Sequence[Message] | None = None
    before: Sequence[Message] = ()
    begins: ColumnToBegin | None = None
    summary: Summary | None = None
    drop_oldest: bool = False
    most_usd: Decimal | None = None
    tools: bool = False
    time_zone: str = "UTC"
    call: ScriptCall | None = None
    token_id: str | None = None
    token_budget: TokenBudget | None = None
    fallbacks: tuple[str, ...] | None = None
    only_models: frozenset[str] | None = None


def check_text(text: str, *, with_files: bool = False) -> str:
    """The message as it will be stored; `with_files` says that it needs no words.

    Raises TurnRefused when it is empty or too long.
    """
    cleaned = clean_text(text).strip()
    if not cleaned and not with_files:
        raise TurnRefused("empty", "The message is empty.", next_step="Type something to send.")
    if len(cleaned) > MESSAGE_LIMIT_CHARACTERS:
        raise TurnRefused(
            "too_long",
            f"The message has {len(cleaned):,} characters; the most is {MESSAGE_LIMIT_CHARACTERS:,}.",
            next_step="Shorten it or send it in parts. It is kept in the box.",
        )
    return cleaned


def check_model(model_id: str, find: Callable[[str], ModelSpec | None]) -> ModelSpec:
    """The model, when it exists. Raises TurnRefused when it does not."""
    if not model_id:
        raise TurnRefused(
            "unknown_model", "No model is chosen.", next_step="Choose one; your message is kept in the box."
        )
    model = find(model_id)
    if model is None:
        raise TurnRefused(
            "unknown_model",
            f"The model {model_id} is no longer offered.",
            next_step="Choose another model; your message is kept in the box.",
        )
    return model


def check_window(messages: Sequence[ChatMessage], *, model: ModelSpec) -> None:
    """Raises TurnRefused when history and message do not fit the model's context window."""
    if model.context_tokens is None:
        return
    texts, images = texts_of(messages), estimate_image_tokens_of(messages, model=model)
    room = max(1, model.context_tokens - min(_ROOM_FOR_ANSWER, model.max_output_tokens or _ROOM_FOR_ANSWER))
    if surely_fits(texts, tokens=room - images):
        return
    needed = estimate_message_tokens(messages, model=model)
    if needed > room:
        raise TurnRefused(
            "window",
            f"This conversation and your message are about {needed:,} tokens; "
            f"{model.label} takes {model.context_tokens:,}.",
            next_step="Choose a model with a larger window, leave out the oldest messages, or shorten the message. "
            "It is kept in the box.",
        )


def busy() -> TurnRefused:
    """The refusal when a conversation is already being answered."""
    return TurnRefused(
        "busy",
        "An answer in this conversation is still being written.",
        next_step="Wait for it or stop it, then send. Your message is kept in the box.",
    )


def stopping() -> TurnRefused:
    """The refusal while the process is being stopped."""
    return TurnRefused(
        "stopping",
        "Switchboard is being stopped.",
        next_step="Send again when it is back. Your message is kept in the box.",
    )


def question_on(branch: Sequence[Message], *, message_id: str) -> list[Message]:
    """The branch up to and including a person's message. Raises TurnRefused when no such message is on the branch."""
    for index, message in enumerate(branch):
        if message.id == message_id and message.role == "user":
            return list(branch[: index + 1])
    raise TurnRefused("unknown_message", "That message is no longer here.", next_step="Reload the page and try again.")
