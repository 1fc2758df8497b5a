"""The GraphQL API of the world: schema, resolvers, and what GitLab refuses before it executes anything."""
