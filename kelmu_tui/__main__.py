"""`python -m kelmu_tui` is `kelmu`."""

from kelmu_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
