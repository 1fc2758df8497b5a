"""Setting glboard up: what a group has, which configuration follows from it, and the file that holds it."""
