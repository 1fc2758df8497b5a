"""GitLab: the only part of the core that knows its API.

``gateway`` is ``ports.Gateway``. ``http`` and ``graphql`` send requests, the modules ``…_errors`` word what
fails; ``queries``, ``name_queries`` and ``mutations`` have the documents; ``decode``, ``catalog`` and
``events`` read answers, ``encode``, ``send`` and ``verify`` send changes. ``account`` and ``glab`` find
server and token; ``admin`` sets up boards.
"""
