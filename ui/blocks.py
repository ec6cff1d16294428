"""Markdown text that grows: only the block still being written is sent to the browser again."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from ui.markdown import renderable, split_blocks

# A good 20 repaints a second look fluent; more only cost CPU, most of it the browser's.
_REPAINT_S = 0.044
# A block that grows very long (a listing) is repainted less often, so that its bytes stay in proportion.
_BYTES_PER_S = 200_000
_SLOWEST_REPAINT_S = 0.25


class BlockPainter:
    """Paints a growing Markdown text into a container, block by block."""

    def __init__(self, container: DeltaGenerator) -> None:
        self._container = container
        self._slot = container.empty()
        self._open = ""

    def add(self, text: str) -> None:
        """Append `text` and repaint what changed."""
        closed, rest = split_blocks(self._open + text)
        for block in closed:
            self._slot.markdown(renderable(block))
            self._slot = self._container.empty()
        if rest and (closed or rest != self._open):
            self._slot.markdown(renderable(rest))
        self._open = rest

    @property
    def interval_s(self) -> float:
        """How long to wait until the next repaint."""
        return min(_SLOWEST_REPAINT_S, max(_REPAINT_S, len(self._open) / _BYTES_PER_S))


def draw_blocks(container: DeltaGenerator, text: str) -> None:
    """Draw a finished text with the elements that BlockPainter leaves behind, so that nothing moves in the browser."""
    closed, rest = split_blocks(text)
    for block in closed:
        container.markdown(renderable(block))
    if rest:
        container.markdown(renderable(rest))
    else:
        container.empty()
