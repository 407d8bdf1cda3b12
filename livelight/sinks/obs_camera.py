"""The virtual camera of OBS or Unity Capture on Windows and macOS, through pyvirtualcam (GPLv2, an extra)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from livelight.errors import DeviceError, MissingExtra
from livelight.frame import Frame


class ObsCameraSink:
    """Writes frames through pyvirtualcam (WatchedSink); it cannot tell whether anybody looks.

    name: a backend's device, such as "OBS Virtual Camera"; None takes the first. The constructor raises MissingExtra
    without the package, DeviceError where no virtual camera is installed.
    """

    def __init__(self, name: str | None, width: int, height: int, rate: Fraction | int) -> None:
        try:
            import pyvirtualcam
        except ImportError as exc:
            raise MissingExtra("pyvirtualcam", "vcam", "The virtual camera of OBS") from exc
        self.width, self.height = width, height
        try:
            self._camera: Any = pyvirtualcam.Camera(
                width=width, height=height, fps=float(rate), fmt=pyvirtualcam.PixelFormat.RGB, device=name
            )
        except RuntimeError as exc:
            raise DeviceError(
                f"No virtual camera can be opened ({' '.join(str(exc).split())}); install OBS and start its virtual "
                "camera once."
            ) from exc
        self.name: str = self._camera.device

    def write(self, frame: Frame) -> None:
        if (frame.width, frame.height) != (self.width, self.height):
            expected, got = f"{self.width}x{self.height}", f"{frame.width}x{frame.height}"
            raise DeviceError(f"{self.name} takes frames of {expected}; got {got}.")
        try:
            self._camera.send(frame.image)
        except RuntimeError as exc:
            raise DeviceError(f"The virtual camera {self.name} takes no more frames ({exc}).") from exc

    def watched(self) -> bool:
        return True

    def close(self) -> None:
        self._camera.close()

    def abort(self) -> None:
        self.close()
