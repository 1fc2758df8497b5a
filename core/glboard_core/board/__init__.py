"""Boards as pure functions: issues become columns, edits are data, undo is the inverse edit."""
