"""Lists of recipients and the rows and heads of invoices, for the people of the record, by the record's seed.

    Config(lister=Lister(faults=True))                      what the backend makes when it is first needed
    roll = roll_of(connection, organisation, seed, today)   whom lists of an organisation are about
    sheets = make_sheets(roll, seed, one, periods, faults)  a list with what was planted in it

What stands in a list of a month depends on the person, the seed and the month alone: whenever it is made, the months
before and after fit to it.
"""

from kelmu_backend.population.issued.faults import Fault, Planted
from kelmu_backend.population.issued.roll import Child, Resident, Roll, roll_of, strangers
from kelmu_backend.population.issued.sheets import Answer, Lister, Sheet, county_answers, make_sheets, seed_of

__all__ = [
    "Answer",
    "Child",
    "Fault",
    "Lister",
    "Planted",
    "Resident",
    "Roll",
    "Sheet",
    "county_answers",
    "make_sheets",
    "roll_of",
    "seed_of",
    "strangers",
]
