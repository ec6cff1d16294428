"""What the page of blind votes does: begin a round, vote, give up. Callbacks ask who is acting."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.arena import blind
from core.arena.blind import Round
from core.arena.blind_use_cases import blind_use_cases, candidates
from core.arena.said import messages_in
from core.arena.votes import Outcome
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.chat.turns import LiveTurn
from core.errors import SwitchboardError
from ui import address, compare, state
from ui.auth import current_user
from ui.clicks import once_here
from ui.unbroken import once, unbroken

USE_CASE = "blind_use_case"
REASON = "blind_reason"

_ROUND = "round"
_OPENED = "opened_blind_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRound:
    """What the page shows: the round, its prompt, its answers from left to right, and the turns that still run."""

    round: Round | None = None
    prompt: Message | None = None
    answers: Sequence[Message | None] = ()
    live: Mapping[str, LiveTurn] = field(default_factory=dict)
    use_cases: Sequence[str] = ()

    @property
    def votable(self) -> bool:
        """Whether both answers have come to their ends and say something, and nobody has voted."""
        whole = [answer for answer in self.answers if answer and answer.content and answer.status == "complete"]
        return bool(self.round and not self.round.revealed and not self.live and len(whole) == 2)  # noqa: PLR2004

    @property
    def waiting(self) -> str | None:
        """What a round waits for, as the composer says it; None when another prompt can be typed."""
        if self.round is None or self.round.revealed:
            return None
        return "Vote on these two first" if self.votable or self.live else "Show who they were, then ask again"


def load_open(services: Services, user: User) -> OpenRound:
    """The round of the URL, else the one that waits for this person's vote. Raises NotFound."""
    use_cases = blind_use_cases(services.database)
    round_id = address.value(_ROUND) or st.session_state.get(_OPENED)
    round_id = round_id or blind.open_round(services.database, user_id=user.id)
    if round_id is None:
        return OpenRound(use_cases=use_cases)
    st.session_state[_OPENED] = round_id
    address.put(_ROUND, round_id)
    found = blind.load_round(services.database, comparison_id=round_id, user_id=user.id)
    live = services.arena.running(found.comparison)
    stored = messages_in(services.database, found.comparison, found.sides)
    said = {column_id: compare.without_running(messages, live.get(column_id)) for column_id, messages in stored.items()}
    return OpenRound(
        round=found,
        prompt=next((messages[0] for messages in said.values() if messages), None),
        answers=[blind.answer_in(said[column.id]) for column in found.sides],
        live=live,
        use_cases=use_cases,
    )


def able(services: Services, user: User, use_case: str) -> dict[str, ModelSpec]:
    """The models that a round of this use case may choose from: offered to this person, and callable now."""
    return candidates(services.askable_models(user), use_case)


@unbroken
def send(services: Services, text: str) -> None:
    """Put a prompt to two hidden models. A refusal leaves the text in the composer and a sentence on the page."""
    user = current_user(services)
    if user is None:
        state.keep_draft(text)
        return
    try:
        round_id = once("blind", partial(_begin, services, user, text))
    except SwitchboardError as error:
        state.keep_draft(text)
        # The refusal of one model would name it.
        state.leave_notice(str(error) if error.user_message.startswith("A blind vote") else _refused(error))
        return
    st.session_state[_OPENED] = round_id
    address.put(_ROUND, round_id)


def _refused(error: SwitchboardError) -> str:
    code = getattr(error, "code", "")
    if code in {"empty", "too_long"}:
        return str(error)
    if code == "budget":
        # Without amounts: a price says much about a model.
        return (
            "A budget of yours does not cover the two models that were chosen. Send it again to be given two others, "
            "or look at your budgets in Settings. Your message is kept in the box."
        )
    return "The two models that were chosen cannot take this message now. Send it again to be given two others."


def _begin(services: Services, user: User, text: str) -> str:
    use_case = st.session_state.get(USE_CASE)
    if use_case not in blind_use_cases(services.database):
        raise SwitchboardError(
            "A blind vote is for a use case, and none is chosen.", next_step="Choose one above and send again."
        )
    return blind.begin_round(
        services.arena,
        services.database,
        user_id=user.id,
        words=compare.words_of(text, use_case=use_case),
        use_case=use_case,
        models=able(services, user, use_case),
        rng=random.SystemRandom(),
    )


@unbroken
def vote(services: Services, round_id: str, outcome: Outcome) -> None:
    """Vote on the open round and show who answered."""
    user = current_user(services)
    if user is None:
        return
    try:
        found = blind.load_round(services.database, comparison_id=round_id, user_id=user.id)
        reason = st.session_state.get(REASON)
        find_model = services.registry.current().get
        cast = partial(blind.vote, services.database, found, outcome, find_model=find_model, reason=reason)
        once_here("vote", round_id, lambda: once("vote", cast))
    except SwitchboardError as error:
        state.leave_notice(str(error))
    st.session_state.pop(REASON, None)


@unbroken
def give_up(services: Services, round_id: str) -> None:
    """Show who answered without a vote, where an answer failed."""
    if user := current_user(services):
        found = blind.load_round(services.database, comparison_id=round_id, user_id=user.id)
        blind.reveal(services.database, found)


@unbroken
def start_over() -> None:
    """Make room for another prompt."""
    st.session_state.pop(_OPENED, None)
    address.put(_ROUND)


@unbroken
def stop(services: Services, opened: OpenRound) -> None:
    """Stop both answers."""
    compare.stop(services, list(opened.live.values()))
