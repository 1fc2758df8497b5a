"""Where the mirror and the outbox are kept."""
