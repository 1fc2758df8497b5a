"""The HTTP server of the embedded GitLab: gate, faults, transport and process."""
