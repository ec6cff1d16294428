"""A limit in dollars for an answer, turned into a limit in tokens for the model that is called.

The limit holds for one call: each model of a fallback chain gets its own, from its own prices, and an answer that goes
on (`TurnRequest.continues`) gets a new one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_UP, Decimal

from core.catalog.models import Capability, ModelSpec, ParameterValue, Prices
from core.catalog.parameters import accepted_parameters
from core.chat.message_tokens import estimate_image_tokens_of, estimate_message_tokens
from core.costs.cap import affordable_output, input_cost
from core.errors import TurnRefused
from core.providers.gateway import CompletionRequest

# Our own count may be so much under a provider's (core.costs.token_count), and a limit has to hold.
_MARGIN = 1.2
# OpenAI takes no smaller limit; fewer tokens are no answer.
LEAST_ANSWER_TOKENS = 16
# Tokens of reasoning that an effort stands for where a provider wants a number (LiteLLM's DEFAULT_REASONING_EFFORT_*).
_BUDGETS = {"none": 0, "minimal": 128, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16_384}
_RATHER_NONE = frozenset({"anthropic"})


def capped(completion: CompletionRequest, *, most_usd: Decimal | None, now: datetime) -> CompletionRequest:
    """The call with an output limit that keeps it within `most_usd`, at the prices in force at `now` (naive UTC).

    Unchanged where nothing is limited, nobody knows the price, or the model's answers cannot cost so much. A reasoning
    effort that would leave less than half of the limit for the answer is lowered. Raises TurnRefused("cap") when the
    input alone costs more.
    """
    model = completion.model
    prices = None if model.prices is None else model.prices.on(now)
    if most_usd is None or prices is None or prices.free:
        return completion
    tokens = math.ceil(estimate_message_tokens(completion.messages, model=model) * _MARGIN)
    written = tokens if prices.cache_write is not None and Capability.PROMPT_CACHE in model.capabilities else 0
    images = estimate_image_tokens_of(completion.messages, model=model)
    limit = affordable_output(
        prices, input_tokens=tokens, cache_write_tokens=written, image_tokens=images, most_usd=most_usd
    )
    if limit is None:
        return completion
    if limit < LEAST_ANSWER_TOKENS:
        raise _refused(model, prices, tokens, written, most_usd)
    return _limited(completion, limit)


def cut_by_cap(completion: CompletionRequest, asked: Mapping[str, ParameterValue]) -> bool:
    """Whether the call's output limit is there because of money; `asked` are the parameters that people set."""
    wanted = {**completion.model.parameters, **asked}.get("max_tokens")
    return completion.parameters.get("max_tokens") not in {None, wanted}


def usable_cap(text: object) -> Decimal | None:
    """A limit in dollars from what was stored or typed; None for anything that is no positive amount."""
    try:
        amount = Decimal(str(text))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def dollars(usd: Decimal) -> str:
    """An amount as it was set, with cents at least: `$0.05`, `$0.0025`, `$3.00`."""
    whole, _, places = f"{usd:f}".partition(".")
    return f"${whole}.{places.rstrip('0').ljust(2, '0')}"


def _short(usd: Decimal) -> Decimal:
    """Two significant digits, rounded up."""
    return usd.quantize(Decimal(1).scaleb(usd.adjusted() - 1), rounding=ROUND_UP) if usd else usd


def _limited(completion: CompletionRequest, limit: int) -> CompletionRequest:
    model, parameters = completion.model, completion.parameters
    wanted = parameters.get("max_tokens")
    most = wanted if isinstance(wanted, int) else model.max_output_tokens or model.context_tokens
    if most is not None and limit >= most:
        return completion
    lowered = _with_effort(parameters, model, limit)
    return replace(completion, parameters={**lowered, "max_tokens": limit})


def _with_effort(parameters: Mapping[str, ParameterValue], model: ModelSpec, limit: int) -> dict[str, ParameterValue]:
    spec = next((spec for spec in accepted_parameters(model) if spec.name == "reasoning_effort"), None)
    changed = dict(parameters)
    effort = None if spec is None else parameters.get("reasoning_effort", spec.default)
    if spec is None or effort not in _BUDGETS or 2 * _BUDGETS[str(effort)] <= limit:
        return changed
    fitting = [choice for choice in spec.choices if 2 * _BUDGETS.get(choice, limit) <= limit]
    if fitting:
        changed["reasoning_effort"] = max(fitting, key=lambda choice: _BUDGETS[choice])
    elif model.provider.kind in _RATHER_NONE:
        # Without an effort it does not reason; with one it wants a limit above its budget.
        changed.pop("reasoning_effort", None)
    else:
        changed["reasoning_effort"] = min(spec.choices, key=lambda choice: _BUDGETS.get(choice, limit))
    return changed


def _refused(model: ModelSpec, prices: Prices, tokens: int, written: int, most_usd: Decimal) -> TurnRefused:
    cost = input_cost(prices, input_tokens=tokens, cache_write_tokens=written)
    return TurnRefused(
        "cap",
        f"To read this conversation, {model.label} takes up to {dollars(_short(cost))}, and your limit for an answer "
        f"is {dollars(most_usd)}.",
        next_step="Raise the limit under Parameters or Settings, shorten the message, or choose a cheaper model. "
        "Your message is kept in the box.",
    )
