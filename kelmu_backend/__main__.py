"""`python -m kelmu_backend` is `kelmu-backend`."""

import sys

from kelmu_backend.cli import main

sys.exit(main())
