"""What a document is by its content: inspected, freed of what it says beside what it shows, and shown small.

Used by the client before a document leaves and by the backend when it has come; neither trusts the other. `checking`
is what both call. Everything that parses runs in a process of its own.
"""
