"""What each action does: one function per action, in modules by subject; ``actions.py`` names it.

A command gets the context and its argument (the digit or letter of its slot, a fixed one, or ""). Dialogs are
imported where they are opened: their widgets would otherwise be half of the imports at start.
"""
