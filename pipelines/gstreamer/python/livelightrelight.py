"""What GStreamer's Python loader finds under GST_PLUGIN_PATH: it registers the element ``livelightrelight``.

The loader runs Python without our virtual environment. The packages are therefore looked for beside this file (an
installed LiveLight) and in the folders that LIVELIGHT_PYTHONPATH names (``livelight gstreamer`` prints it).
"""

import os
import sys
from pathlib import Path

_folders = [str(Path(__file__).resolve().parents[3]), *os.environ.get("LIVELIGHT_PYTHONPATH", "").split(os.pathsep)]
_the_loaders_list = sys.path  # the loader goes on with this list, uncounted; cv2 puts another in its place and frees it
sys.path[:0] = [folder for folder in _folders if folder and folder not in sys.path]

try:
    from pipelines.gstreamer.element import LivelightRelight
except ImportError as exc:
    print(
        f"livelight: the element livelightrelight cannot be loaded into GStreamer's Python "
        f"{sys.version_info.major}.{sys.version_info.minor} ({exc}); run: livelight gstreamer",
        file=sys.stderr,
    )
else:
    from gi.repository import Gst

    __gstelementfactory__ = ("livelightrelight", Gst.Rank.NONE, LivelightRelight)
