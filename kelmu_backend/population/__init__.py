"""Artificial Finland by seed: organisations, personas, customers, notices with a history, announcements.

    world = generate(seed, now, people=5000, notices=1200)      what is there on the day of `now`
    fill(database, world, progress)                             into an empty, migrated record
    source = arrivals(seed, now)                                live notices of the running demo
    change = arrive(connection, source, now)                    the next of them, with its entry in the feed
    left = advance(database)                                    some of a crowd that was too large to wait for
    made = advance_claims(database, ids)                        some of the organisations' claims
    change = Kela(seed, maker).next(connection, now, ids)       Kela's side comes to a claim
    Config(maker=known_of)                                      what Kela's systems know of somebody
    change = Happenings(seed, now).next(connection, now, ids)   something in the life of a customer who is followed

The same seed on the same Finnish day gives the same world, on every machine.
"""

from kelmu_backend.population.claims import advance as advance_claims
from kelmu_backend.population.crowd import Crowd, advance
from kelmu_backend.population.customers import known_of
from kelmu_backend.population.filling import AlreadyFilled, fill
from kelmu_backend.population.happenings import Happenings
from kelmu_backend.population.kela import Kela
from kelmu_backend.population.live import Arrivals, arrivals, arrive, deliver
from kelmu_backend.population.rows import Bundle
from kelmu_backend.population.world import NOTICES, PEOPLE, World, generate

__all__ = [
    "NOTICES",
    "PEOPLE",
    "AlreadyFilled",
    "Arrivals",
    "Bundle",
    "Crowd",
    "Happenings",
    "Kela",
    "World",
    "advance",
    "advance_claims",
    "arrivals",
    "arrive",
    "deliver",
    "fill",
    "generate",
    "known_of",
]
