"""Bank accounts of the organisations that make claims: valid by every check, and of no bank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from kelmu_backend.population.lists import chance
from kelmu_backend.population.rows import Row
from kelmu_tui.domain.claims.catalogue import claimants
from kelmu_tui.domain.organisations import OrganisationType

_NO_BANK: Final = "90"
"""No Finnish bank gives out account numbers that begin so."""
_NAMES: Final = {
    "fi": ("Toimeentulotuen takaisinperintä", "Asiakasmaksut", "Lastensuojelu"),
    "sv": ("Återkrav av utkomststöd", "Klientavgifter", "Barnskydd"),
}
_SMALL: Final = 2
"""Accounts of an organisation on Åland; the others have all."""


def make_accounts(seed: int, organisations: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of `account` of those of `organisations` (rows of that table) that make claims."""
    for organisation in organisations:
        kind = OrganisationType(organisation["type"])
        if kind in claimants():
            yield from _accounts(chance(f"accounts/{seed}/{organisation['business_id']}"), organisation, kind)


def _accounts(random: Random, organisation: Row, kind: OrganisationType) -> Iterator[Row]:
    aland = kind in (OrganisationType.ALAND_MUNICIPALITY, OrganisationType.ALAND_JOINT_AUTHORITY)
    names = _NAMES["sv"][:_SMALL] if aland else _NAMES["fi"]
    for number, name in enumerate(names, 1):
        yield {
            "id": f"account-{organisation['business_id']}-{number}",
            "organisation": organisation["business_id"],
            "version": 1,
            "iban": artificial_iban(random),
            "name": name,
        }


def artificial_iban(random: Random) -> str:
    """Return a Finnish IBAN with its national check digit and its own, of a bank that does not exist."""
    bare = f"{_NO_BANK}{random.randrange(10**11):011d}"
    number = bare + _luhn(bare)
    # F and I count as 15 and 18, the digits to be found as 00.
    return f"FI{98 - int(f'{number}151800') % 97:02d}{number}"


def _luhn(digits: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
