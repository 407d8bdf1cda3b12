"""The project's demo clip: one rendered person who talks, blinks, nods and smiles in a dim room, on a cheap webcam.

python -m training.light_stage.talking --out pipelines/demo/talking.mp4

Cheap: the person is traced for every second frame and at 0.6 of the size, and the frames between come from optical flow
(webcams that see little light are as soft); the light at the vertices is traced for every 24th frame, and blended; the
room is traced once.
"""

import argparse
import multiprocessing
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree

from training.light_stage.camera import Camera, shaken
from training.light_stage.cast import head_centre
from training.light_stage.direct import draw
from training.light_stage.gbuffer import trace
from training.light_stage.host import host
from training.light_stage.lights import grey_card
from training.light_stage.motion import FPS, Drift
from training.light_stage.person import Person
from training.light_stage.room import evening
from training.light_stage.scene import Scene, Topology, process_priority
from training.light_stage.speech import Mouth, mouth, read_wave, speak
from training.light_stage.transport import VertexLight, blend, vertex_light
from training.light_stage.webcam import WebcamSettings, develop

TEXT = "Hi, this is Live Light. My room is dark, my webcam is cheap. Now watch this."
LEAD_S = 0.25
KEY_EVERY, STEP = 24, 2
TRACED = 0.6
BLINKS_S = (0.75, 2.9, 4.55)
NODS_S = (0.55, 2.25, 4.2)
SMILE_S = 5.1
GREY_CARD = 0.36
HEAD_M = np.array([0.0, 0.0, -0.62])
# A webcam that runs out of light: warm, noisy, softly focused and then sharpened.
WEBCAM = WebcamSettings(0.0, 0.0, (0.92, 1.0, 1.16), 0.0, 0.014, 0.0022, 0.0, 0.5, 0, 0.3)


class Speaker:
    """The person of the demo and everything that moves, as functions of the frame number."""

    def __init__(self, lips: Mouth, size: tuple[int, int]) -> None:
        self.person: Person = host()
        self.lips = lips
        self.person.performance.blink_s = np.array(BLINKS_S) - 2.0
        rng = np.random.default_rng(7)
        self.tremble = [Drift(rng, 0.7) for _ in range(2)]
        height, width = size
        centre = head_centre(self._vertices(0)[0])
        focal = height / 0.43 * 0.62
        self.camera = Camera(centre - HEAD_M, np.eye(3), focal, np.array([width * 0.5, height * 0.5]), size)
        self.topology = Topology(self.person.parts, [len(v) for v in self._vertices(0)])

    def _vertices(self, frame: int) -> list[np.ndarray]:
        t = frame / FPS
        performance = self.person.performance
        unit, turns = performance.expression(t), performance.rotation(t)
        frame = min(frame, len(self.lips.open) - 1)
        jaw, rounded, wide = (float(x[frame]) for x in (self.lips.open, self.lips.round, self.lips.wide))
        smile = unit["mouthSmileLeft"] * (1 - 0.5 * max(jaw, rounded)) + 0.3 * _rise((t - SMILE_S) / 0.5)
        unit |= {"jawOpen": 0.3 * jaw, "mouthFunnel": 0.35 * rounded, "mouthPucker": 0.2 * rounded}
        unit |= {"browInnerUp": 0.1 + 0.22 * wide, "mouthLowerDownLeft": 0.08 * jaw, "mouthLowerDownRight": 0.08 * jaw}
        for side in ("Left", "Right"):
            unit[f"mouthStretch{side}"] = 0.22 * wide
            unit[f"mouthUpperUp{side}"] = 0.12 * wide + 0.1 * jaw
            unit[f"mouthSmile{side}"] = smile
            unit[f"cheekSquint{side}"] = 0.35 * smile
            unit[f"browOuterUp{side}"] = 0.12 * wide
        nod = sum(np.exp(-(((t - start) / 0.22) ** 2)) for start in NODS_S)
        turns["head"] = turns["head"] + np.array([0.06 * nod + 0.02 * jaw, 0.0, 0.0])
        return self.person.vertices(self.person.model_state(unit, turns))

    def scene(self, frame: int) -> tuple[Scene, Camera]:
        """Geometry and camera of one frame."""
        camera = shaken(self.camera, 0.5 * np.array([d(frame / FPS) for d in self.tremble]))
        return Scene(self.topology, camera.to_camera(np.concatenate(self._vertices(frame)))), camera

    @cached_property
    def in_view(self) -> np.ndarray:
        """Vertices that a small picture sees at some of the frames: one set for the clip, so that nothing flickers."""
        small, factor = (180, 320), 180 / self.camera.size[0]
        camera = Camera(
            self.camera.centre, np.eye(3), self.camera.focal * factor, self.camera.principal * factor, small
        )
        frames = range(0, len(self.lips.open), 15)
        seen = [np.unique(trace(self.scene(frame)[0], camera, 1).triangle) for frame in frames]
        return np.unique(np.concatenate(seen))

    @cached_property
    def _stand_in(self) -> np.ndarray:
        """(V,) for every vertex the row of `in_view` whose vertex is nearest at the start (itself, if there)."""
        place = self.scene(0)[0].vertices
        return cKDTree(place[self.in_view]).query(place)[1].astype(np.int32)

    @lru_cache(maxsize=2)  # noqa: B019  one speaker lives as long as its process
    def light(self, frame: int) -> VertexLight:
        """The vertices' light at one key frame."""
        known = vertex_light(self.scene(frame)[0], self.in_view, np.random.default_rng(0))
        return replace(known, row=np.where(known.row < 0, self._stand_in, known.row))


