"""Lines of painted widgets, kept as they are painted.

Textual wraps every line of content in what its styles ask for, which takes as long again as painting it. A painted
widget fills its lines to the last cell in the styles of its roles, so that nothing is left to wrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Spacing
from textual.strip import Strip
from textual.widget import Widget

NO_GUTTER: Final = Spacing()


class LineCache(StylesCache):
    """Takes a widget's lines as they are; one with a border or padding is left to Textual."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Return the lines of `crop`, painting those that are new or have changed."""
        if widget.styles.gutter != NO_GUTTER:
            return super().render_widget(widget, crop)
        width = widget.region.width
        if width != self._width:
            self.clear()
            self._width = width
        cache, dirty = self._cache, self._dirty_lines
        ground, filters = widget.background_colors[1], widget.get_line_filters()
        strips = []
        for y in crop.line_range:
            strip = cache.get(y)
            if strip is None or y in dirty:
                strip = cache[y] = _filtered(widget.render_line(y), filters, ground)
            strips.append(strip)
        dirty.difference_update(crop.line_range)
        x1, x2 = crop.column_span
        return strips if (x1, x2) == (0, width) else [strip.crop(x1, x2) for strip in strips]


def _filtered(strip: Strip, filters: Sequence[LineFilter], ground: Color) -> Strip:
    """Return a strip behind the filters: itself where they change nothing, since each strip has seven caches."""
    segments = strip._segments  # noqa: SLF001 - iterating over a strip makes another list
    passed = segments
    for one in filters:
        passed = one.apply(passed, ground)
    return strip if passed is segments else Strip(passed, strip.cell_length)
