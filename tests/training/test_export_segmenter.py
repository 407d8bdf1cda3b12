from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import tflite

from livelight.segmenters.selfie import NAMES, model_file
from training.export_segmenter import Conversion


@pytest.mark.parametrize("name", NAMES.values())
def test_the_shipped_file_is_what_the_command_makes(name: str) -> None:
    made = Conversion(model_file(f"{name}.tflite").read_bytes()).run()
    shipped = onnx.load(model_file(f"{name}.onnx"))
    assert made.graph == shipped.graph


def test_an_operator_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    conversion = Conversion(Path(model_file("selfie_segmentation.tflite")).read_bytes())
    del conversion.operators["HARD_SWISH"]
    with pytest.raises(ValueError, match="HARD_SWISH is not known; expected one of CONV_2D"):
        conversion.run()


def test_an_activation_that_is_not_known_is_refused() -> None:
    conversion = Conversion(model_file("selfie_segmentation.tflite").read_bytes())
    with pytest.raises(ValueError, match="expected none or ReLU"):
        conversion.active(tflite.ActivationFunctionType.TANH, "Add", ["a", "b"], "sum")
