"""Pictures really decoded, by Pillow; only in the process of `child`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from kelmu_tui.content.found import Refused
from kelmu_tui.domain.documents import Fault, MediaType

if TYPE_CHECKING:
    from PIL import Image

_FORMATS: Final = {MediaType.JPEG: "JPEG", MediaType.PNG: "PNG"}


def opened(data: bytes, kind: MediaType) -> Image.Image:
    """Return a picture that is not decoded yet; its size has been looked at before.

    Raises:
        Refused: it is broken.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # ours is smaller and judged by the file's own words, before it comes here
    try:
        return Image.open(io.BytesIO(data), formats=[_FORMATS[kind]])
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a reader of foreign bytes may fail in any way
        raise Refused(Fault.BROKEN) from None


def decode(image: Image.Image) -> None:
    """Decode all of a picture.

    Raises:
        Refused: it ends too early, or is broken.
    """
    try:
        # Every coded bit is read, but only an eighth of the points are computed of a JPEG.
        image.draft(None, (max(image.width // 8, 1), max(image.height // 8, 1)))
        image.load()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - as above
        raise Refused(Fault.BROKEN) from None
