"""The nouns: issues, labels, milestones, people, workflow states, boards. Frozen and pure."""
