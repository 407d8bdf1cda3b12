"""The project's demo clip: one rendered person who talks, blinks and nods in a dim hall, filmed by a cheap webcam.

python -m training.light_stage.talking --out pipelines/demo/talking.mp4

The person's geometry is traced for every frame; the light at the vertices every fourth, blended between.
"""

import argparse
import multiprocessing
import tempfile
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np

from training.light_stage import assets
from training.light_stage.backdrop import project
from training.light_stage.camera import Camera, shaken
from training.light_stage.cast import head_centre
from training.light_stage.direct import draw
from training.light_stage.lights import Panoramas, exposed
from training.light_stage.motion import FPS, Drift
from training.light_stage.person import Person, sample_person
from training.light_stage.scene import Scene, Topology, process_priority
from training.light_stage.speech import Mouth, mouth, read_wave, speak
from training.light_stage.splits import skins_of
from training.light_stage.transport import VertexLight, blend, vertex_light
from training.light_stage.webcam import WebcamSettings, develop

TEXT = (
    "Hi, this is Live Light. I am in a dim hallway, with an ordinary webcam. "
    "In a moment, you will see me in a much better light."
)
SEED = 201
PANORAMA, TURN_DEG = "vestibule", 100.0
KEY_EVERY = 4
BLINKS_S = (0.9, 3.1, 3.45, 5.9, 7.6)
NODS_S = (0.35, 4.1, 6.9)
# A webcam that runs out of light: two thirds of a stop under, warm, noisy, softly focused and then sharpened.
WEBCAM = WebcamSettings(-0.75, 0.0, (1.05, 1.0, 0.9), 0.0, 0.022, 0.003, 0.7, 0.35, 0, 0.3)


class Speaker:
    """The person of the demo and everything that moves, as functions of the frame number."""

    def __init__(self, lips: Mouth, size: tuple[int, int]) -> None:
        rng = np.random.default_rng([SEED, 7])
        self.person: Person = sample_person(rng, skins_of("train"))
        self.lips = lips
        performance = self.person.performance
        performance.facing = np.array([0.03, 0.1, 0.02])
        performance.torso = np.array([0.0, 0.06, 0.0])
        performance.gaze = np.array([-0.09, 0.0])
        performance.loud, performance.smile = 0.0, 0.16
        performance.gestures, performance.lids = [], 0.1
        performance.mood = {name: 0.0 for name in performance.mood} | {
            "browInnerUp": 0.05,
            "eyeSquintLeft": 0.22,
        }
        performance.blink_s = np.array(BLINKS_S) - 2.0
        self.tremble = [Drift(rng, 0.7) for _ in range(2)]
        height, width = size
        centre = head_centre(self._vertices(0)[0])
        focal = height / 0.43 * 0.62
        principal = np.array([width * 0.49, height * 0.44])
        self.camera = Camera(centre + np.array([0, 0.02, 0.62]), np.eye(3), focal, principal, size)
        self.topology = Topology(self.person.parts, [len(v) for v in self._vertices(0)])

    def _vertices(self, frame: int) -> list[np.ndarray]:
        t = frame / FPS
        performance = self.person.performance
        unit, turns = performance.expression(t), performance.rotation(t)
        frame = min(frame, len(self.lips.open) - 1)
        jaw, rounded, wide = (float(x[frame]) for x in (self.lips.open, self.lips.round, self.lips.wide))
        unit |= {"jawOpen": 0.38 * jaw, "mouthFunnel": 0.4 * rounded, "mouthPucker": 0.2 * rounded}
        unit |= {
            "mouthLowerDownLeft": 0.35 * jaw,
            "mouthLowerDownRight": 0.35 * jaw,
            "browInnerUp": 0.05 + 0.2 * wide,
        }
        unit |= {
            "mouthStretchLeft": 0.25 * wide,
            "mouthStretchRight": 0.25 * wide,
            "mouthUpperUpLeft": 0.15 * wide,
        }
        nod = sum(np.exp(-(((t - start) / 0.22) ** 2)) for start in NODS_S)
        turns["head"] = turns["head"] + np.array([0.07 * nod + 0.02 * jaw, 0.0, 0.0])
        return self.person.vertices(self.person.model_state(unit, turns))

    def scene(self, frame: int) -> tuple[Scene, Camera]:
        """Geometry and camera of one frame."""
        camera = shaken(self.camera, 0.8 * np.array([d(frame / FPS) for d in self.tremble]))
        return Scene(self.topology, camera.to_camera(np.concatenate(self._vertices(frame)))), camera

    @cached_property
    def in_view(self) -> np.ndarray:
        """Vertices in or near the picture: one set for the whole clip, so that nothing flickers."""
        scene, camera = self.scene(0)
        xy = camera.project(scene.vertices)
        margin = 0.35 * camera.size[0]
        inside = (xy > -margin).all(1) & (xy[:, 0] < camera.size[1] + margin) & (xy[:, 1] < camera.size[0] + margin)
        return np.flatnonzero(inside & (scene.vertices[:, 2] < -0.05))

    def light(self, frame: int) -> VertexLight:
        """The vertices' light at one key frame."""
        return vertex_light(self.scene(frame)[0], self.in_view, np.random.default_rng(0))


