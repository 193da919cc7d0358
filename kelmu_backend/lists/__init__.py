"""Lists of recipients and invoices: what has come for whom, who may have it, and how its rows leave.

making.make(connection, lister, organisation, one, now)     what has come and is not there yet
offers.offers(connection, access, now)                      every list, open or closed, with its publications
reading.open_(connection, wanted, version, after, now)      a publication to stream
publishing.republish(connection, …), withdraw(…)            what happens to it later
"""
