"""Artificial Finland by seed: organisations, personas, customers, notices with a history, announcements.

    world = generate(seed, now, people=5000, notices=1200)      what is there on the day of `now`
    fill(database, world, progress)                             into an empty, migrated record
    source = arrivals(seed, now)                                live notices of the running demo
    change = deliver(connection, source.next(now))              one of them, with its entry in the feed
    change = Happenings(seed, now).next(connection, now, ids)   something in the life of a customer who is followed

The same seed on the same Finnish day gives the same world, on every machine.
"""

from kelmu_backend.population.filling import AlreadyFilled, fill
from kelmu_backend.population.happenings import Happenings
from kelmu_backend.population.live import Arrivals, arrivals, deliver
from kelmu_backend.population.rows import Bundle
from kelmu_backend.population.world import NOTICES, PEOPLE, World, generate

__all__ = [
    "NOTICES",
    "PEOPLE",
    "AlreadyFilled",
    "Arrivals",
    "Bundle",
    "Happenings",
    "World",
    "arrivals",
    "deliver",
    "fill",
    "generate",
]
