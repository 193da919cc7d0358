"""Payment claims: what may be claimed on which basis, what a claim says, by which rules it is judged, and its life.

Facts and their sources stand in `catalogue/claims.toml`. Sums are `Decimal` euros, days are Finnish calendar days.
"""
