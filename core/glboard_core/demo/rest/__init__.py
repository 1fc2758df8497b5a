"""The REST API of the world: `/api/v4`, as Grape parses it and GitLab answers it."""
