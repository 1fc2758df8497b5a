"""The embedded GitLab: a small world served over real HTTP, as strict and as quirky as GitLab.

Owns the world, its GraphQL and REST APIs, and faults on demand. It shares no code with the client side
(`glboard_core.gitlab`): with a common decoder both sides would share the same mistakes.
Importing this package costs nothing; `http.server` loads the web stack, `http.process` does not.
"""
