"""Keeps the local state in sync with the server: loads, polls, sends, and resolves what comes between."""
