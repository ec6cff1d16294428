"""What the chat page does: open a conversation, send, stop, answer again, switch the model.

Sending happens in callbacks: they run before anything is drawn, so the turn is on its way while the page still draws
the history, and no interrupted script can lose a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ParameterValue
from core.chat.admission import TurnRequest
from core.chat.continuation import as_read
from core.chat.conversation import Conversation, Message, branch, by_id
from core.chat.kept_parameters import keep_for_conversation
from core.chat.store import load_opened, set_fallback, set_model, set_tools
from core.chat.temporary import TemporaryChat
from core.chat.tree import Children, children_of
from core.chat.turns import LiveTurn
from core.costs.token_count import estimate_tokens
from core.errors import SwitchboardError
from ui import file_state, length_state, message_state, state, use_case
from ui.asked import Asked, request_for
from ui.auth import current_user
from ui.length_state import TooLong
from ui.model_selector import take_choice
from ui.temporary_chat import note_turn, open_temporary, up_to_date
from ui.unbroken import once, unbroken

SUGGESTIONS = (
    "Why does 0.1 + 0.2 not equal 0.3?",
    "Plan five simple dinners with a shopping list",
    "Explain compound interest to a ten-year-old",
    "Write a polite note that declines a meeting",
)

# Stopping takes milliseconds; the page waits for it so that it draws the stored answer, and no longer than this.
_STOP_WITHIN_S = 2.0
_HEAD_START_S = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChat:
    """What the page shows: the conversation, the branch on show, and the turn that is being answered in it.

    `goes_on` is the answer that this turn goes on with; `tree` is every message of the conversation, by its parent. A
    `temporary` chat has messages and no conversation.
    """

    conversation: Conversation | None = None
    messages: Sequence[Message] = ()
    live: LiveTurn | None = None
    goes_on: Message | None = None
    tree: Children = field(default_factory=dict)
    temporary: TemporaryChat | None = None

    @property
    def id(self) -> str | None:
        """What the conversation or the temporary chat is known by; None before there is one."""
        if self.temporary is not None:
            return self.temporary.id
        return self.conversation.id if self.conversation else None

    @property
    def is_empty(self) -> bool:
        """True before the first message."""
        return self.conversation is None and not self.messages


def load_chat(services: Services, user: User) -> OpenChat:
    """The conversation of the URL, or the temporary chat. Raises NotFound for one that is not this person's."""
    if held := open_temporary(services, user):
        shown, goes_on = _as_shown(held.messages, held.live)
        return OpenChat(messages=shown, live=held.live, goes_on=goes_on, temporary=held)
    conversation_id = state.conversation_id()
    if conversation_id is None:
        return OpenChat()
    # Asked before the messages are read: a turn that ends in between is then drawn from its buffer, not missed.
    live = services.engine.find(conversation_id)
    conversation, stored = load_opened(services.database, conversation_id=conversation_id, user_id=user.id)
    messages = by_id(stored)
    path = branch(messages, leaf_id=conversation.leaf_message_id)
    if live is not None:
        path = [message for message in path if message.id != live.ids.answer]
    shown, goes_on = _as_shown(path, live)
    return OpenChat(conversation=conversation, messages=shown, live=live, goes_on=goes_on, tree=children_of(messages))


def _as_shown(path: Sequence[Message], live: LiveTurn | None) -> tuple[list[Message], Message | None]:
    shown = as_read(path)
    goes_on = shown.pop() if shown and live is not None and live.request.continues == shown[-1].id else None
    return shown, goes_on


def load_answer(services: Services, live: LiveTurn) -> Message | None:
    """The answer of a turn that has ended, as it is read, with its figures; without them when it is not stored."""
    if live.request.temporary is not None:
        held = up_to_date(services)
        return as_read(held.messages)[-1] if held and live.result else live.result
    _, messages = load_opened(services.database, conversation_id=live.ids.conversation, user_id=live.request.user_id)
    stored = by_id(messages)
    if live.result is not None:
        stored.setdefault(live.ids.answer, live.result)
    path = as_read(branch(stored, leaf_id=live.ids.answer))
    return path[-1] if path else None


def follow_model(chat: OpenChat) -> None:
    """Choose the conversation's own model when another conversation was opened; a new chat chooses anew."""
    opened = chat.conversation.id if chat.conversation else None
    if state.model_follows() != opened:
        state.set_model_follows(opened)
        state.set_active_model(chat.conversation.model_id if chat.conversation else None)
        state.set_new_chat_parameters({})
        state.set_new_chat_tools(True)


@unbroken
def send(services: Services, text: str) -> None:
    """Send a message to the chosen model, with the files that wait for one.

    A refusal leaves the text in the composer, the files above it and a sentence on the page.
    """
    _start(services, Asked(text=text, attachments=file_state.waiting()))


@unbroken
def answer_again(
    services: Services,
    question_id: str,
    model_id: str | None = None,
    parameters: Mapping[str, ParameterValue | None] | None = None,
) -> None:
    """Answer a message of the open conversation once more: with the chosen model, or for once with another.

    `parameters` hold for this answer only; None unsets one.
    """
    _start(services, Asked(answer_again=question_id, model_id=model_id, parameters=parameters or {}))


