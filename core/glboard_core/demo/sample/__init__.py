"""What is in the world: the generated sample, scenario files, the team file."""
