"""Which models may be asked for one word to find out whether they answer: a probe that costs, within a ceiling."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.catalog.models import Capability, ModelSpec
from core.catalog.parameters import accepted_parameters
from core.costs.pricing import compute_cost
from core.providers.events import Usage

# Each of them. A page left open all day asks every ten minutes: 144 times, 1.5 cents a day and model.
PROBE_CEILING_USD = Decimal("0.0001")
QUESTION = "Hi"
LONGEST_ANSWER_TOKENS = 1
# The question, and what chat formats put around it.
_INPUT_TOKENS = 16


def may_be_asked(model: ModelSpec, *, now: datetime) -> bool:
    """Whether a one-token completion of this model is sure to stay under the ceiling. `now` is naive UTC.

    Not where nobody knows the price, nor where a model may think first: at some providers that is billed beyond any
    limit of the answer. A free model may be asked whatever it does.
    """
    if not model.enabled or model.provider.kind == "local" or model.prices is None:
        return False
    prices = model.prices.on(now)
    if prices.free:
        return True
    if Capability.REASONING in model.capabilities or not _limits_its_answer(model):
        return False
    usage = Usage(input_tokens=_INPUT_TOKENS, output_tokens=LONGEST_ANSWER_TOKENS)
    return compute_cost(usage, prices) <= PROBE_CEILING_USD


def _limits_its_answer(model: ModelSpec) -> bool:
    return any(parameter.name == "max_tokens" for parameter in accepted_parameters(model))