def _rise(x: float) -> float:
    """Smooth step from 0 at 0 to 1 at 1."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


@lru_cache(maxsize=1)
def _room(folder: Path, focal: float, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(light code, backdrop) of the evening room, exposed as this webcam does."""
    code, view = evening(folder, focal, size, HEAD_M)
    gain = np.float32(GREY_CARD / float(grey_card(code) @ np.float32([0.2126, 0.7152, 0.0722])))
    return code * gain, np.minimum(view * gain, 4.0)


@lru_cache(maxsize=1)
def _speaker(folder: Path, frames: int, size: tuple[int, int]) -> Speaker:
    """One speaker a process, with the mouth of the speech in `folder`."""
    sound, rate_hz = padded_speech(folder)
    return Speaker(mouth(sound, rate_hz, FPS, frames), size)


def padded_speech(folder: Path) -> tuple[np.ndarray, int]:
    """(samples, rate in Hz) of the speech after a moment of silence."""
    sound, rate_hz = read_wave(folder / "speech.wav")
    return np.concatenate([np.zeros(int(LEAD_S * rate_hz), np.float32), 0.8 * sound]), rate_hz


def render_window(job: tuple[int, int, int, tuple[int, int], Path]) -> int:
    """Trace every STEP-th frame of [first, last) to NPY files that are not there yet, with key light at both ends.

    The files hold linear light, (H, W, 3) float16, at TRACED of the size.
    """
    first, last, frames, size, folder = job
    missing = [f for f in range(first, last, STEP) if not (folder / f"{f:04d}.npy").exists()]
    if not missing:
        return first
    traced = tuple(round(TRACED * side) for side in size)
    speaker = _speaker(folder, frames, traced)
    code, view = _room(folder, speaker.camera.focal, traced)
    start, end = speaker.light(first), speaker.light(last)
    for frame in missing:
        scene, camera = speaker.scene(frame)
        person, alpha = draw(scene, camera, code, blend(start, end, (frame - first) / (last - first)))
        temporary = folder / f"{frame:04d}.part.npy"
        np.save(temporary, (person + (1 - alpha[..., None]) * view).astype(np.float16))
        temporary.replace(folder / f"{frame:04d}.npy")
    return first


def between(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    """The linear picture (H, W, 3) float32 at `share` of the way between two, both moved along their optical flow."""
    coded = [np.uint8(255 * np.clip(p.mean(-1), 0, 1) ** (1 / 2.2)) for p in (before, after)]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*coded, None)
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    moved = [
        cv2.remap(
            picture, x + by * flow[..., 0], y + by * flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        for picture, by in ((before, -share), (after, 1 - share))
    ]
    return (1 - share) * moved[0] + share * moved[1]


def filmed(folder: Path, frame: int, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 sRGB: what the webcam makes of one frame, of those traced in `folder`."""
    known = frame - frame % STEP
    picture = np.load(folder / f"{known:04d}.npy").astype(np.float32)
    if known < frame:
        picture = between(
            picture, np.load(folder / f"{known + STEP:04d}.npy").astype(np.float32), (frame - known) / STEP
        )
    picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC)
    return develop(np.maximum(picture, 0), WEBCAM, frame, np.random.default_rng(frame))


def mux(
    pictures: Iterable[np.ndarray], size: tuple[int, int], sound: np.ndarray, rate_hz: int, out: Path,
    bit_rate: int = 2_800_000,
) -> None:  # fmt: skip
    """H.264 + AAC in MP4 of uint8 sRGB pictures of one size, index at the front so that it streams."""
    import av

    with av.open(str(out), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=int(FPS), options={"preset": "medium"})
        video.height, video.width = size
        video.pix_fmt, video.bit_rate = "yuv420p", bit_rate
        audio = container.add_stream("aac", rate=48000, layout="mono")
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        chunk = av.AudioFrame.from_ndarray((sound * 32767).astype("<i2")[None], format="s16", layout="mono")
        chunk.sample_rate, chunk.pts = rate_hz, 0
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000)
        for piece in [*resampler.resample(chunk), *resampler.resample(None)]:
            container.mux(audio.encode(piece))
        container.mux(audio.encode(None))


def _start_worker() -> None:
    from threadpoolctl import threadpool_limits

    process_priority(3)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="MP4 file to write")
    parser.add_argument("--height", type=int, default=720, help="picture height; width is 16/9 of it")
    parser.add_argument("--seconds", type=float, default=6.0, help="length")
    parser.add_argument("--every", type=int, default=1, help="above 1: one still of each n-th window, for a look")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--frames-dir", type=Path, help="keep frames here; a stopped run goes on from them")
    arguments = parser.parse_args()
    folder = arguments.frames_dir or Path(tempfile.mkdtemp(prefix="talking_"))
    folder.mkdir(parents=True, exist_ok=True)
    speak(TEXT, folder / "speech.wav", stretch=0.92)
    sound, rate_hz = padded_speech(folder)
    frames = int(arguments.seconds * FPS)
    size = (arguments.height, arguments.height * 16 // 9)
    ends = range(0, frames + 1, KEY_EVERY * arguments.every)
    step = KEY_EVERY if arguments.every == 1 else 1
    jobs = [(i, min(i + step, frames + 1), frames, size, folder) for i in ends]
    with multiprocessing.get_context("spawn").Pool(arguments.workers, _start_worker) as pool:
        for done, _ in enumerate(pool.imap_unordered(render_window, jobs), 1):
            print(f"{done}/{len(jobs)} windows", flush=True)
    if arguments.every > 1:
        for i in ends:
            cv2.imwrite(str(folder / f"{i:04d}.png"), filmed(folder, i, size)[..., ::-1])
        return
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    mux((filmed(folder, i, size) for i in range(frames)), size, sound, rate_hz, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
