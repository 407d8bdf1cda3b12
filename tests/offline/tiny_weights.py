"""Tiny random checkpoints in the published layout and under the published names, for the real loaders."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

WIDTH = 16
"""Width of the text tokens (768 in the real model)."""

TO_UPSTREAM = {
    "attn1": "attention_blocks.0",
    "attn2": "attention_blocks.1",
    "norm1": "norms.0",
    "norm2": "norms.1",
    "norm3": "ff_norm",
}


def tiny_config():
    return {
        "block_out_channels": (8, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }


def upstream_motion(adapter: MotionAdapter) -> dict[str, torch.Tensor]:
    """The adapter's weights under RelightVid's names, with the position tables that its file carries too."""
    named = {}
    for name, tensor in adapter.state_dict().items():
        if name.endswith("pos_embed.pe"):
            for k in (0, 1):
                where = name.removesuffix("pos_embed.pe") + f"attention_blocks.{k}.pos_encoder.pe"
                named[_upstream(where)] = tensor
            continue
        named[_upstream(name)] = tensor
    return named


def _upstream(name: str) -> str:
    head, number, rest = name.partition(".motion_modules.")[0], *name.partition(".motion_modules.")[2].split(".", 1)
    parts = [TO_UPSTREAM.get(part, part) for part in rest.split(".")]
    return f"unet.{head}.motion_modules.{number}.temporal_transformer.{'.'.join(parts)}"


def shaken(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Random weights all over, norms and biases too: nothing can be swapped or left out unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in module.named_parameters():
        p.data += 0.2 * torch.randn(p.shape, generator=generator) * (0.3 if "conv" in name else 1)
    return module


def ic_light_deltas(unet: UNet2DConditionModel, channels: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(channels)
    deltas = {n: 0.05 * torch.randn(p.shape, generator=generator) for n, p in unet.state_dict().items()}
    shape = list(deltas["conv_in.weight"].shape)
    shape[1] = channels
    return deltas | {"conv_in.weight": 0.2 * torch.randn(shape, generator=generator)}


def write_all(folder: Path) -> Path:
    """A folder as a user would have it: motion weights, iclight_sd15_*.safetensors, base/."""
    base = folder / "base"
    torch.manual_seed(0)
    unet = shaken(UNet2DConditionModel(**tiny_config()), 1)
    unet.save_pretrained(base / "unet")
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=2,
        latent_channels=4,
        scaling_factor=0.18215,
    )
    vae.save_pretrained(base / "vae")
    _write_text(base)
    adapter = MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, use_motion_mid_block=False
    )
    torch.save(upstream_motion(shaken(adapter, 2)), folder / "relvid_mm_sd15_fbc.pth")
    for kind, channels in (("fc", 8), ("fcon", 8), ("fbc", 12)):
        save_file(ic_light_deltas(unet, channels), folder / f"iclight_sd15_{kind}.safetensors")
    return folder


def _write_text(base: Path) -> None:
    tokenizer = base / "tokenizer"
    tokenizer.mkdir(parents=True)
    letters = [chr(c) for c in range(ord("!"), ord("~") + 1)]
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (tokenizer / "vocab.json").write_text(json.dumps({w: k for k, w in enumerate(words)}))
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    (tokenizer / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"})
    )
    end = len(words) - 1
    config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=77, eos_token_id=end, bos_token_id=end - 1, pad_token_id=end,
    )  # fmt: skip
    text = CLIPTextModel(config)
    text.save_pretrained(base / "text_encoder")
    # Published text encoders carry the older names, with a leading text_model.
    file = base / "text_encoder" / "model.safetensors"
    names = {n if n.startswith("text_model.") else f"text_model.{n}": t for n, t in text.state_dict().items()}
    save_file(names, file, metadata={"format": "pt"})
