"""What somebody wants answered, as the pages know it, and the turn that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ParameterValue
from core.catalog.parameters import MOST_USD
from core.chat.admission import TurnRequest
from core.chat.conversation import Attachment, FallbackChoice
from core.chat.money_cap import usable_cap
from core.chat.summary import Summary, load_summary
from ui import length_state, state
from ui.parameter_changes import chosen_for_request
from ui.temporary_chat import up_to_date
from ui.times import viewer_zone_name
from ui.use_case import use_case_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants, as TurnRequest has it. `parameters` are for this one answer, None for "unset"."""

    text: str = ""
    answer_again: str | None = None
    edits: str | None = None
    continues: str | None = None
    model_id: str | None = None
    parameters: Mapping[str, ParameterValue | None] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


def request_for(services: Services, user: User, asked: Asked) -> TurnRequest:
    """The turn to start, with the parameters in force. Raises TurnRefused for one that the model does not take."""
    model_id, conversation_id = asked.model_id or state.active_model() or "", state.conversation_id()
    model = services.registry.current().get(model_id)
    parameters, system_prompt = ({}, None) if model is None else chosen_for_request(services, user, model)
    wanted = {**parameters, **asked.parameters}
    most_usd = wanted.pop(MOST_USD, None)
    temporary = up_to_date(services)
    return TurnRequest(
        user_id=user.id,
        model_id=model_id,
        text=asked.text,
        answer_again=asked.answer_again,
        edits=asked.edits,
        continues=asked.continues,
        attachments=asked.attachments,
        conversation_id=temporary.id if temporary else conversation_id,
        temporary=temporary.messages if temporary else None,
        parameters={name: value for name, value in wanted.items() if value is not None},
        system_prompt=system_prompt,
        use_case=use_case_for(services, asked.text, conversation_id),
        tools=state.new_chat_tools() if conversation_id is None else True,
        time_zone=viewer_zone_name(),
        most_usd=usable_cap(most_usd or state.answer_cap()),
        drop_oldest=length_state.drops_oldest(conversation_id),
        summary=_summary(services, user, conversation_id),
        fallback=_fallback_of_new_chat(services, user) if conversation_id is None else None,
    )


def _fallback_of_new_chat(services: Services, user: User) -> FallbackChoice | None:
    return read_preferences(load_preferences(services.database, user.id)).fallback


def _summary(services: Services, user: User, conversation_id: str | None) -> Summary | None:
    if conversation_id is None or not length_state.summarised(conversation_id):
        return None
    return load_summary(services.database, conversation_id=conversation_id, user_id=user.id)
