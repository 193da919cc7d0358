"""The wire: contract, client, sign-in, errors.

httpx would bring along a command line of its own, for which it reads three more packages that nobody here needs; told
that there is none, it goes without.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