@unbroken
def resend(services: Services, question_id: str, text: str) -> bool:
    """Send `text` in place of an earlier message, on a branch of its own. False when that was refused."""
    return _start(services, Asked(text=text, edits=question_id))


@unbroken
def go_on(services: Services, answer_id: str, model_id: str | None = None) -> None:
    """Have the last answer go on where it was cut off."""
    _start(services, Asked(continues=answer_id, model_id=model_id))


def label_of(services: Services, model_id: str) -> str:
    """What people call a model; its id when it is no longer offered."""
    model = services.registry.current().get(model_id)
    return model.label if model else model_id


@unbroken
def stop(services: Services, live: LiveTurn) -> None:
    """Stop a running answer and wait the moment until it is stored."""
    services.engine.stop(live)
    live.buffer.wait_until_ended(timeout_s=_STOP_WITHIN_S)


@unbroken
def keep_model(services: Services) -> None:
    """Keep the chosen model with the open conversation."""
    user = current_user(services)
    conversation_id, model_id = state.conversation_id(), state.active_model()
    if user is not None and conversation_id is not None and model_id is not None:
        set_model(services.database, conversation_id=conversation_id, user_id=user.id, model_id=model_id)


@unbroken
def choose_model(services: Services, model_id: str) -> None:
    """Take another model for the next message and keep it with the open conversation."""
    state.set_active_model(model_id)
    keep_model(services)


@unbroken
def _start(services: Services, asked: Asked) -> bool:
    user = current_user(services)
    if user is None:
        # The session ended elsewhere since the page was drawn: the gate says so, and the text waits in the composer.
        _keep_text(asked)
        return False
    take_choice(services.offered_models(user))
    if _waits_for_confirmation(asked):
        return False
    try:
        live = once("start", lambda: services.engine.start(request_for(services, user, asked)))
    except SwitchboardError as error:
        _keep_text(asked)
        state.leave_notice(str(error), model_id=getattr(error, "instead", None))
        code = getattr(error, "code", "")
        file_state.note_unseen(_again(asked) if code == "vision" else None)
        length_state.note_too_long(_too_long(asked) if code == "window" else None)
        return False
    # A head start: until the provider is called, drawing the page would compete with the engine for the interpreter,
    # and the request would leave 10 to 15 ms later (measured). The drawing hides behind the model's own time.
    live.buffer.read(0, timeout_s=_HEAD_START_S)
    _follow_up(services, asked, live)
    return True


def _follow_up(services: Services, asked: Asked, live: LiveTurn) -> None:
    """What the session keeps of a turn that has begun."""
    request = live.request
    if request.attachments:
        file_state.set_waiting(())
    file_state.note_unseen(None)
    length_state.note_too_long(None)
    length_state.set_drops_oldest(None)
    state.drop_undo()
    state.stop_pointing_out()
    message_state.offer_restore(None)
    use_case.keep_use_case(services, live)
    begun = request.conversation_id
    if asked.model_id is None and begun is not None and state.successor_noted(begun):
        keep_model(services)
    if request.temporary is not None:
        note_turn(live)
    if request.conversation_id is None:
        _keep_new_chat(services, request, live.ids.conversation)
        _open_begun(live.ids.conversation)


def _waits_for_confirmation(asked: Asked) -> bool:
    """Whether the chosen model has to be confirmed first: the history is long, and another model answered last."""
    model_id = state.active_model() or ""
    if asked.model_id is not None or not length_state.switch_waits(state.conversation_id(), model_id):
        return False
    _keep_text(asked)
    state.leave_notice("This conversation is long: confirm the other model above the message box, then send.")
    return True


def _too_long(asked: Asked) -> TooLong:
    files = sum(attached.text_tokens or 0 for attached in asked.attachments)
    return TooLong(
        conversation_id=state.conversation_id(),
        model_id=asked.model_id or state.active_model() or "",
        tokens=estimate_tokens(asked.text) + files,
        again=asked.answer_again,
    )


def _again(asked: Asked) -> str | None:
    """The stored question that was to be answered, with its files."""
    return asked.answer_again or asked.edits


def _keep_text(asked: Asked) -> None:
    # What was typed into the editor of a message stays there.
    if asked.text and asked.edits is None:
        state.keep_draft(asked.text)


def _open_begun(conversation_id: str) -> None:
    state.set_model_follows(conversation_id)
    state.open_conversation(conversation_id)
    message_state.note_begun(conversation_id)
    message_state.keep_thumbs(conversation_id, {})


def _keep_new_chat(services: Services, request: TurnRequest, conversation_id: str) -> None:
    """Keep with the conversation what was set before it had a message."""
    database, user_id = services.database, request.user_id
    if values := state.new_chat_parameters():
        keep_for_conversation(database, user_id=user_id, conversation_id=conversation_id, values=values)
        state.set_new_chat_parameters({})
    if not request.tools:
        set_tools(database, conversation_id=conversation_id, user_id=user_id, tools=False)
        state.set_new_chat_tools(True)
    if request.fallback is not None:
        set_fallback(database, conversation_id=conversation_id, user_id=user_id, fallback=request.fallback)
