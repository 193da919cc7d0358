"""Replay one seed, try many, or look whether the planted bugs are found: `python -m tests.sync.simulation --help`."""

from __future__ import annotations

import argparse
import sys

from tests.sync.simulation import soak

parser = argparse.ArgumentParser(prog="python -m tests.sync.simulation", description=__doc__)
commands = parser.add_subparsers(dest="command", required=True)

replay = commands.add_parser("replay", help="run one seed and say what broke")
replay.add_argument("seed", type=int)

soaking = commands.add_parser("soak", help="run many seeds on all cores and count what they met")
soaking.add_argument("--first", type=int, default=1)
soaking.add_argument("--count", type=int, default=1000)
soaking.add_argument("--reach", type=float, default=0.95, help="share of the possible pairs that must be met")

plants = commands.add_parser("plants", help="run the planted bugs, each until it is found or its seeds are over")
plants.add_argument("names", nargs="*", help="some of them; all by default")
plants.add_argument("--limit", type=int, help="seeds instead of each plant's own number")

for command in (replay, soaking):
    command.add_argument("--plant", help="break the protocol in this way")
    command.add_argument("--postgresql", action="store_true", help="the record lies on a PostgreSQL started for it")
for command in (replay, soaking, plants):
    command.add_argument("--steps", type=int, default=200)

options = parser.parse_args()
match options.command:
    case "replay":
        failed = soak.replay(options.seed, options.steps, options.plant, postgresql=options.postgresql)
    case "soak":
        seeds = range(options.first, options.first + options.count)
        failed = soak.soak(seeds, options.steps, options.plant, postgresql=options.postgresql, reach=options.reach)
    case _:
        failed = soak.plants(options.names, options.steps, options.limit)
sys.exit(1 if failed else 0)
