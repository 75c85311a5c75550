"""A model as one ONNX file: from a waveform to its explanation, for whoever has onnxruntime.

The graph is that of :class:`l2i.export.graph.Graph`. What a user must know besides stands in the
metadata of the file: classes, rate, front end, what goes in and what comes out.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from l2i import __version__
from l2i.checks import InputError, reason
from l2i.disk import replace_bytes
from l2i.export.graph import Graph
from l2i.interpretation.model import Model

if TYPE_CHECKING:  # it takes seconds, for which who writes no such file should not wait
    from torch.export import ExportedProgram

VERSION = "l2i_version"  # of the metadata: who wrote the file
DECIDED = -1  # as target: the class that is most probable
INPUTS = {
    "waveform": (("batch", "n_samples"), "mono, at sample_rate, of any length and level"),
    "threshold": ((), "relevance above which a component belongs to the interpretation"),
    "target": ((), "number of the class that is explained; -1 for each clip's most probable one"),
}
OUTPUTS = {
    "logits": (("batch", "C"), "of the network whose decision is explained"),
    "probabilities": (("batch", "C"), "of the classes"),
    "decided": (("batch", "C"), "whether a class is decided for"),
    "relevances": (("batch", "C", "K"), "of each component to each class"),
    "activations": (("batch", "K", "n_frames"), "of each component, over the whole waveform"),
    "interpretation": (("batch", "n_samples"), "what the relevant components sound like together"),
    "remainder": (("batch", "n_samples"), "what is left of the waveform without them"),
}


def save_onnx(path: str | Path, model: Model) -> None:
    """Write a model as one ONNX file, float32, in the place of what has its name.

    Parameters
    ----------
    path : str or Path
    model : Model
        Classifier and front end are of this library.

    Raises
    ------
    InputError
        If packages for it are missing, the model has no such form, or the disk refuses.

    Examples
    --------
    >>> save_onnx("model.onnx", l2i.load())
    """
    onnx = _onnx()
    with _quiet():
        program = torch.onnx.export(
            traced(Graph(model)),
            dynamo=True,
            verbose=False,
            input_names=[*INPUTS],
            output_names=[*OUTPUTS],
        )
    assert program is not None
    proto = program.model_proto
    _say_shapes(proto.graph, model)
    _give_defaults(onnx, proto.graph, model)
    _leave_out_traces(proto)
    proto.producer_name, proto.producer_version = "l2i", __version__
    proto.doc_string = model.title
    onnx.helper.set_model_props(proto, metadata(model))
    onnx.checker.check_model(proto, full_check=True)
    replace_bytes(path, proto.SerializeToString(deterministic=True))


def traced(graph: Graph) -> ExportedProgram:
    """The graph of a model, its batch and the length of its waveforms symbols.

    Raises
    ------
    InputError
        If it cannot be traced.
    """
    n_samples = graph.n_decided + 1  # such as says nothing of any other: neither a multiple of
    waveform = torch.zeros(3, n_samples)  # anything nor the length of training, and no single clip
    inputs = waveform, torch.tensor(0.1), torch.tensor(DECIDED)
    Dim = torch.export.Dim
    graph.eval()(*inputs)  # makes and keeps what is made once, which must be no part of a trace
    try:
        return torch.export.export(
            graph,
            inputs,
            dynamic_shapes={
                "waveform": {0: Dim("batch", min=1), 1: Dim("n_samples", min=1)},
                "threshold": {},
                "target": {},
            },
            strict=False,
            prefer_deferred_runtime_asserts_over_guards=True,
        )
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"the model cannot be traced ({reason(error)})") from error


def metadata(model: Model) -> dict[str, str]:
    """What the file says besides its graph; text as it is, all else as JSON."""
    made_by = model.card.get("made_by", {})
    return {
        VERSION: __version__,
        "title": model.title,
        "classes": json.dumps(model.classes),
        "multi_label": json.dumps(model.explained.multi_label),
        "predictor": model.explained.predictor,
        "sample_rate": json.dumps(model.front_end.sample_rate),
        "clip_seconds": json.dumps(model.clip_seconds),
        "waveform_scale": model.waveform_scale,
        "front_end": json.dumps(asdict(model.front_end)),
        "threshold": json.dumps(model.threshold),
        "inputs": json.dumps(_in_words(INPUTS)),
        "outputs": json.dumps(_in_words(OUTPUTS)),
        "settings_sha256": made_by.get("settings_sha256") or "",
        "card": json.dumps(model.card),
    }


def is_ours(path: Path) -> bool:
    """Whether a file is one that :func:`save_onnx` wrote."""
    onnx = _onnx()
    try:
        proto = onnx.load(path)
    except Exception:  # whatever a parser says of a file that is something else
        return False
    return any(each.key == VERSION for each in proto.metadata_props)


def _onnx() -> Any:
    """The package, if all that writing takes is there."""
    try:
        import onnx
        import onnxscript  # noqa: F401 - PyTorch takes it
    except ImportError as error:
        raise InputError(
            f"a file of ONNX takes the packages onnx and onnxscript ({reason(error)}): "
            "pip install '.[onnx]' in a clone of this project"
        ) from error
    return onnx


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch says of packages that are no part of this."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _say_shapes(graph: Any, model: Model) -> None:
    """Give axes their names; those of the trace say how it was made."""
    sizes = {"C": len(model.classes), "K": model.dictionary.shape[1]}
    for values, named in ((graph.input, INPUTS), (graph.output, OUTPUTS)):
        for value, (axes, _) in zip(values, named.values(), strict=True):
            for place, axis in zip(value.type.tensor_type.shape.dim, axes, strict=True):
                if axis in sizes:
                    place.dim_value = sizes[axis]
                else:
                    place.dim_param = axis
    del graph.value_info[:]


def _give_defaults(onnx: Any, graph: Any, model: Model) -> None:
    """Inputs that may be left out: an initial value of their name is what ONNX calls a default."""
    types = onnx.TensorProto
    graph.initializer.extend(
        [
            onnx.helper.make_tensor("threshold", types.FLOAT, [], [model.threshold]),
            onnx.helper.make_tensor("target", types.INT64, [], [DECIDED]),
        ]
    )


def _leave_out_traces(proto: Any) -> None:
    """Remove where in which file on this machine each node comes from."""
    for owner in (proto.graph, *proto.graph.node, *proto.functions):
        owner.doc_string = ""
        del owner.metadata_props[:]
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]


def _in_words(named: Mapping[str, tuple[tuple[str, ...], str]]) -> dict[str, Any]:
    return {name: {"axes": [*axes], "what": what} for name, (axes, what) in named.items()}
