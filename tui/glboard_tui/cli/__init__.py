"""The command line: subcommands that print, and those that open the screen (only these import Textual)."""
