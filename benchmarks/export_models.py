#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports networks of torchvision, timm and transformers with seeded random weights, for what times and compares models.

    export_models.py [--exporter torchscript] [--exporter dynamo] [--folder models] [NAME]...      (default: all, by both)

Writes <folder>/<name>.<exporter>.onnx.  Needs torch, torchvision, timm, transformers, onnx and onnxscript; a network that the
installed versions do not have, or an exporter that fails on one, is named and left out.
"""
import argparse
import os
import sys
import warnings

import torch

SEED = 7


def vision(name, size=224):
    import torchvision
    return torchvision.models.get_model(name, weights=None), {"image": torch.rand(1, 3, size, size)}


def timm_model(name, size=224):
    import timm
    return timm.create_model(name, pretrained=False), {"image": torch.rand(1, 3, size, size)}


class Plain(torch.nn.Module):
    """A model of transformers whose result is one tensor."""

    def __init__(self, inner, names, result):
        super().__init__()
        self.inner, self.names, self.result = inner, names, result

    def forward(self, *given):
        return getattr(self.inner(**dict(zip(self.names, given))), self.result)


def text(kind, length, result="last_hidden_state", names=("input_ids", "attention_mask"), **sizes):
    import transformers
    config = getattr(transformers, kind + "Config")(**sizes)
    config.use_cache = False
    config._attn_implementation = "eager"
    inner = getattr(transformers, kind + "Model")(config)
    ids = torch.randint(0, config.vocab_size, (1, length))
    feeds = {name: ids if name.endswith("ids") else torch.ones_like(ids) for name in names}
    return Plain(inner, list(names), result), feeds


def whisper():
    import transformers
    config = transformers.WhisperConfig(d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048)
    config._attn_implementation = "eager"
    inner = transformers.WhisperModel(config).encoder
    return Plain(inner, ["input_features"], "last_hidden_state"), {"input_features": torch.rand(1, 80, 3000)}


class Recurrent(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.inner = getattr(torch.nn, kind)(128, 256, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.inner(x)[0]


# name: what makes a network and an example of its inputs
MODELS = {
    **{name: lambda name=name: vision(name) for name in (
        "resnet18", "resnet50", "vgg16", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_v2_s",
        "convnext_tiny", "swin_t", "vit_b_16", "densenet121", "squeezenet1_1", "shufflenet_v2_x1_0", "mnasnet1_0",
        "regnet_y_400mf", "maxvit_t")},
    "inception_v3": lambda: vision("inception_v3", 299),
    "lraspp_mobilenet_v3_large": lambda: vision("lraspp_mobilenet_v3_large"),
    **{name: lambda name=name: timm_model(name) for name in (
        "ghostnet_100", "mixnet_s", "deit_tiny_patch16_224", "mixer_s32_224", "poolformer_s12", "repvgg_a0",
        "efficientformer_l1", "hrnet_w18_small", "res2net50_26w_4s", "edgenext_small")},
    "mobilevit_s": lambda: timm_model("mobilevit_s", 256),
    "bert_base": lambda: text("Bert", 128),
    "minilm": lambda: text("Bert", 128, hidden_size=384, num_hidden_layers=6, intermediate_size=1536),
    "distilbert": lambda: text("DistilBert", 128),
    "gpt2_small": lambda: text("GPT2", 64, n_embd=256, n_layer=4, n_head=4),
    "llama_small": lambda: text("Llama", 64, hidden_size=256, intermediate_size=688, num_hidden_layers=4,
                                num_attention_heads=8, num_key_value_heads=4, vocab_size=1000),
    "t5_small": lambda: text("T5", 64, d_model=256, d_ff=512, num_layers=4, num_heads=4, d_kv=64,
                               names=("input_ids", "decoder_input_ids")),
    "whisper_base_encoder": whisper,
    "lstm": lambda: (Recurrent("LSTM"), {"x": torch.rand(1, 50, 128)}),
    "gru": lambda: (Recurrent("GRU"), {"x": torch.rand(1, 50, 128)}),
}


def export(name, exporter, path):
    torch.manual_seed(SEED)
    made, feeds = MODELS[name]()
    made.eval()
    temporary = path + ".part"
    options = {"dynamo": False} if exporter == "torchscript" else {"dynamo": True, "external_data": False, "verbose": False}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(made, tuple(feeds.values()), temporary, input_names=list(feeds), output_names=["output"],
                          opset_version=17 if exporter == "torchscript" else 20, **options)
    os.replace(temporary, path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", action="append", choices=["torchscript", "dynamo"])
    parser.add_argument("--folder", default="models")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODELS))
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MODELS]
    if unknown:
        parser.error(f"no network named {', '.join(unknown)}")
    return options


def main():
    options = arguments()
    os.makedirs(options.folder, exist_ok=True)
    failed = []
    for name in options.names or MODELS:
        for exporter in options.exporter or ["torchscript", "dynamo"]:
            path = os.path.join(options.folder, f"{name}.{exporter}.onnx")
            try:
                export(name, exporter, path)
                print(path, flush=True)
            except Exception as error:  # pylint: disable=broad-exception-caught  # any of four packages
                failed.append(path)
                print(f"{path}: not exported: {type(error).__name__}: {str(error).splitlines()[0][:200]}", flush=True)
    sys.exit(f"{len(failed)} not exported" if failed else 0)


main()
