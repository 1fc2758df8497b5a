"""The engine: sole owner of what is confirmed, pending and shown. Loads, polls, sends, settles."""
