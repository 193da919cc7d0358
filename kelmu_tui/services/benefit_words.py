"""Benefits in words."""

from __future__ import annotations

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.i18n import Translator


def benefit_name(benefit: str, t: Translator) -> str:
    """Return the name of a benefit; one that is not known here stands for itself."""
    known = benefits().get(benefit)
    return benefit if known is None else known.name.get(t.language)
