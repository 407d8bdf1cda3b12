"""A part of a person: a mesh with one material that follows the body."""

from dataclasses import dataclass

import numpy as np

from training.light_stage.materials import Material
from training.light_stage.placement import Placement


@dataclass
class Part:
    """faces (f, 3) int32 into its own vertices; face_uv (f, 3, 2) float32; layered: alpha cards, seen through."""

    name: str
    faces: np.ndarray
    face_uv: np.ndarray
    material: Material
    placement: Placement
    layered: bool = False
