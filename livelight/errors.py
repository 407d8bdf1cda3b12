"""The exception tree. Every message names what was expected, what came, and the way out.

LiveLightError
├── InputError          a file or stream that cannot be read as asked
├── OutputError         a place that cannot be written
├── LightError          an environment, rig or background that is no usable light
├── SettingsError       a setting outside its range, or two that contradict each other
├── DeviceError         a camera or virtual camera that is absent, busy or of the wrong form
├── RuntimeFailure      an inference engine that is absent or gave an unusable result
├── MissingExtra        an optional package that is not installed; names the pip command
└── MissingSystemPackage    a program or library of the system that is not installed; names the apt command

Errors of other libraries are turned into these once, at the edge, with ``from exc``.
"""


class LiveLightError(Exception):
    """Base of all errors that LiveLight raises on purpose; ``str(error)`` is one sentence for the user."""


class InputError(LiveLightError):
    """A file or stream cannot be read as asked."""


class OutputError(LiveLightError):
    """A place cannot be written."""


class LightError(LiveLightError):
    """An environment, rig or background gives no usable light."""


class SettingsError(LiveLightError):
    """A setting is outside its range or contradicts another."""


class DeviceError(LiveLightError):
    """A camera or virtual camera is absent, busy or of the wrong form."""


class RuntimeFailure(LiveLightError):
    """An inference engine is absent or gave an unusable result."""


class MissingExtra(LiveLightError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed; "
            f"install it with: pip install 'livelight[{extra}]'"
        )
        self.package = package
        self.extra = extra


class MissingSystemPackage(LiveLightError):
    """A program or library of the system is not installed.

    purpose: what cannot be done. packages: names on Debian and Ubuntu, separated by spaces. detail: what was seen.
    """

    def __init__(self, purpose: str, packages: str, detail: str = "") -> None:
        seen = f" ({detail})" if detail else ""
        super().__init__(
            f"{purpose} needs system packages that are not installed here{seen}; "
            f"on Debian and Ubuntu: sudo apt install {packages}"
        )
        self.packages = packages


def last_line(exc: BaseException) -> str:
    """The last line of a library's error, 200 characters at most: there engines say what is wrong; else its kind."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(exc).__name__
