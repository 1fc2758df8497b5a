"""The nouns: issues, labels, milestones, people, flow states, boards. Frozen, pure, without a loop."""
