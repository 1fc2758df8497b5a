"""The embedded GitLab: a small world served over real HTTP, as strict and as awkward as GitLab is.

Owns the world, its GraphQL and REST faces, and faults on demand. It shares no code with the client side
(`glboard_core.gitlab`): two sides with one decoder would share one wrong idea of the wire.
Importing this package costs nothing; `server` and `serve` load the web stack, `process` and `options` do not.
"""
