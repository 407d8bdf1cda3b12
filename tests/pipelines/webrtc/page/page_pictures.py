"""By hand: the page with the demo clip as its camera, as pictures for the documentation.

    python -m tests.pipelines.webrtc.page.page_pictures [FOLDER]

Writes page.png (a wide screen) and page_phone.png into FOLDER (default: docs).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
from playwright.sync_api import sync_playwright

from tests.pipelines.webrtc.page.browser import arguments, camera_clip, chromium, serving
from tests.pipelines.webrtc.page.visitor import Visitor

SETTLED_MS = 6000


def wide(browser: object, url: str, target: Path) -> None:
    """The wipe over neon light, the light turned a little."""
    one = Visitor(browser, url, viewport={"width": 1440, "height": 860})
    one.start()
    one.choose("neon")
    one.page.click("#wipe-toggle")
    for _ in range(3):
        one.page.keyboard.press("ArrowLeft")
    one.page.evaluate("document.activeElement.blur()")
    one.page.locator("#pane-light").evaluate("pane => { pane.scrollTop = 0; }")
    one.page.wait_for_timeout(SETTLED_MS)
    one.page.screenshot(path=target)
    one.leave()


def phone(browser: object, url: str, target: Path) -> None:
    """Light from the left on a phone."""
    small = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    one = Visitor(browser, url, **small)
    one.start()
    one.choose("golden-hour")
    one.page.evaluate("scrollTo(0, 0)")
    one.page.wait_for_timeout(SETTLED_MS)
    one.page.screenshot(path=target)
    one.leave()


def smaller(path: Path) -> None:
    """At most 1280 pixels wide, and packed as tightly as PNG can."""
    picture = cv2.imread(str(path))
    shrink = min(1.0, 1280 / picture.shape[1])
    picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        clip = camera_clip(Path(scratch) / "clip.y4m", 960, 540, 10, 4)
        with serving(config=Path(scratch)) as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=arguments(clip))
            wide(browser, url, folder / "page.png")
            phone(browser, url, folder / "page_phone.png")
            browser.close()
    for name in ("page.png", "page_phone.png"):
        smaller(folder / name)


if __name__ == "__main__":
    main()
