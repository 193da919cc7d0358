"""Reads a foreign document in a process of its own: a hostile or broken one can take its memory, its time and its life.

Run as a file, isolated, with what to do (`inspect`, `clean`, `preview`, or `ascii` for a preview without
blocks), the limits, and the width of a preview.
The document comes on the standard input. A line of JSON leaves, and with `clean` the bytes of the result behind it.
Nothing is written to a disk, which the limits see to.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Isolated, a file does not find its own package. Behind Python's own library, before what else is installed.
    at = next((number for number, place in enumerate(sys.path) if place.endswith("-packages")), len(sys.path))
    sys.path.insert(at, str(Path(__file__).parents[2]))

from kelmu_tui.content import jpeg, png, sniffing
from kelmu_tui.content.found import Bounds, Examined, Refused, in_order
from kelmu_tui.domain.documents import Fault, MediaType


def confine(bounds: Bounds) -> None:
    """Take no more memory and time than is given, write no file, and leave no image of what was in memory."""
    import resource

    for kind, soft, hard in (
        (resource.RLIMIT_AS, bounds.memory, bounds.memory),
        # Not the same: at the hard limit the end says no more why it came.
        (resource.RLIMIT_CPU, bounds.seconds, bounds.seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with suppress(ValueError, OSError):  # not every system has each, and some allow less already
            resource.setrlimit(kind, (soft, hard))


def examine(data: bytes, kind: MediaType, bounds: Bounds, *, write: bool = False) -> Examined:
    """Return a document without its traces, once it has been found to be whole and harmless.

    Args:
        write: whether the document is wanted without them, and not only what they are.

    Raises:
        Refused: it is neither.
    """
    if kind is MediaType.PDF:
        from kelmu_tui.content import pdf

        return pdf.examine(data, bounds, write=write)
    from kelmu_tui.content.decoding import decode, opened

    found = jpeg.examine(data, bounds.pixels) if kind is MediaType.JPEG else png.examine(data, bounds.pixels)
    # Decoded is what is left: what was taken out needs no reader that could stumble over it.
    decode(opened(found.data, kind))
    return found


def work(what: str, bounds: Bounds, columns: int, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what is told, and the bytes behind it."""
    kind = sniffing.media_type(data)
    if kind is None:
        raise Refused(Fault.TYPE, sniffing.what(data).value)
    found = examine(data, kind, bounds, write=what == "clean")
    if what in ("preview", "ascii"):
        from kelmu_tui.content import previewing

        return {"lines": previewing.preview(found.data, kind, columns, ascii_only=what == "ascii")}, b""
    told = {
        "pages": found.pages,
        "width": found.width,
        "height": found.height,
        "metadata": in_order(found.traces),
    }
    if what != "clean" or found.data == data:
        return {**told, "same": True}, b""
    if len(found.data) > bounds.file_bytes:
        raise Refused(Fault.TOO_LARGE)
    # The result is looked at like any other document; whoever receives it will do the same.
    again = examine(found.data, kind, bounds)
    if again.traces:
        raise Refused(Fault.BROKEN)
    return {**told, "pages": again.pages, "same": False}, found.data


def main() -> int:
    """Read the document and tell what is in it."""
    logging.disable()
    out = sys.stdout.buffer
    what, *given = sys.argv[1:]
    *limits, columns = map(int, given)
    bounds = Bounds(*limits)
    behind = b""
    try:
        data = sys.stdin.buffer.read()
        confine(bounds)
        told, behind = work(what, bounds, columns, data)
    except Refused as refused:
        told = {"fault": refused.fault.value, "detail": refused.detail}
    except MemoryError:
        told = {"fault": Fault.BOMB.value}
    except (ImportError, KeyboardInterrupt):
        return 3
    except BaseException:  # noqa: BLE001 - a reader of foreign bytes may fail in any way
        told = {"fault": Fault.BROKEN.value}
    with suppress(BrokenPipeError):
        out.write(json.dumps(told).encode() + b"\n" + behind)
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
