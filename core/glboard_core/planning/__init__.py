"""The planning process as pure functions: readiness, capacity, candidates, Say/Do, triage, mix, scope.

Every rule is in ``docs/planning-rules.md``. Nothing here reads a clock, a file or a server: dates, zones,
events and settings come as arguments, so that the screens and ``glboard report`` cannot differ.
"""
