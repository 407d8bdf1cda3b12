"""The one graph says what the Relighter says, frame after frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from livelight.errors import RuntimeFailure
from livelight.lighting import Light
from livelight.quality import UNHURRIED
from livelight.relight import Relighter, network_size
from livelight.runtimes import NetworkOutput, NetworkState
from livelight.runtimes.live_inputs import STATES, knobs
from tests.trt_engines.scene import HEIGHT, WIDTH, Oval, frames, light, network

torch = pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")
ort = pytest.importorskip("onnxruntime")

from livelight.runtimes import network_output, start_state  # noqa: E402
from tests.trt_engines.graphs import graph  # noqa: E402
from trt_engines.spec import GraphSpec  # noqa: E402
from trt_engines.turing import without_gemm  # noqa: E402

FRAMES = 16


class TorchNetwork:
    """livelight.runtimes.torch_runtime without the file."""

    name = "torch"

    def run(self, image: np.ndarray, light: np.ndarray, state: NetworkState | None) -> NetworkOutput:
        made = network()
        state = state or start_state({"state8": made.gru8.c, "state16": made.gru16.c}, *image.shape[:2])
        with torch.inference_mode():
            results = made(*(torch.from_numpy(np.ascontiguousarray(a)) for a in (image[None], light[None], *state)))
        return network_output([r.numpy() for r in results], "torch")


def on_the_cpu() -> Relighter:
    """The relighter of the CPU, on as many pixels as the GPU's."""
    return Relighter(TorchNetwork(), Oval(), UNHURRIED)


def reference(lights: list[Light]) -> list[np.ndarray]:
    relighter, state, pictures = on_the_cpu(), None, []
    for frame, lit in zip(frames(len(lights)), lights, strict=True):
        relit, state = relighter.step(frame, lit, state)
        pictures.append(relit.image)
    return pictures


def play(session: ort.InferenceSession, lights: list[Light]) -> list[np.ndarray]:
    """The graph by ONNX Runtime, its states going round."""
    inputs = {i.name: i for i in session.get_inputs()}
    states = {name: np.full([1, *inputs[name].shape[1:]], np.nan, np.float32) for name in STATES}
    segmenter, pictures = Oval(), []
    for t, (frame, lit) in enumerate(zip(frames(len(lights)), lights, strict=True)):
        coarse = cv2.resize(segmenter.segment(frame.image), network_size(WIDTH, HEIGHT))
        feeds = {
            "frame": frame.image[None],
            "coarse": coarse[None],
            "light": lit.code[None],
            "knobs": knobs(lit, HEIGHT, lights[t - 1].code if t else None)[None],
        }
        if "backdrop" in inputs:
            feeds["backdrop"] = (frame.image if lit.backdrop is None else lit.backdrop)[None]
        results = session.run(None, feeds | states)
        states = dict(zip(STATES, results[-len(STATES) :], strict=True))
        pictures.append(results[0][0])
    return pictures


def session_of(model) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def plain():
    return session_of(graph())


def backdrop() -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(8).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 3)


def worst(ours: list[np.ndarray], truth: list[np.ndarray]) -> tuple[float, float]:
    """(largest rms, largest mean) difference of a frame, in levels."""
    gaps = [np.abs(a.astype(np.float32) - b) for a, b in zip(ours, truth, strict=True)]
    return max(float(np.sqrt((g**2).mean())) for g in gaps), max(float(g.mean()) for g in gaps)


def test_own_room_over_a_sequence(plain) -> None:
    lights = [light(t) for t in range(FRAMES)]
    truth = reference(lights)
    assert worst([f.image for f in frames(FRAMES)], truth)[0] > 5, "the scene must be relit for this to say anything"
    rms, _ = worst(play(plain, lights), truth)
    assert rms < 0.5


def test_backdrop_that_comes_and_goes(plain) -> None:
    behind = backdrop()
    lights = [light(t, backdrop=behind if 3 <= t < 6 else None) for t in range(8)]
    assert worst(play(plain, lights), reference(lights))[0] < 1.0


def test_intensity_0_gives_the_frame_back_bit_for_bit(plain) -> None:
    lights = [light(t, intensity=0.0) for t in range(3)]
    for picture, frame in zip(play(plain, lights), frames(3), strict=True):
        assert np.array_equal(picture, frame.image)


def test_blurred_room() -> None:
    lights = [light(t, blur=30.0) for t in range(4)]
    session = session_of(graph(blur=True))
    assert "backdrop" not in {i.name for i in session.get_inputs()}
    truth = reference(lights)
    assert worst(truth, reference([light(t) for t in range(4)]))[0] > 5, "the blur must show"
    assert worst(play(session, lights), truth)[0] < 1.0


def test_16_bits_stay_close_and_do_not_drift() -> None:
    lights = [light(t) for t in range(FRAMES)]
    truth = reference(lights)
    pictures = play(session_of(graph("fp16")), lights)
    assert worst(pictures, truth)[0] < 0.5
    assert worst(pictures[-4:], truth[-4:])[0] < 0.5


def test_the_graph_for_turing_is_the_same_function(plain) -> None:
    lights = [light(t) for t in range(3)]
    model = without_gemm(graph())
    assert "Gemm" not in {n.op_type for n in model.graph.node}
    halves = {n.output[0] for n in model.graph.node if n.op_type == "Cast"}
    assert all(halves.issuperset(n.input) for n in model.graph.node if n.op_type == "MatMul")
    ours, truth = play(session_of(model), lights), play(plain, lights)
    assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(ours, truth, strict=True)) <= 1


def test_several_streams_do_not_mix(plain) -> None:
    """Two streams side by side give what each gives alone."""
    rng = np.random.default_rng(2)
    feeds = {}
    for i in plain.get_inputs():
        shape = [2, *i.shape[1:]]
        feeds[i.name] = rng.integers(0, 255, shape, np.uint8) if "uint8" in i.type else rng.random(shape, np.float32)
    both = plain.run(None, feeds)
    for k in range(2):
        alone = plain.run(None, {name: x[k : k + 1] for name, x in feeds.items()})
        for a, b in zip(both, alone, strict=True):
            assert np.abs(a[k].astype(np.float32) - b[0]).max() <= (1 if a.dtype == np.uint8 else 1e-3)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), "itu601"), ((1280, 16), "itu709")])
def test_planes_are_what_ffmpeg_makes(size: tuple[int, int], matrix: str) -> None:
    av = pytest.importorskip("av")
    from trt_engines.planes import i420

    image = frames(1, *size)[0].image
    ours = i420(torch.from_numpy(image[None]).permute(0, 3, 1, 2).float())[0].numpy()
    made = av.VideoFrame.from_ndarray(image, "rgb24").reformat(
        format="yuv420p", dst_colorspace=matrix, src_color_range="JPEG", dst_color_range="MPEG"
    )
    assert np.abs(ours.astype(int) - made.to_ndarray()).max() <= 3


def test_odd_frames_have_no_planes() -> None:
    from trt_engines.export import live_graph

    for size, expected in (((96, 64), True), ((97, 64), False), ((96, 65), False)):
        made = live_graph(network(), GraphSpec(*size, "fp32"))
        with torch.inference_mode():
            results = made(*made.example(1))
        assert ("planes" in made.outputs) is expected
        assert len(results) == len(made.outputs)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    from trt_engines.export import export

    path = tmp_path / "foreign.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(RuntimeFailure, match="foreign"):
        export(path, GraphSpec(64, 48), (8, 9))
