"""What holds for all tests: no property is timed, since a machine with other work on it would make it fail."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# On top of what the library itself chooses, which on a build server is something else than on a desk.
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
