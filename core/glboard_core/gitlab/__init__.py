"""The GitLab gateway: the only part of the core that knows GitLab's API.

Owns authentication (``account``, ``credentials``, ``glab``), HTTP (``transport``, ``retry``, ``failures``),
the queries (``queries``, ``graphql``), decoding (``text``, ``decode``, ``meta``) and sending Ops (``encode``,
``judge``, ``writer``). ``gateway`` combines them into ``ports.Gateway``; ``rest`` sets up boards with
python-gitlab. Nothing here knows the mirror, the outbox or a screen.
"""
