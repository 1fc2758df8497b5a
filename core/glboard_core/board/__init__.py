"""Boards as pure functions: issues are placed in columns, edits are data, undo is the inverse edit."""
