"""Stores for the mirror and the outbox."""
