"""All peers, in the order of the table; times are relative to the first."""

from . import executorch, litert_torch, ncnn, onnxruntime, openvino, own
from .peer import Peer

PEERS: tuple[Peer, ...] = (
    *own.PEERS,
    *litert_torch.PEERS,
    *executorch.PEERS,
    *onnxruntime.PEERS,
    *openvino.PEERS,
    *ncnn.PEERS,
)
