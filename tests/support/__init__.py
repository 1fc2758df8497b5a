"""Helpers shared by several tests: factories, strategies. No tests here."""
