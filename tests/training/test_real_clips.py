"""What real clips teach, on pictures made by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from livelight.runtimes.torch_network import SIZES, RelightNetwork, Source
from training import real_people
from training.face_normals import draw_mesh, is_head
from training.face_normals_report import compared
from training.light_stage import assets
from training.losses import real_losses, shading_prior, srgb_to_linear, unexplained
from training.real_clips import RealSamples, corner, flows
from training.real_people import Change, flicker, mean_of, overlap, table


def test_a_ball_of_triangles_gets_the_normals_of_a_ball() -> None:
    u, v = np.meshgrid(np.linspace(0.02, 1, 40) * np.pi / 2, np.linspace(0, 2 * np.pi, 60))
    centre, radius = 40.0, 30.0
    x, y, z = np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)
    points = np.float32(np.stack([centre + radius * x, centre - radius * y, -radius * z], -1).reshape(-1, 3))
    rows, columns = u.shape
    corners = [r * columns + c for r in range(rows - 1) for c in range(columns - 1)]
    triangles = np.array([t for k in corners for t in ((k, k + 1, k + columns), (k + 1, k + columns, k + columns + 1))])
    normals = np.zeros((80, 80, 3), np.float32)
    draw_mesh(normals, points, triangles)
    for px, py in ((48, 40), (60, 40), (40, 22), (28, 52)):
        nx, ny = (px + 0.5 - centre) / radius, -(py + 0.5 - centre) / radius
        expected = np.array([nx, ny, np.sqrt(1 - nx * nx - ny * ny)])
        got = normals[py, px] / np.linalg.norm(normals[py, px])
        assert got @ expected > 0.98


def test_flow_of_a_picture_that_moves() -> None:
    rng = np.random.default_rng(0)
    base = np.kron(rng.random((12, 12, 3)), np.ones((6, 6, 1))).astype(np.float32)
    flow, seen = flows(np.stack([base, np.roll(base, 3, axis=1)]))
    inner = np.median(flow[0, 10:-10, 10:-10], axis=(0, 1))
    assert np.allclose(inner, [-3, 0], atol=0.3)
    assert seen[0, 10:-10, 10:-10].mean() > 0.8


@pytest.fixture
def folder(tmp_path):
    if not (assets.root() / "hdri").exists():
        pytest.skip("no shared assets: set LIVELIGHT_ASSETS to the folder that holds hdri/*.hdr")
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (6, 96, 128, 3), dtype=np.uint8)
    alpha = np.zeros((6, 96, 128), np.uint8)
    alpha[:, 20:, 40:90] = 255
    normals = np.zeros((6, 96, 128, 3), np.int8)
    normals[:, 30:50, 50:80] = (76, 0, 102)
    np.savez(tmp_path / "a.npz", image=image, alpha=alpha, normals=normals)
    return tmp_path


def test_every_term_teaches_something(folder) -> None:
    stream = iter(RealSamples(folder, crop=64))
    batch = torch.utils.data.default_collate([next(stream) for _ in range(4)])
    face = batch["face"] > 0
    length = batch["normals"].norm(dim=2, keepdim=True)
    assert torch.allclose(length[face], torch.ones(()), atol=1e-3)
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"])
    terms = real_losses(network, batch)
    names = ("matte", "normals", "temporal", "self", "cycle", "print", "prior", "level")
    assert set(terms) == {f"real_{name}" for name in names}
    for name, value in terms.items():
        gradients = torch.autograd.grad(value, list(network.parameters()), retain_graph=True, allow_unused=True)
        assert sum(float(g.abs().sum()) for g in gradients if g is not None) > 0, name


def test_black_is_no_way_out(folder) -> None:
    """A network that relights everybody to black pays for what does not come back, and for leaving the shadings."""
    batch = torch.utils.data.default_collate([next(iter(RealSamples(folder, crop=64)))])
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"])
    with torch.no_grad():
        plain = real_losses(network, batch)
        network.out.bias[:12] = -20.0
        black = real_losses(network, batch)
    assert black["real_cycle"] > plain["real_cycle"] + 0.1
    assert black["real_prior"] > plain["real_prior"] + 0.5


@pytest.fixture
def found() -> tuple[RelightNetwork, torch.Tensor, Source, torch.Tensor]:
    """A network, a picture (2, 3, 32, 32), what the network finds in it, and a face over all of it."""
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"], occlusion=True)
    image = torch.rand(2, 3, 1, 1).expand(-1, -1, 32, 32) * 0.5 + 0.2
    return network, image, network.analyse(image, *network.start(2, 32, 32)), torch.ones(2, 1, 16, 16)


def test_a_face_that_light_and_albedo_explain_costs_nothing(found) -> None:
    network, image, source, face = found
    light = torch.exp(source.lit + source.shadow)
    level = srgb_to_linear(F.avg_pool2d(image, 2)) / light
    code = torch.where(level < 0.0031308, level * 12.92, 1.055 * level ** (1 / 2.4) - 0.055)
    true = source._replace(albedo=code)
    assert unexplained(network, image, true, face) < 1e-3
    assert unexplained(network, image, true._replace(shadow=source.shadow + 0.7), face) > 0.4
    assert unexplained(network, image, source, face * 0) == 0
    assert unexplained(network, image * 0 + 0.99, source, face) == 0  # burnt out: nothing can be told


def test_a_face_teaches_its_light_and_nothing_else(found) -> None:
    network, image, source, face = found
    unexplained(network, image, source, face).backward()
    taught = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert any(name.startswith("light_head") for name in taught)
    assert not any(name.startswith(("geometry", "up2", "up4", "occlusion")) for name in taught)


def test_the_gain_for_the_whole_person_is_no_part_of_the_prior(found) -> None:
    network, _, source, _ = found
    light = torch.ones(2, 3, 16, 16)
    plain = network.paint(source, light)
    gained = plain._replace(person_gain=torch.full((2, 3, 1, 1), 0.7))
    assert torch.equal(shading_prior(source, gained), shading_prior(source, plain))


def test_a_folder_without_clips_says_how_to_make_them(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="real_clips"):
        RealSamples(tmp_path)


def test_a_face_is_a_head_at_the_top_of_a_person_or_close_to_the_camera() -> None:
    face = np.float32([(0, 0, 0), (60, 100, 0)])
    assert is_head(face + np.float32([0, 20, 0]), first=0, height=400)
    assert not is_head(face * np.float32([1, 0.5, 1]) + np.float32([0, 250, 0]), first=0, height=400)  # on the shirt
    assert is_head(face * np.float32([1, 1.4, 1]) + np.float32([0, 130, 0]), first=0, height=400)  # close


def test_crops_show_the_person_and_the_furniture_too() -> None:
    alpha, face = np.zeros((90, 160)), np.zeros((90, 160), bool)
    alpha[30:, :40], face[32:40, 10:20] = 255, True
    rng = np.random.default_rng(0)
    corners = np.array([corner(alpha, face, 60, rng) for _ in range(400)])
    assert corners.min() >= 0
    assert (corners.max(0) <= (100, 30)).all()
    without = (corners[:, 0] >= 40).mean()
    assert 0.1 < without < 0.4  # 60 % of the crops that lie anywhere


def test_normals_that_are_too_flat_have_slopes_below_one() -> None:
    rng = np.random.default_rng(0)
    flat = rng.uniform(-0.7, 0.7, (200, 2))
    mesh = np.column_stack([flat, np.sqrt(1 - np.minimum((flat**2).sum(1), 1))]).astype(np.float32)
    half = mesh * np.float32([0.5, 0.25, 1])
    figures = compared(half / np.linalg.norm(half, axis=1, keepdims=True), mesh)
    assert figures["slope_y"] < figures["slope_x"] < 0.9
    same = compared(mesh, mesh)
    assert same["slope_x"] == pytest.approx(1, abs=1e-3)
    assert same["angle_deg"] < 1


def test_overlap_of_mattes() -> None:
    a, b = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    a[:2], b[1:3] = 1, 1
    assert overlap(a, b) == pytest.approx(1 / 3)
    assert overlap(a, a) == 1
    assert overlap(a * 0, b * 0) == 1


def test_the_albedo_of_a_face_is_read_under_even_light(monkeypatch) -> None:
    relit = np.zeros((20, 30, 3), np.uint8)
    relit[5:15, 5:25] = 188  # linear 0.5
    seen = []

    def stub(relighter, shots, light):
        seen.append(light)
        yield None, relit, np.ones((20, 30)), None

    monkeypatch.setattr(real_people, "_relit", stub)
    face = np.zeros((20, 30), np.float32)
    face[6:14, 5:25] = 1
    assert real_people.albedo_taken(None, [], face)["face"] == pytest.approx(0.5, abs=0.01)
    assert (seen[0].code == 1).all()
    assert real_people.albedo_taken(None, [], face * 0) == {}


def test_flicker_is_what_the_network_adds_to_the_motion() -> None:
    rng = np.random.default_rng(0)
    first = rng.random((40, 60, 3), np.float32) * np.float32(0.6)
    second = np.roll(first, 1, 1) + np.float32(0.01)  # moved by a pixel, and a little brighter
    flow, seen = np.zeros((40, 60, 2), np.float32), np.ones((40, 60), np.float32)
    flow[..., 0] = -1
    seen[:, :2] = 0
    ramp = np.linspace(0.5, 1.5, 60, dtype=np.float32)[None, :, None] * np.ones((40, 1, 3), np.float32)
    steady = Change(ramp, ramp * 0), Change(np.roll(ramp, 1, 1), ramp * 0)
    assert flicker((first, second), steady, flow, seen) == pytest.approx(1, abs=1e-3)
    pulsing = steady[0], Change(steady[1].gain * np.float32(1.2), ramp * 0)
    assert flicker((first, second), pulsing, flow, seen) > 2


def test_figures_of_real_people_name_what_is_missing() -> None:
    rows = [
        {"detail": 0.9, "warp": 0.02, "own": 0.01, "matte": 0.8, "faces_missed": 1},
        {"detail": 0.7, "identity": 0.9, "warp": 0.04, "own": 0.03, "matte": 1.0, "faces_missed": 0},
    ]
    mean = mean_of(rows)
    assert (mean["detail"], mean["identity"], mean["faces_missed"]) == pytest.approx((0.8, 0.9, 1))
    assert "| one | 0.900 | - | 0.0200 | 0.0100 | - | 0.800 | - | 1 |" in table("clip", {"one": rows[0]})
