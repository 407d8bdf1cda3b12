"""The body: Anny's base mesh with identity, expression and bone pose, in the MakeHuman frame (y up, facing +z, metres).

That frame's axes are those of DESIGN.md's camera frame for a camera that looks straight at the person.
Anny is z up and faces -y; (x, y, z) of Anny is (x, z, -y) here.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from training.light_stage.assets import Fit

BODY = slice(0, 13380)
TONGUE = slice(13380, 13606)
EYES = slice(14598, 14742)
FROM_ANNY = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float64)


@dataclass(frozen=True)
class BodyState:
    """One person at one instant.

    rest (19158, 3) float32: shape and expression before the bones move; transform (19158, 3, 4) float32: what the
    bones do to each vertex. Garments hang on `rest` and move with `transform`.
    """

    rest: np.ndarray
    transform: np.ndarray

    def posed(self) -> np.ndarray:
        """(19158, 3) float32 vertices after the bones moved."""
        return np.einsum("nij,nj->ni", self.transform[:, :, :3], self.rest) + self.transform[:, :, 3]

    def hang(self, fit: Fit) -> np.ndarray:
        """(n, 3) float32 posed vertices of a garment."""
        size = np.ones(3, np.float32)
        for axis, key in enumerate("xyz"):
            if key in fit.scale:
                a, b, base = fit.scale[key]
                size[axis] = abs(self.rest[a, axis] - self.rest[b, axis]) / base
        point = np.einsum("nk,nki->ni", fit.weights, self.rest[fit.reference]) + fit.offset * size
        transform = np.einsum("nk,nkij->nij", fit.weights, self.transform[fit.reference])
        return np.einsum("nij,nj->ni", transform[:, :, :3], point) + transform[:, :, 3]


class Body:
    """Anny with all helper vertices (topology `anny-full`), so MakeHuman's garments can hang on it."""

    def __init__(self) -> None:
        import torch
        from anny.models.phenotype import Anny

        torch.set_num_threads(1)
        self.model = Anny(topology="anny-full", local_changes="all", facial_actions="all", phenotypes="all")
        self.faces = self.model.faces.numpy().astype(np.int32)
        uv = self.model.texture_coordinates.numpy().astype(np.float32)
        self.face_uv = uv[self.model.face_texture_coordinate_indices.numpy()]
        self.template = (self.model.template_vertices.numpy() @ FROM_ANNY.T).astype(np.float32)
        self.expressions = list(self.model.facial_action_labels)
        self.local_changes = list(self.model.local_change_labels)
        weights = self.model.vertex_bone_weights.numpy()
        bones = self.model.vertex_bone_indices.numpy().copy()
        labels = self.model.bone_labels
        for name in ("eye.L", "eye.R"):  # a few lashes and lids hang on them too; only eyeballs may turn
            strangers = bones == labels.index(name)
            strangers[EYES] = False
            bones[strangers] = labels.index("head")
        self._weights, self._bones = weights, bones

    def state(
        self,
        phenotype: dict[str, float],
        local: dict[str, float],
        expression: dict[str, float],
        rotation: dict[str, np.ndarray],
    ) -> BodyState:
        """Shape, expression (face units in [0, 1]) and bones' rotation vectors (radians, axes of this frame)."""
        import torch
        from scipy.spatial.transform import Rotation

        labels = self.model.bone_labels
        pose = torch.eye(4, dtype=torch.float64).repeat(1, len(labels), 1, 1)
        for bone, vector in rotation.items():
            turn = Rotation.from_rotvec(np.asarray(vector) @ FROM_ANNY).as_matrix()
            pose[0, labels.index(bone), :3, :3] = torch.from_numpy(turn)
        with torch.no_grad():
            out = self.model(
                pose_parameters=pose,
                phenotype_kwargs=phenotype,
                local_changes_kwargs=local,
                facial_actions=expression,
            )
        rest = out["rest_vertices"][0].numpy() @ FROM_ANNY.T
        bones = (out["bone_poses"][0] @ torch.linalg.inv(out["rest_bone_poses"][0])).numpy()
        blended = np.einsum("nk,nkij->nij", self._weights, bones[self._bones][:, :, :3])
        rotate = FROM_ANNY @ blended[:, :, :3] @ FROM_ANNY.T
        transform = np.concatenate([rotate, (blended[:, :, 3] @ FROM_ANNY.T)[:, :, None]], axis=-1)
        return BodyState(rest.astype(np.float32), transform.astype(np.float32))


@lru_cache(maxsize=1)
def body() -> Body:
    """The one body model of this process (hundreds of MB)."""
    return Body()
