"""LiveLight: relight the person in a video as if they sat in an environment of their choice."""

__version__ = "0.1.0"
