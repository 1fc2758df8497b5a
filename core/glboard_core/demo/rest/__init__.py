"""The REST API of the world: `/api/v4`, with Grape's parsing and GitLab's responses."""
