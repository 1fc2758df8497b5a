"""Whether all is well: connection, token, names of the configuration, mirror and more, each as a check."""
