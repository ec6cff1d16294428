"""One gateway for all models: each is called by the way that suits its provider, and nobody has to know which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from core.catalog.models import ModelSpec
from core.providers.direct_dialects import direct
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint
from core.providers.events import Event
from core.providers.gateway import CompletionRequest, HearHeaders
from core.providers.images import ReadFile
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm


def build_gateways(
    *, resolve: Callable[[ModelSpec], Awaitable[Endpoint]], read_file: ReadFile, hear_headers: HearHeaders
) -> Gateways:
    """Both gateways on the same addresses, files and listeners; see LiteLLMGateway."""
    return Gateways(
        direct=DirectGateway(resolve=resolve, read_file=read_file, hear_headers=hear_headers),
        litellm=LiteLLMGateway(resolve=resolve, read_file=read_file, hear_headers=hear_headers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """Both gateways behind the one face."""

    direct: DirectGateway
    litellm: LiteLLMGateway

    def stream(self, request: CompletionRequest) -> AsyncIterator[Event]:
        """Yield the events of one completion."""
        chosen = self.direct if direct(request.model) else self.litellm
        return chosen.stream(request)

    async def make_ready(self, model: ModelSpec) -> None:
        """Import what a call of this model needs, so that the call itself does not wait for it."""
        if not direct(model):
            await asyncio.to_thread(load_litellm)

    async def aclose(self) -> None:
        """Close the connections of both."""
        await self.direct.aclose()
        await self.litellm.aclose()
