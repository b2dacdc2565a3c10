"""The zero-setup stack: everything on this machine, from wheels alone.

Valkey as the broker, then the processes of the Procfile; all die with the process that opened the stack.
"""

from ethereal.embedded.options import StackOptions
from ethereal.embedded.stack import RunningStack, open_stack

__all__ = ["RunningStack", "StackOptions", "open_stack"]
