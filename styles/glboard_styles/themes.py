"""The themes: dark, light and high contrast, in addition to Textual's two with the terminal's colours.

Owns only colours. Text has a contrast of 4.5 on its background (WCAG AA), 7 in the high-contrast theme (AAA);
the board's painter reads the ``board-*`` variables and adjusts other colours to the same contrast.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="glboard-dark",
    dark=True,
    primary="#6ea8fe",
    secondary="#8bb8a8",
    accent="#f0b35a",
    foreground="#e4e7ec",
    background="#131519",
    surface="#1c2029",
    panel="#242a34",
    success="#7cc98a",
    warning="#f0b35a",
    error="#ff8379",
    variables={
        "board-muted": "#98a2b3",
        "board-lane": "#1a1d23",
        "board-card": "#262a33",
        "board-alt": "#20242b",
        "board-focus": "#2a4b80",
        "board-selection": "#3a3520",
        "board-alert": "#7a4a12",
        "board-target": "#2f5d46",
        "board-line": "#4a5260",
        "board-violet": "#c4a2f5",
        "board-teal": "#68cfc0",
        "board-contrast": "4.5",
        "footer-key-foreground": "#f0b35a",
    },
)

LIGHT = Theme(
    name="glboard-light",
    dark=False,
    primary="#0b57c9",
    secondary="#2c6e5b",
    accent="#8a5200",
    foreground="#1b2027",
    background="#e3e6eb",
    surface="#d8dde4",
    panel="#eef1f5",
    success="#156b31",
    warning="#8a5200",
    error="#b3261e",
    variables={
        "board-muted": "#525b69",
        "board-lane": "#eef0f4",
        "board-card": "#ffffff",
        "board-alt": "#f7f8fa",
        "board-focus": "#b9d4ff",
        "board-selection": "#fdf1d0",
        "board-alert": "#ffd28a",
        "board-target": "#c4ecd2",
        "board-line": "#a9b2be",
        "board-violet": "#6b3fb5",
        "board-teal": "#0b6b62",
        "board-contrast": "4.5",
        "footer-key-foreground": "#8a5200",
    },
)

HIGH_CONTRAST = Theme(
    name="glboard-contrast",
    dark=True,
    primary="#7fc4ff",
    secondary="#a5f0d0",
    accent="#ffd75e",
    foreground="#ffffff",
    background="#000000",
    surface="#161616",
    panel="#242424",
    success="#8dffa8",
    warning="#ffd75e",
    error="#ffb0a8",
    text_alpha=1.0,
    variables={
        "board-muted": "#d6d6d6",
        "board-lane": "#0c0c0c",
        "board-card": "#1c1c1c",
        "board-alt": "#121212",
        "board-focus": "#003c8f",
        "board-selection": "#3a3000",
        "board-alert": "#6b3d00",
        "board-violet": "#d9c2ff",
        "board-teal": "#8ff0e2",
        "board-target": "#00522a",
        "board-line": "#8a8a8a",
        "board-contrast": "7",
        "footer-key-foreground": "#ffd75e",
    },
)

THEMES: tuple[Theme, ...] = (DARK, LIGHT, HIGH_CONTRAST)
"""The themes the app registers, in the order they are offered."""

#: Textual's own themes that use only the terminal's colours.
ANSI: tuple[str, ...] = ("ansi-dark", "ansi-light")


def default_theme(*, no_color: bool) -> str:
    """The theme to start with: if ``NO_COLOR`` is set, the terminal's own foreground and background.

    Bold, underline, reverse and the signs on the cards then say what colours say otherwise.
    """
    return ANSI[0] if no_color else DARK.name


def ansi_color(*, no_color: bool) -> bool | None:
    """What to give ``App(ansi_color=...)``: needed with ``NO_COLOR``, only known before the app exists.

    Without it Textual 8.2.8 greys colours by their red, green and blue, and since the terminal's own have
    none it paints black on black. With it, colours are left out.
    """
    return True if no_color else None
