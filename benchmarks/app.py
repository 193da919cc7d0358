"""The app as `kelmu` starts it, on the demo's files but without the demo's own backend: `python -m benchmarks.app URL`.

`kelmu demo` would start a backend of its own, and what is measured is the app.
"""

from __future__ import annotations

import sys

from kelmu_tui.app import run
from kelmu_tui.platform.paths import profile
from kelmu_tui.platform.settings import Settings
from kelmu_tui.terminal.environment import harden

if __name__ == "__main__":
    harden()  # as the command does first
    raise SystemExit(run(profile("demo"), Settings(), sys.argv[1], language="fi"))
