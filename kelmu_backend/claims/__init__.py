"""Payment claims: the organisations' register, the commands on it, what Kela makes of a claim, and who is told.

reading   rows as the feed and a snapshot carry them
judging   what is known of a payee, and the rules of the domain
record    a claim is loaded, written, and told to the organisation and to those who follow the payee
giving    the commands of workers
moving    what Kela's side does: acknowledges, hears, decides, pays, ends
editing   who is changing a claim now
"""
