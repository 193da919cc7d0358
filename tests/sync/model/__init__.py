"""The sync protocol as an executable specification: small, pure, fast, and independent of the program's own code."""
