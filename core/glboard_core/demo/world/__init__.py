"""The state of the embedded GitLab and its rules."""
