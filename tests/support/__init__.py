"""What several tests need: makers of values, strategies. No test here."""
