"""Attached files on the page: in their message, waiting above the composer, and which model can take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import streamlit as st
from streamlit.typing import UploadedFile

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.choice import cheapest_usable
from core.catalog.models import Capability, ModelSpec
from core.catalog.recommend import callable_now
from core.chat.attachment_images import preview_url
from core.chat.attachments import KINDS, MOST_FILES, MOST_MEGABYTES, keep_file
from core.chat.conversation import Attachment, Message
from core.chat.portability import images_left_out
from core.costs.pricing import price_attempt
from core.costs.token_count import estimate_image_tokens
from core.errors import SwitchboardError
from core.providers.events import Usage
from core.store.files import FileStore
from ui import file_state, formats, state
from ui.auth import current_user
from ui.markdown import literal
from ui.runtime import get_services

FILE_TYPES = sorted(KINDS)
LIMITS = f"Up to {MOST_FILES} files, {MOST_MEGABYTES} MB each: images, PDF, CSV, text, code"

_PREVIEW_PX = 900
_SHOWN_PX = 200
_KB, _MB = 1024, 1024 * 1024
# Above it, reading takes long enough to be noticed.
_QUICK_BYTES = 2 * _MB


def receive(services: Services, uploads: Sequence[UploadedFile]) -> list[str]:
    """Check the files of the composer and let the good ones wait. Returns what is wrong with the others."""
    waiting, problems = list(file_state.waiting()), []
    if any(upload.size > _QUICK_BYTES or upload.name.lower().endswith(".pdf") for upload in uploads):
        st.toast("Reading the files before they are sent.", icon=":material/attach_file:")
    for upload in uploads:
        if len(waiting) >= MOST_FILES:
            problems.append(f"{MOST_FILES} files go with one message; the others were left out.")
            break
        try:
            attached = keep_file(services.files, name=upload.name, data=upload.getvalue())
        except SwitchboardError as error:
            problems.append(str(error))
        else:
            waiting += [] if attached in waiting else [attached]
    file_state.set_waiting(waiting)
    return problems


def draw_attached(message: Message) -> None:
    """The files of a message: images small, with a click large; others as a button that downloads them."""
    if not message.attachments:
        return
    files = get_services().files
    with st.container(horizontal=True, key=f"files_{message.id}", gap="small"):
        for place, attached in enumerate(message.attachments):
            if attached.kind == "image":
                _draw_image(files, attached)
            else:
                _draw_file(files, attached, key=f"file_{message.id}_{place}")


def draw_waiting(services: Services, *, send: Callable[[], None], for_chosen: bool = True) -> None:
    """The files that go with the next message, above the composer; `send` sends them without words.

    `for_chosen` says what they add for the chosen model: on the page of comparisons they go to others.
    """
    # A place in every run: what a run does not claim stays on the page, faded, until the answer has ended.
    place_of_all, waiting = st.empty(), file_state.waiting()
    model = _chosen(services) if for_chosen else None
    if not waiting:
        return
    with place_of_all.container(horizontal=True, key="waiting_files", gap="xsmall", vertical_alignment="center"):
        for place, attached in enumerate(waiting):
            st.button(
                literal(f"{attached.name} ({details(attached, model)})"),
                key=f"take_out_{place}_{attached.content_hash[:12]}",
                icon=":material/close:",
                help="Goes with your next message. Click to take it out.",
                on_click=file_state.take_out,
                args=(attached,),
            )
        if model is not None:
            st.caption(literal(what_they_add(waiting, model)), width="content")
        st.button("Send without words", key="send_files", type="tertiary", icon=":material/send:", on_click=send)


def draw_sight(services: Services, messages: Sequence[Message], *, choose: Callable[[str], None]) -> None:
    """What the chosen model cannot see: images that are to be sent, with a model that can, and those sent before."""
    place, model = st.empty(), _chosen(services)
    if model is None or Capability.VISION in model.capabilities:
        return
    unseen = file_state.unseen()
    asked = [message for message in messages if message.id == unseen]
    to_send = [*file_state.waiting(), *(attached for message in asked for attached in message.attachments)]
    if any(attached.kind == "image" for attached in to_send):
        with place.container(horizontal=True, key="sight", vertical_alignment="center"):
            _draw_offer(services, model, choose)
    elif count := images_left_out(messages, model=model):
        images, notes = ("image", "a note in its") if count == 1 else (f"{count} images", "notes in their")
        place.caption(
            f":material/visibility_off: {literal(model.label)} cannot see the {images} of this chat: it reads "
            f"{notes} place."
        )


def details(attached: Attachment, model: ModelSpec | None) -> str:
    """What a file is and what it counts: `12 pages, 340 KB, about 3,400 tokens`."""
    if attached.kind == "image":
        size = f"{attached.width} by {attached.height} pixels"
    else:
        size = ", ".join(filter(None, (pages(attached), file_size(attached.size_bytes))))
    return f"{size}, about {formats.tokens(_tokens(attached, model))} tokens"


def what_they_add(attachments: Sequence[Attachment], model: ModelSpec) -> str:
    """What files add to a message to `model`: `Together about 3,400 tokens, about $0.0034 with Swift`."""
    count = sum(_tokens(attached, model) for attached in attachments)
    usage = Usage(input_tokens=count, output_tokens=0)
    price = price_attempt(usage, model.prices, counted_by_us=True, partial=False)
    cost = formats.cost(price.cost_usd, price.code)
    return f"Together about {formats.tokens(count)} tokens, {cost} with {model.label}"


def _tokens(attached: Attachment, model: ModelSpec | None) -> int:
    if attached.kind != "image":
        return attached.text_tokens or 0
    kind = model.provider.kind if model else "openai"
    return estimate_image_tokens(attached.width or 0, attached.height or 0, kind=kind)


def pages(attached: Attachment) -> str:
    """`12 pages`, of a PDF; nothing of anything else."""
    if attached.pages is None:
        return ""
    return "1 page" if attached.pages == 1 else f"{attached.pages:,} pages"


def shown_width_px(attached: Attachment) -> int:
    """How wide an image stands in its message: its longer side at most 200 pixels, never enlarged."""
    width, height = attached.width or _SHOWN_PX, attached.height or _SHOWN_PX
    return max(1, round(width * min(1.0, _SHOWN_PX / max(width, height))))


def file_size(size_bytes: int) -> str:
    """`512 bytes`, `340 KB`, `1.2 MB`."""
    if size_bytes < _KB:
        return f"{size_bytes} bytes"
    return f"{round(size_bytes / _KB)} KB" if size_bytes < _MB else f"{size_bytes / _MB:.1f} MB"


def cheapest_that_sees(services: Services, user: User) -> ModelSpec | None:
    """The cheapest model of this person that takes images and can be called now."""
    models = {
        name: model for name, model in services.offered_models(user).items() if Capability.VISION in model.capabilities
    }
    statuses = {name: services.model_status(model) for name, model in models.items()}
    usable = {name: model for name, model in models.items() if callable_now(statuses[name])}
    found = cheapest_usable(usable, states={name: statuses[name].state for name in usable})
    return None if found is None else usable[found]


def _draw_offer(services: Services, model: ModelSpec, choose: Callable[[str], None]) -> None:
    user = current_user(services)
    seeing = None if user is None else cheapest_that_sees(services, user)
    blind = f":material/visibility_off: {literal(model.label)} cannot see images"
    if seeing is None:
        st.caption(f"{blind}, and no model that can is up.")
        return
    st.caption(f"{blind}.", width="content")
    st.button(
        f"Use {literal(seeing.label)}",
        key="use_seeing",
        help=f"The cheapest that can see images now. Per million tokens: {literal(formats.price(seeing.prices))}.",
        on_click=choose,
        args=(seeing.id,),
    )


def _draw_image(files: FileStore, attached: Attachment) -> None:
    try:
        url = _preview(files, attached.content_hash)
    except OSError:
        st.caption(f":material/broken_image: {literal(attached.name)} is no longer kept.")
        return
    # A data URL goes over this person's own connection: there is no address at which others could ask for it.
    st.image(url, width=shown_width_px(attached), alt=attached.name)


def _draw_file(files: FileStore, attached: Attachment, *, key: str) -> None:
    st.download_button(
        literal(f"{attached.name} ({pages(attached) or file_size(attached.size_bytes)})"),
        key=key,
        data=partial(files.read, attached.content_hash),
        file_name=attached.name,
        mime=attached.media_type,
        icon=":material/table:" if attached.kind == "csv" else ":material/description:",
        help=literal(details(attached, None)),
        on_click="ignore",
    )


@lru_cache(maxsize=64)
def _preview(files: FileStore, content_hash: str) -> str:
    return preview_url(files.read(content_hash), side_px=_PREVIEW_PX)


def _chosen(services: Services) -> ModelSpec | None:
    return services.registry.current().get(state.active_model() or "")
