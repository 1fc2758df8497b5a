"""The GitLab gateway: the only part of the core that knows GitLab's wire.

Owns who we sign in as (``account``, ``credentials``, ``glab``), the HTTP of it (``transport``, ``retry``,
``failures``), the questions asked (``queries``, ``graphql``), what is read from the answers (``text``,
``decode``, ``meta``) and how Ops are written (``encode``, ``judge``, ``writer``). ``gateway`` puts them
together behind ``ports.Gateway``; ``rest`` sets up boards, through python-gitlab. Nothing here knows
the mirror, the outbox or a screen.
"""
