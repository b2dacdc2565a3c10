"""Modal on this machine: its control plane's own protocol, so the real client and `modal deploy` drive it.

Functions really run: each container is a process of Modal's own runtime, in this Python instead of an image
and with little of this process's environment. Not here: images, mounts, GPUs (asked
for, not given), volumes, classes, generators. Written against modal 1.6; what it does not know of the
protocol it answers UNIMPLEMENTED.
"""

from tests.standins.modal.server import TOKEN_ID, TOKEN_SECRET, ModalStandIn, open_modal

__all__ = ["TOKEN_ID", "TOKEN_SECRET", "ModalStandIn", "open_modal"]