def hall(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(light code (16, 16, 3), backdrop (H, W, 3)) of the dim hall, in the same scale."""
    file = assets.root() / "hdri" / f"{PANORAMA}.hdr"
    panoramas = Panoramas([file])
    raw = panoramas.code(0, TURN_DEG)
    code = exposed(raw)
    view = project(panoramas.turned(0, TURN_DEG), camera.focal * 0.7, camera.principal, camera.size)
    view = cv2.GaussianBlur(np.minimum(view * (code.sum() / raw.sum()), 6.0), (0, 0), camera.size[0] / 90)
    return code, view


@lru_cache(maxsize=1)
def _speaker(folder: Path, frames: int, size: tuple[int, int]) -> Speaker:
    """One speaker a process, with the mouth of the speech in `folder`."""
    sound, rate_hz = padded_speech(folder)
    return Speaker(mouth(sound, rate_hz, FPS, frames), size)


def padded_speech(folder: Path) -> tuple[np.ndarray, int]:
    """(samples, rate in Hz) of the speech after a quarter second of silence."""
    sound, rate_hz = read_wave(folder / "speech.wav")
    return np.concatenate([np.zeros(int(0.25 * rate_hz), np.float32), 0.8 * sound]), rate_hz


def render_window(job: tuple[int, int, int, tuple[int, int], Path]) -> int:
    """Render frames [first, last) of `frames` to PNG files that are not there yet; key light at both ends."""
    first, last, frames, size, folder = job
    missing = [f for f in range(first, last) if not (folder / f"{f:04d}.png").exists()]
    if not missing:
        return first
    speaker = _speaker(folder, frames, size)
    code, view = hall(speaker.camera)
    start, end = speaker.light(first), speaker.light(last)
    for frame in missing:
        scene, camera = speaker.scene(frame)
        light = blend(start, end, (frame - first) / (last - first))
        person, alpha = draw(scene, camera, code, light)
        picture = person + (1 - alpha[..., None]) * view
        shot = develop(picture, WEBCAM, frame, np.random.default_rng(frame))
        temporary = folder / f"{frame:04d}.part.png"
        cv2.imwrite(str(temporary), shot[..., ::-1])
        temporary.replace(folder / f"{frame:04d}.png")
    return first


def mux(folder: Path, frames: int, sound: np.ndarray, rate_hz: int, out: Path, bit_rate: int = 2_200_000) -> None:
    """H.264 + AAC in MP4, index at the front so that it streams."""
    import av

    with av.open(str(out), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=int(FPS), options={"preset": "slow"})
        video.height, video.width = cv2.imread(str(folder / "0000.png")).shape[:2]
        video.pix_fmt, video.bit_rate = "yuv420p", bit_rate
        audio = container.add_stream("aac", rate=48000, layout="mono")
        for i in range(frames):
            picture = np.ascontiguousarray(cv2.imread(str(folder / f"{i:04d}.png"))[..., ::-1])
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
    parser.add_argument("--seconds", type=float, default=8.5, help="length")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--frames-dir", type=Path, help="keep frames here; a stopped run goes on from them")
    arguments = parser.parse_args()
    folder = arguments.frames_dir or Path(tempfile.mkdtemp(prefix="talking_"))
    folder.mkdir(parents=True, exist_ok=True)
    speak(TEXT, folder / "speech.wav", words_per_minute=165)
    sound, rate_hz = padded_speech(folder)
    frames = int(arguments.seconds * FPS)
    size = (arguments.height, arguments.height * 16 // 9)
    jobs = [(i, min(i + KEY_EVERY, frames), frames, size, folder) for i in range(0, frames, KEY_EVERY)]
    with multiprocessing.get_context("spawn").Pool(arguments.workers, _start_worker) as pool:
        for done, _ in enumerate(pool.imap_unordered(render_window, jobs), 1):
            print(f"{done}/{len(jobs)} windows", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    mux(folder, frames, sound, rate_hz, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
