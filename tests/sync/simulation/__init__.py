"""Deterministic simulation: real stores, real sync, the backend's real units of work, and a network made of chance."""
