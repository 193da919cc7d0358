"""What the machine must have for some tests, and what happens when it has not.

On a developer's machine such a test is skipped and says so; where `KELMU_REQUIRE_ALL` is set (CI) it fails.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_ELSEWHERE = (Path("/usr/sbin"), Path("/usr/local/sbin"))


def program(name: str) -> str:
    """Return the path of a program, or end the test: skipped here, failed where everything is required."""
    found = shutil.which(name) or next((str(p / name) for p in _ELSEWHERE if (p / name).exists()), None)
    if found:
        return found
    message = f"{name} is not installed"
    if os.environ.get("KELMU_REQUIRE_ALL"):
        pytest.fail(message)
    pytest.skip(message)
