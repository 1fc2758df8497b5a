"""The embedded GitLab: a small world served over real HTTP, as strict and as quirky as GitLab.

Owns the world, its GraphQL and REST APIs, and faults on demand. It shares no code with the client side
(`glboard_core.gitlab`): with a common decoder both sides would share the same mistakes.
Importing this package costs nothing; `server` and `serve` load the web stack, `process` and `options` do not.
"""
